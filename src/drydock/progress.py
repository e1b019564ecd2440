"""Progress of a session: the functions called and, below each, what BuildKit does for it.

`Progress` keeps the state and tells a view what changes. Views: plain lines (`progress_plain`), a live
tree on a terminal (`progress_live`), nothing at all (`View`).
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from typing import TYPE_CHECKING, Any

from drydock.calls import calling
from drydock.naming import kebab
from drydock.progress_state import Branch, Step, Work
from drydock.progress_text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drydock.calls import Call

_DIGEST = re.compile(r"@?sha256:[0-9a-f]{64}")
LOG_LINES = 400
"""Lines of each operation that a view can still ask for."""


class View:
    """Shows nothing: the view for who wants errors and the result only."""

    shows_output = False
    """Whether what a command prints has been seen when it fails."""

    def call_ended(self, branch: Branch) -> None:
        """A function call has ended."""

    def started(self, work: Work) -> None:
        """A step has begun."""

    def printed(self, work: Work, lines: list[str]) -> None:
        """A step has printed whole lines."""

    def ended(self, work: Work) -> None:
        """A step has ended."""

    def line(self, text: str) -> None:
        """Something to be said beside the steps: a module's own print, a default of the user."""

    def close(self) -> None:
        """No more progress comes."""


class After(View):
    """A view that was closed."""

    def __init__(self, view: View) -> None:
        self._view = view

    def line(self, text: str) -> None:
        """The last of what a module printed comes after its result."""
        self._view.line(text)


class Progress:
    """What goes on in a session. Every method may be called from any thread."""

    def __init__(
        self, view: View | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if view is None:
            from drydock.progress_plain import Plain  # noqa: PLC0415  # it needs this module

            view = Plain()
        self.lock = threading.RLock()
        self._clock, self._zero = clock, clock()
        self.root = Branch("", 0.0)
        self._works: dict[str, Work] = {}
        self._tellers: dict[str, object] = {}
        self._branches: dict[str, Branch] = {}
        self.show(view)

    def show(self, view: View) -> None:
        """Tell this view from now on."""
        self.view = view
        if watch := getattr(view, "watch", None):
            watch(self)

    def now(self) -> float:
        """Seconds since the session began."""
        return self._clock() - self._zero

    def line(self, text: str) -> None:
        """Say something beside the steps."""
        with self.lock:
            self.view.line(text)

    def close(self) -> None:
        """Show what is to stay, and after it nothing but what a module still prints."""
        self.view.close()
        self.view = After(self.view)

    # -- functions ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def call(self, call: Call) -> Iterator[None]:
        """Show a function call while the context lasts."""
        with self.lock:
            branch = Branch(title(call), self.now())
            self._branch().branches.append(branch)
            self._branches[call.key] = branch
        try:
            yield
        except BaseException:
            branch.failed = True
            raise
        finally:
            with self.lock:
                branch.ended = self.now()
                branch.failed = branch.failed or call.error is not None
                self.view.call_ended(branch)

    def _branch(self) -> Branch:
        """What the current request belongs to."""
        call = calling()
        return self._branches.get(call.key, self.root) if call else self.root

    # -- steps -------------------------------------------------------------------------------------

    def started(self, step: Step) -> None:
        """A step runs; one that was only looked up before begins again."""
        with self.lock:
            work = self._works.get(step.digest)
            if work and (work.ended is None or work.step is not step):
                return
            if work:
                work.ended = None
            else:
                work = self._add(step)
            self.view.started(work)

    def ended(self, step: Step) -> None:
        """A step is done."""
        with self.lock:
            work = self._works.get(step.digest) or self._add(step)
            if work.ended is not None:
                return
            work.step, work.ended = step, self.now()
            self._say(work, [self._text(data) for data in work.partial.values() if data])
            work.partial.clear()
            self.view.ended(work)

    def printed(self, step: Step, stream: int, data: bytes, teller: object) -> None:
        """A step printed something; `teller` is the build that reports it, the first one counts."""
        with self.lock:
            if self._tellers.setdefault(step.digest, teller) is not teller:
                return
            work = self._works.get(step.digest) or self._add(step)
            *whole, rest = (work.partial.get(stream, b"") + data).split(b"\n")
            work.partial[stream] = rest
            self._say(work, [self._text(line) for line in whole])

    def transferred(self, status: dict[str, Any]) -> None:
        """A step fetches or sends; `status` is BuildKit's."""
        with self.lock:
            work = self._works.get(status["vertex"])
            if work is None:
                return
            sizes = status.get("current") or 0, status.get("total") or 0
            work.transfers[status["id"]] = sizes
            if not any(sizes) and not status["id"].startswith("transferring"):
                done = bool(status.get("completed"))
                work.activity = "" if done else _DIGEST.sub("", status["id"]).strip()

    def left(self, steps: dict[str, Step]) -> None:
        """A build is over: what it had not finished, it never will."""
        with self.lock:
            for step in steps.values():
                work = self._works.get(step.digest)
                if work and work.step is step and work.ended is None:
                    work.ended = self.now()

    def _add(self, step: Step) -> Work:
        work = Work(step, len(self._works) + 1, self.now())
        self._works[step.digest] = work
        self._branch().works[step.digest] = work
        return work

    def _say(self, work: Work, lines: list[str]) -> None:
        shown = [line for line in lines if line]
        if shown:
            work.lines = [*work.lines, *shown][-LOG_LINES:]
            self.view.printed(work, shown)

    def _text(self, line: bytes) -> str:
        return clean(line.decode(errors="replace"))


def title(call: Call) -> str:
    """A function as it is typed: its object and its name."""
    if not call.parent_name:
        return f"{call.module}: types"
    return " ".join(filter(None, [kebab(call.parent_name), kebab(call.name)]))
