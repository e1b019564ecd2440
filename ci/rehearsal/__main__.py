"""Take the example to a server of the lab and back, as its user would; run by ci/rehearse."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ci.lab import servers, settings
from ci.lab.settings import LabError
from slipway.server.names import WEB

from .clone import FIRST, PAGE, SECOND, SITES, Clone
from .comparison import Reading, Row, complaints, table, tagline
from .reading import Reader, Visitor, databases_on

if TYPE_CHECKING:
    from ci.lab.server import Server

ROOT = Path(__file__).parent.parent.parent
NAME = "rehearsal"
REACH = """\
Server and repository stay. Ask the site from this machine, and see what slipway left on the server:
  curl --resolve {web}:443:{address} --cacert {ca} https://{web}
  ssh -F {ssh} {name}
The repository is {clone}. When you have seen enough:
  ci/lab/server down {name}"""


@dataclass
class Rehearsal:
    """One run of the chain.

    Attributes:
        clone: The user's repository.
        seconds: Step → how long it took.
        written: Environment → the rows that were written to it.
    """

    clone: Clone
    seconds: dict[str, float] = field(default_factory=dict)
    written: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in SITES})

    def chain(self) -> None:
        """Every step; staging ends with the first version, production with the second."""
        self.call("verify", "verify")
        self.call("build", "build")
        self.call("publish", "publish", "--env", "staging")
        self.call("deploy to staging", "deploy", "--env", "staging")
        self.expect("staging", FIRST)
        # Has to be there at the end, whatever is deployed in between.
        self.write("staging")
        self.clone.edit()
        print(f"\n{PAGE} now says: {SECOND}")
        self.call("deploy the edit", "deploy", "--env", "staging")
        self.expect("staging", SECOND)
        self.call("roll back", "rollback", "--env", "staging")
        self.clone.tag("v1.0.0")
        self.call("deploy to prod", "deploy", "--env", "prod")

    def call(self, step: str, *arguments: str) -> None:
        """A function of slipway, where the public names lead to the server, as DNS would.

        Args:
            step: Its name in the table.
            arguments: The function, and its flags.

        Raises:
            LabError: It failed.
        """
        typed = ["drydock", "-m", str(ROOT), "call", *arguments]
        print(f"\n$ {' '.join(typed)}", flush=True)
        bound = 'mount --bind "$0" /etc/hosts && exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", bound, str(self.clone.hosts), *typed]
        began = time.monotonic()
        if code := finished(command, self.clone.path):
            raise LabError(f"{step} ended with exit code {code}; what it said is above")
        self.seconds[step] = time.monotonic() - began

    def expect(self, environment: str, words: str) -> None:
        """Ask an environment's front page, and that its API answers.

        Raises:
            LabError: One does not answer, or the front page says something else.
        """
        web, api = self.addresses(environment)
        visitor = Visitor(self.clone.server)
        said = tagline(visitor.get(f"{web}/").text)
        if said != words:
            raise LabError(f"{web}/ says '{said}'; expected '{words}'")
        visitor.get(f"{api}/sessions")

    def write(self, environment: str) -> None:
        """Write a session that names its environment, by the environment's public API."""
        _, api = self.addresses(environment)
        title = f"written in {environment}"
        print(f"\n{api}/sessions gets '{title}'", flush=True)
        self.written[environment].append(Visitor(self.clone.server).write(api, title))

    def read(self) -> list[Reading]:
        """What each site says and holds, when all of them have been written to."""
        for environment in SITES:
            self.write(environment)
        readings = []
        for environment, words in (("staging", FIRST), ("prod", SECOND)):
            print(f"reading the pages and the database of {environment}", flush=True)
            reader = Reader(self.clone.server, environment, *self.addresses(environment))
            readings.append(reader.read(words, self.written[environment]))
        return readings

    def addresses(self, environment: str) -> tuple[str, str]:
        """The addresses of front end and API."""
        web, api = SITES[environment]
        return f"https://{web}", f"https://{api}"

    def report(self, readings: list[Reading]) -> str:
        """Steps and seconds, addresses and answers, and how to reach them."""
        steps = [f"  {step:20} {took:7.1f}" for step, took in self.seconds.items()]
        steps.append(f"  {'together':20} {sum(self.seconds.values()):7.1f}")
        server = self.clone.server
        reach = REACH.format(
            clone=self.clone.path,
            web=SITES["prod"][0],
            address=server.address,
            ca=server.ca,
            ssh=server.ssh_config,
            name=server.name,
        )
        head = f"  {'STEP':20} SECONDS"
        return "\n".join(["\n", head, *steps, "", table(readings), "", reach])


def finished(command: list[str], folder: Path) -> int:
    """Run a command to its end, also where this program is stopped: it clears up by itself."""
    process = subprocess.Popen(command, cwd=folder)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise


def fresh_server() -> Server:
    """The rehearsal's server, with an empty disk.

    Raises:
        LabError: it does not start.
    """
    config = settings.load()
    known = NAME in {server.name for server in servers.all_of(config)}
    (servers.reset if known else servers.up)([NAME], config)
    return servers.find(NAME, config)


def rehearse(folder: Path) -> int:
    """The whole chain, the report, and what is wrong.

    Args:
        folder: Where the repository is made; what is there is removed.

    Returns:
        The exit code.

    Raises:
        LabError: A step failed.
    """
    began = time.monotonic()
    clone = Clone(folder, fresh_server())
    clone.make()
    rehearsal = Rehearsal(clone, {"empty server": time.monotonic() - began})
    rehearsal.chain()
    readings = rehearsal.read()
    wrong = complaints(readings, databases_on(clone.server, WEB))
    print(rehearsal.report(readings))
    for line in wrong:
        print(f"rehearse: {line}", file=sys.stderr)
    return 1 if wrong else 0


def main(folder: Path) -> int:
    """Rehearse, and tell why it ended early where it did.

    Args:
        folder: Where the repository is made.

    Returns:
        The exit code.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return rehearse(folder)
    except LabError as error:
        print(f"rehearse: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nrehearse: stopped; run it again to begin anew", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
