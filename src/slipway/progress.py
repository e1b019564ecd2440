"""What a function prints while it works: headings, and indented lines below them.

In a GitLab job each heading opens a section of the log, folded and with its seconds beside it. GitLab's
converter (lib/gitlab/ci/ansi2json/converter.rb) finds a marker anywhere in a line, so the prefix that an engine
puts before a module's lines does no harm; the carriage return in front makes it forget that prefix.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

Say = Callable[[str], None]

# A module's output is shown as it comes.
show: Say = partial(print, flush=True)

# Every GitLab's address of a job has this, and no other server's.
_GITLAB_JOB = "/-/jobs/"
_MARKER = "\r\x1b[0Ksection_{}\r\x1b[0K{}"


@contextmanager
def progress(write: Say, job: str | None) -> Iterator[Say]:
    """What shows a line; one that is not indented is a heading for those that follow.

    Args:
        write: Prints a line.
        job: The address of the job that this runs in, if it is one.
    """
    if _GITLAB_JOB not in (job or ""):
        yield write
        return
    sections = _Sections(write)
    try:
        yield sections.say
    finally:
        sections.close()


@dataclass
class _Sections:
    """Prints the markers of GitLab's sections, one section at a time.

    Attributes:
        write: Prints a line.
        number: How many there were: a log folds by name, so none may come twice.
        name: The open one; empty where none is.
    """

    write: Say
    number: int = field(default=0)
    name: str = field(default="")

    def say(self, text: str) -> None:
        """Show a line, or open the section that it heads."""
        if text[:1].isspace() or not text:
            self.write(text)
            return
        self.close()
        self.number += 1
        self.name = re.sub(r"[^a-z0-9]+", "_", f"slipway_{self.number}_{text}".lower())
        self.write(_MARKER.format(f"start:{int(time.time())}:{self.name}[collapsed=true]", text))

    def close(self) -> None:
        """End the open section."""
        if self.name:
            self.write(_MARKER.format(f"end:{int(time.time())}:{self.name}", ""))
        self.name = ""
