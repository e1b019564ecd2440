"""Thousands of values through env files, real Compose and a container's environment, and back."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable, Iterator

import pytest

from ci.lab.server import Server
from ci.lab.servers import fresh_servers
from slipway.server import compose, envfile, files, names, writing
from slipway.server.ssh import Address, connect
from slipway.server.target import Migration

pytestmark = pytest.mark.engine

SITE = names.Site("values", "staging")
# The lab has it, it has `cat`, and its own environment has no name of ours.
IMAGE = "postgres:17"
FILES, IN_FILE = 4, 800
# Below what Linux takes as one variable, 128 KiB with its name.
LONG = 100_000
# What env files, shells, templates and YAML give a meaning to.
PIECES = (
    *"'\"\\$#=`{}()[]<>&|;:*!%?,-~^@ \t\n\r",
    *("$$", "$0", "$PATH", "${PATH}", "${PATH:-x}", "${UNSET?no}", "$VALUE_0001", "$(date)"),
    *("\\n", "\\$", "\\\\", '\\"', "\\'", "\\x41", "\\u0041", "\\0", "\\101", "$\\", "\\${PATH}"),
    *(" #", "\n#", "\r\n", "\n\n", "\nexport A=b\n", "\nVALUE_0001=other\n", "'''", '"""', "---"),
    *("ü", "é", "€", "𝄞", "👩‍👩‍👧", "\ufeff", "\x85", "\u2028", "\xa0", "null", "true", "0"),
)
CONTROLS = "".join(map(chr, (*range(1, 32), 127)))


def of(alphabet: str, most: int = 60) -> Callable[[random.Random], str]:
    """Makes texts of some characters."""
    return lambda chance: "".join(chance.choices(alphabet, k=chance.randint(0, most)))


def pieces(chance: random.Random) -> str:
    """Whatever has a meaning somewhere, one beside the other."""
    return "".join(chance.choices(PIECES, k=chance.randint(1, 12)))


def padded(chance: random.Random) -> str:
    """White space at both ends."""
    before, after = (of(" \t\n\r", 4)(chance) for _ in range(2))
    return before + pieces(chance) + after


def unicode(chance: random.Random) -> str:
    """Any characters, all planes, also those that combine."""
    marks = [chr(chance.randint(0x300, 0x36F)) for _ in range(3)]
    points = (chance.choice((chance.randint(1, 0x10FFFF), 0x1F600)) for _ in range(20))
    # Half of a pair is no character.
    made = [chr(point) for point in points if not 0xD800 <= point <= 0xDFFF]
    return "".join(chance.sample(made + marks, len(made + marks)))


def document(chance: random.Random) -> str:
    """JSON, such as a service account's key."""
    indent = chance.choice((None, 2))
    made = {pieces(chance): pieces(chance), "list": [chance.random(), None, {"a": padded(chance)}]}
    return json.dumps(made, indent=indent, ensure_ascii=chance.random() < 0.5)


def pem(chance: random.Random) -> str:
    """A key, its lines ended in one of three ways."""
    base64 = string.ascii_letters + string.digits + "+/"
    lines = ("".join(chance.choices(base64, k=64)) for _ in range(5))
    end = chance.choice(("\n", "\r\n", "\\n"))
    return end.join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", ""])


KINDS = (
    *(of(string.printable), of(string.ascii_letters + string.digits), of("\\$\"'{}nr")),
    *(of(CONTROLS + "a"), pieces, padded, unicode, document, pem),
)


def generated(seed: int) -> dict[str, str]:
    """The values of one file: of each kind as many, one of them empty, one of them long."""
    chance = random.Random(seed)  # noqa: S311 - to be had again, not to be secret
    values = ["", pieces(chance) * LONG]
    values[1] = values[1].encode()[:LONG].decode(errors="ignore")
    values += [KINDS[number % len(KINDS)](chance) for number in range(IN_FILE - len(values))]
    return {f"VALUE_{number:04}": value for number, value in enumerate(values)}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that has the image."""
    with fresh_servers("values") as (one,):
        one.ssh(f"docker pull --quiet {IMAGE}")
        yield one


async def arrived(server: Server, values: dict[str, str], number: int) -> dict[str, str]:
    """What a container gets whose files are made and written as a deploy does."""
    folder = SITE.release(number, "v1")
    file = compose.render(files.migration(SITE, Migration(IMAGE, values), number, "v1", names.WEB))
    key = " ".join(server.known_hosts.read_text().split()[1:3])
    address = Address(server.address, server.port, server.user, (f"{server.address} {key}",))
    run = ("docker", "compose", "--file", f"{folder}/migrator.yaml", "run", "--rm", "--no-TTY")
    async with connect(address, server.key.read_text()) as to:
        for name, text in (("migrator.env", envfile.render(values)), ("migrator.yaml", file)):
            await writing.write(to, f"{folder}/{name}", text, 0o600)
        done = await to.run(*run, "--entrypoint", "cat", "migrator", "/proc/self/environ")
    lines = done.checked().removesuffix("\0").split("\0")
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize("seed", range(FILES))
async def test_every_value_arrives_as_it_is(server: Server, seed: int) -> None:
    """Byte for byte, whatever dotenv files, templates, shells and YAML make of it elsewhere."""
    values = generated(seed)
    got = await arrived(server, values, seed + 1)
    wrong = [name for name, value in values.items() if got.get(name) != value]
    first = wrong[0] if wrong else ""
    assert not wrong, (
        f"{len(wrong)} of {len(values)} values of seed {seed} are changed, first {first}:\n"
        f"  sent {values[first][:500]!r}\n  got  {got.get(first, '(nothing)')[:500]!r}"
    )
