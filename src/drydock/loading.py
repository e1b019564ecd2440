"""A module on its way into a session: found, its process under way, its types if they are known."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from drydock import environment, module, source
from drydock.process import ModuleProcess

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from drydock.typedefs import Module


class Loading:
    """A module; its process starts when it is first needed, and ends with the context."""

    def __init__(self, reference: str, cwd: Path, *, verbose: bool = False) -> None:
        """Find the module that `reference` names for a caller in `cwd`."""
        self.source = source.find(reference or None, cwd)
        self._verbose = verbose
        self._process: ModuleProcess | None = None

    def __enter__(self) -> Self:
        """Nothing is started yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the process."""
        if self._process:
            self._process.stop()

    @cached_property
    def types(self) -> Module | None:
        """What this source registered before; None when it has not."""
        return module.known_types(self.source)

    def process(self) -> ModuleProcess:
        """The process that runs the module's functions, started if need be.

        Raises:
            DrydockError: If the module's Python environment cannot be made.
        """
        if self._process is None:
            python = environment.python_of(self.source)
            self._process = ModuleProcess(self.source, python, verbose=self._verbose)
        return self._process
