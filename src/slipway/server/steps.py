"""The steps of a plan: values that say what happens on the server, and one line for the reader each."""

import shlex
from dataclasses import dataclass, field

from .ssh import Address

PRIVATE = 0o600


@dataclass(frozen=True)
class Run:
    """One command on the server.

    Attributes:
        title: What it does, for the log.
        command: The program and its arguments, nothing quoted.
        seconds: How long it may take.
        stdin: What it reads; never shown.
        reported: Whether what it prints belongs in the report.
    """

    title: str
    command: tuple[str, ...]
    seconds: float = 60.0
    stdin: str | None = None
    reported: bool = False

    def __str__(self) -> str:
        """The command as it could be typed; a script by its title and arguments."""
        if self.command[:2] == ("sh", "-c"):
            arguments = shlex.join(self.command[4:])
            return f"{self.title} ({arguments})" if arguments else self.title
        return shlex.join(self.command) + (" < (secret)" if self.stdin is not None else "")


@dataclass(frozen=True)
class Write:
    """One file on the server, whole or not at all.

    Attributes:
        title: What it is, for the log.
        path: Relative to the deploying user's home.
        text: What it holds; never shown.
        mode: Its permissions from the first byte.
        owner: `user:group`, where another than the one who writes.
    """

    title: str
    path: str
    text: str
    mode: int = PRIVATE
    owner: str = ""

    def __str__(self) -> str:
        """Path and permissions."""
        return f"write {self.path} ({self.mode:04o}, {len(self.text.encode())} bytes)"


@dataclass(frozen=True)
class Routed:
    """Wait until the proxy sends an address to one release.

    Attributes:
        title: For the log.
        url: The address.
        release: What the release's header has to say.
        public: Go where the name resolves to, as users do; else to the server itself.
        seconds: How long to wait.
    """

    title: str
    url: str
    release: str
    public: bool = False
    seconds: float = 60.0

    def __str__(self) -> str:
        """Address and header."""
        way = "as users reach it" if self.public else "at the server"
        return f"wait until {self.release} answers {self.url} {way} (at most {self.seconds:g} s)"


@dataclass(frozen=True)
class Login:
    """Log in anew, by a connection of its own, and run one command.

    Attributes:
        title: For the log.
        address: Who logs in, and where.
        key: The private key; never shown.
        command: The program and its arguments.
    """

    title: str
    address: Address
    key: str = field(repr=False)
    command: tuple[str, ...] = ("true",)

    def __str__(self) -> str:
        """Who, and the command."""
        return f"log in anew as {self.address.shown}: {shlex.join(self.command)}"


@dataclass(frozen=True)
class Drain:
    """Let the requests end that the old release still answers.

    Attributes:
        title: For the log.
        seconds: Longer than the slowest request.
    """

    title: str
    seconds: float

    def __str__(self) -> str:
        """How long."""
        return f"wait {self.seconds:g} s for requests in flight"


Step = Run | Write | Routed | Login | Drain


@dataclass(frozen=True)
class Stage:
    """Steps that belong together.

    Attributes:
        title: Such as `cut over api`.
        steps: In their order.
        undo: What to do when one of them fails, all of it, whatever fails among them.
    """

    title: str
    steps: tuple[Step, ...]
    undo: tuple[Step, ...] = ()


def written(stages: tuple[Stage, ...]) -> str:
    """A plan as text: a line for each stage, its steps below it."""
    lines: list[str] = []
    for stage in stages:
        lines.append(stage.title)
        lines += [f"  {step}" for step in stage.steps]
        lines += [f"  if that fails: {step}" for step in stage.undo]
    return "\n".join(lines)
