"""How progress is shown: by the options, and by what standard error is."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from drydock.errors import UsageError
from drydock.progress import View

if TYPE_CHECKING:
    from drydock.cli_options import Options


def view_of(options: Options) -> View:
    """The view that the options ask for.

    Raises:
        UsageError: If it needs a terminal, and there is none.
    """
    if options.no_progress:
        return View()
    terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    if options.progress == "tty" and not terminal:
        raise UsageError(
            "--progress tty: standard error is no terminal; leave it out, or use plain"
        )
    if terminal and options.progress != "plain":
        from drydock.progress_live import Live

        return Live(tells_all=options.tells_all)
    from drydock.progress_plain import Plain

    return Plain()
