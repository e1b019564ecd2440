"""daemon.json: the administrator's settings stay, ours are added."""

import json

import pytest

from slipway.errors import ConfigError
from slipway.setup.daemon import merged

OURS = {"live-restore": True, "log-driver": "local"}


def test_without_a_file_it_holds_our_settings() -> None:
    """Containers outlive the daemon's restart, and logs do not fill the disk."""
    assert json.loads(merged("")) == OURS


def test_what_the_administrator_set_stays() -> None:
    """A mirror is no business of ours; neither is a choice that differs from ours."""
    before = {"registry-mirrors": ["http://mirror.example"], "live-restore": False}
    assert json.loads(merged(json.dumps(before))) == {**before, "log-driver": "local"}


def test_options_of_another_log_driver_keep_that_driver() -> None:
    """`local` refuses options of json-file, and the daemon would not start."""
    before = {"log-opts": {"labels": "app"}}
    assert "log-driver" not in json.loads(merged(json.dumps(before)))


def test_a_second_time_changes_no_byte() -> None:
    """Also where someone wrote it in another style."""
    spelled = '{"log-driver":"journald",\n\n "live-restore":true}'
    assert merged(spelled) == spelled
    assert merged(merged("")) == merged("")


@pytest.mark.parametrize("text", ['{"a": }', "[]"])
def test_a_file_that_docker_could_not_read_is_refused(text: str) -> None:
    """It is not replaced: somebody meant something by it."""
    with pytest.raises(ConfigError, match=r"daemon\.json"):
        merged(text)
