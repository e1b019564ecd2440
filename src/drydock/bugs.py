"""Bugs of drydock itself: one line for the person at the terminal, the traceback in a file."""

from __future__ import annotations

import hashlib
import traceback

from drydock import paths


def told(error: BaseException) -> str:
    """What to say of an exception that nobody foresaw; its traceback is kept.

    Returns:
        One line: what was raised, and the file with the traceback (in `$XDG_STATE_HOME/drydock/bugs`, where equal ones
        share a file).
    """
    trace = "".join(traceback.format_exception(error))
    what = " ".join(f"{type(error).__name__}: {error}".split())
    name = hashlib.sha256(trace.encode(errors="replace")).hexdigest()[:12]
    said = f"drydock failed: {what}. This is a bug of drydock, not of your module"
    try:
        file = paths.private(paths.private(paths.state()) / "bugs") / f"{name}.txt"
        file.touch(mode=0o600)
        file.write_text(trace, errors="replace")
    except OSError as problem:
        return f"{said}; its traceback cannot be kept ({problem.strerror}), see it with --verbose"
    return f"{said}; the traceback is in {file}"
