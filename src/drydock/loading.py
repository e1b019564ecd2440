"""A module on its way into a session: found, its process under way, its types if they are known."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING

from drydock import bindings, environment, module, paths, source
from drydock.process import ModuleProcess, to_stderr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from drydock.source import ModuleSource
    from drydock.typedefs import Module


class Loading:
    """A module and those it needs; their processes start when needed, and end with the context."""

    def __init__(self, reference: str, cwd: Path, *, verbose: bool = False) -> None:
        """Find the module that `reference` names for a caller in `cwd`."""
        self.source = source.find(reference or None, cwd)
        self._verbose = verbose
        self._processes: dict[str, ModuleProcess] = {}
        self._guess: Guess | None = None
        self.needed = False
        """Whether the module's process was asked for."""
        self.show: Callable[[str], None] = to_stderr
        """Where a line that the module prints goes; may be changed while it runs."""

    def __enter__(self) -> Self:
        """Nothing is started yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the processes."""
        if self._guess and kind is None:
            self._guess.learn(needed=self.needed)
        for process in self._processes.values():
            process.stop()

    @cached_property
    def types(self) -> Module | None:
        """What this source registered before; None when it has not."""
        return module.known_types(self.source)

    def start_early(self, arguments: Sequence[str], cwd: Path) -> None:
        """Start the process while there is other work, unless this very call did without it before."""
        self._guess = Guess(self.source.digest, str(cwd), *arguments)
        if self._guess.needed:
            self.start()

    def start(self) -> None:
        """Start the module's process while there is other work, where all that it imports is there."""
        if bindings.are_there(self.source):
            self._started(self.source)

    def _printed(self, line: str) -> None:
        self.show(line)

    def process(self, needed: ModuleSource) -> ModuleProcess:
        """The process that runs the functions of a module, started if need be.

        Raises:
            DrydockError: If the module's Python environment cannot be made.
        """
        self.needed = self.needed or needed is self.source
        return self._started(needed)

    def _started(self, wanted: ModuleSource) -> ModuleProcess:
        if wanted.name not in self._processes:
            python = environment.python_of(wanted)
            self._processes[wanted.name] = ModuleProcess(
                wanted, python, verbose=self._verbose, show=self._printed
            )
        return self._processes[wanted.name]


class Guess:
    """Whether a command will need its module's process, by what it needed last time."""

    def __init__(self, *facts: str) -> None:
        """Guess for a command that these facts tell from others."""
        name = hashlib.sha256("\0".join(facts).encode(errors="surrogateescape")).hexdigest()
        self._file = paths.cache() / "unneeded" / name

    @property
    def needed(self) -> bool:
        """The guess."""
        return not self._file.exists()

    def learn(self, *, needed: bool) -> None:
        """Remember for the next time."""
        if needed:
            self._file.unlink(missing_ok=True)
        else:
            paths.private(self._file.parent)
            self._file.touch()
