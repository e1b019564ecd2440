"""Asking the proxy, where nobody answers."""

import pytest

from slipway.server.routing import Answer, Router
from slipway.server.ssh import ServerError

# For examples, and for nothing else (RFC 2606).
URL = "https://slipway.invalid/health"


@pytest.mark.parametrize("host", ["::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "127.0.0.1"])
async def test_a_server_that_does_not_answer_is_an_answer_with_an_error(host: str) -> None:
    """IPv6 goes in brackets; nothing is raised, as the proxy may be starting."""
    answer = await Router(host).ask(URL)
    assert (answer.status, answer.release) == (0, "")
    assert answer.error
    assert str(answer) == answer.error


async def test_what_was_waited_for_in_vain_is_told_with_the_last_answer() -> None:
    """The address, the release, and how long."""
    with pytest.raises(ServerError) as caught:
        await Router("::1").wait(URL, "shop--prod--api--7", 0)
    said = f"{URL} is not answered by shop--prod--api--7 after 0 s; the last answer: "
    assert str(caught.value).startswith(said)


def test_an_answer_says_for_messages_who_gave_it() -> None:
    """The release, or that none did: such as the proxy's own 404."""
    assert str(Answer(200, "shop--prod--api--7")) == "status 200, answered by shop--prod--api--7"
    assert str(Answer(404)) == "status 404, answered by no release"
