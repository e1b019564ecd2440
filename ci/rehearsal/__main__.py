"""Take the example to a server of the lab and back, as its user would; run by ci/rehearse."""

from __future__ import annotations

import signal
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from ci.lab import servers, settings

from .clone import FIRST, PAGE, SECOND, SITES, Clone

if TYPE_CHECKING:
    from ci.lab.server import Server

ROOT = Path(__file__).parent.parent.parent
NAME = "rehearsal"
# Of every answer that Traefik passes on.
HEADER = "X-Slipway-Release"
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
        answers: Address → what it answered last.
    """

    clone: Clone
    seconds: dict[str, float] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)

    def chain(self) -> None:
        """Every step; staging ends with the first version, production with the second."""
        self.call("verify", "verify")
        self.call("build", "build")
        self.call("publish", "publish", "--env", "staging")
        self.call("deploy to staging", "deploy", "--env", "staging")
        self.expect("staging", FIRST)
        self.clone.edit()
        print(f"\n{PAGE} now says: {SECOND}")
        self.call("deploy the edit", "deploy", "--env", "staging")
        self.expect("staging", SECOND)
        self.call("roll back", "rollback", "--env", "staging")
        self.clone.tag("v1.0.0")
        self.call("deploy to prod", "deploy", "--env", "prod")
        self.expect("staging", FIRST)
        self.expect("prod", SECOND)

    def call(self, step: str, *arguments: str) -> None:
        """A function of slipway, where the public names lead to the server, as DNS would.

        Args:
            step: Its name in the table.
            arguments: The function, and its flags.

        Raises:
            SystemExit: It failed.
        """
        typed = ["drydock", "-m", str(ROOT), "call", *arguments]
        print(f"\n$ {' '.join(typed)}", flush=True)
        bound = 'mount --bind "$0" /etc/hosts && exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", bound, str(self.clone.hosts), *typed]
        began = time.monotonic()
        if code := finished(command, self.clone.path):
            sys.exit(f"rehearse: {step} ended with exit code {code}; what it said is above")
        self.seconds[step] = time.monotonic() - began

    def expect(self, environment: str, words: str) -> None:
        """Ask an environment's front end and API over TLS.

        Raises:
            SystemExit: One does not answer, or the front page says something else.
        """
        web, api = SITES[environment]
        if words not in self.ask(f"https://{web}/", words):
            sys.exit(f"rehearse: https://{web}/ does not say: {words}")
        self.ask(f"https://{api}/sessions", "the sessions in the database")

    def ask(self, url: str, what: str) -> str:
        """The body of an answer; it is noted for the report.

        Raises:
            SystemExit: There is none, or it tells of an error.
        """
        address, server = httpx.URL(url), self.clone.server
        trusted = ssl.create_default_context(cafile=str(server.ca))
        with httpx.Client(verify=trusted, timeout=20, trust_env=False) as client:
            try:
                answer = client.get(
                    address.copy_with(host=server.address),
                    headers={"Host": address.host},
                    extensions={"sni_hostname": address.host},
                ).raise_for_status()
            except httpx.HTTPError as error:
                sys.exit(f"rehearse: {url} does not answer: {error!r}")
        release = answer.headers.get(HEADER, "no release")
        self.answers[url] = f"{answer.status_code}  {release:33}  {what}"
        return answer.text

    def report(self) -> str:
        """Steps and seconds, addresses and answers, and how to reach them."""
        steps = [f"  {step:20} {took:7.1f}" for step, took in self.seconds.items()]
        steps.append(f"  {'together':20} {sum(self.seconds.values()):7.1f}")
        answers = [f"  {url:50}  {answer}" for url, answer in self.answers.items()]
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
        asked = f"  {'ADDRESS':50}  ANSWER, RELEASE, CONTENT"
        return "\n".join(["\n", head, *steps, "", asked, *answers, "", reach])


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


def main(folder: Path) -> int:
    """Rehearse, and report.

    Args:
        folder: Where the repository is made; what is there is removed.

    Returns:
        The exit code.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    try:
        clone = Clone(folder, fresh_server())
        clone.make()
        rehearsal = Rehearsal(clone, {"empty server": time.monotonic() - began})
        rehearsal.chain()
    except settings.LabError as error:
        print(f"rehearse: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nrehearse: stopped; run it again to begin anew", file=sys.stderr)
        return 130
    print(rehearsal.report())
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
