"""Progress as people see it, from a build that BuildKit really reported (`progress_events.jsonl`)."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drydock.buildkit import BuildKit, Solved
from drydock.calls import Call, CallError, Calls
from drydock.progress import LOG_LINES, Progress, View
from drydock.progress_live import Live
from drydock.progress_plain import Plain
from drydock.progress_state import Step
from drydock.progress_text import brief, clean, duration
from drydock.progress_tree import frame, summary
from drydock.silence import Watch

EVENTS = Path(__file__).with_name("progress_events.jsonl").read_bytes().splitlines(keepends=True)
COMMAND = "[3/3] RUN echo one; printf 'tw'; sleep 0.3; echo o; echo oops >&2; exit 3"


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        """The seconds that it shows."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(clock: Clock) -> Progress:
    """Of a session that nobody watches."""
    return Progress(View(), clock)


async def replay(progress: Progress, events: list[bytes]) -> Solved:
    """Report what BuildKit reported then."""
    reader, solved = asyncio.StreamReader(limit=1 << 20), Solved()
    reader.feed_data(b"".join(events))
    reader.feed_eof()
    process: Any = SimpleNamespace(stderr=reader)
    await BuildKit(progress)._follow(process, solved, (), Watch())
    return solved


def until(text: str) -> list[bytes]:
    """The events before the last one that has a text in it."""
    last = max(number for number, line in enumerate(EVENTS) if text.encode() in line)
    return EVENTS[:last]


def shown(progress: Progress, width: int = 80, height: int = 20) -> list[str]:
    """The tree's rows."""
    return [row.plain for row in frame(progress.root, progress.now(), width, height)]


# -- plain lines -----------------------------------------------------------------------------------


async def test_plain_lines_tell_what_runs_what_it_prints_and_how_long_it_took(clock: Clock) -> None:
    """A command's start, lines and end; other steps once they took a while; whole lines only."""
    out = io.StringIO()
    progress = Progress(Plain(out), clock)
    clock.seconds += 2.25
    await replay(progress, EVENTS)
    lines = out.getvalue().splitlines()
    assert {line[:8] for line in lines} == {"   2.2s "}
    pulled = [line for line in lines if "FROM docker.io/library/node:22" in line]
    assert pulled
    assert all(" ✔ [1/3] FROM" in line for line in pulled)
    assert [line[8:] for line in lines if line not in pulled] == [
        f"#7 ▶ {COMMAND}",
        "#7 │ one",
        "#7 │ two",
        "#7 │ oops",
        f"#7 ✘ {COMMAND} [0.4s]",
    ]


def test_a_step_that_builds_share_is_told_once(clock: Clock) -> None:
    """Each of them reports it; what it printed is not doubled either."""
    out = io.StringIO()
    progress = Progress(Plain(out), clock)
    for build in (object(), object()):
        step = Step("sha256:1", "exec make", seconds=1.0)
        progress.started(step)
        progress.printed(step, 1, b"made\n", build)
        progress.ended(step)
    assert [line[8:] for line in out.getvalue().splitlines()] == [
        "#1 ▶ make",
        "#1 │ made",
        "#1 ✔ make [1.0s]",
    ]


def test_a_command_from_the_cache_is_one_line(clock: Clock) -> None:
    """Other cached steps are none."""
    out = io.StringIO()
    progress = Progress(Plain(out), clock)
    progress.ended(Step("sha256:1", "exec make", cached=True))
    progress.ended(Step("sha256:2", "copy / to /src", cached=True))
    assert out.getvalue() == "   0.0s #1 ● make [cached]\n"


def test_a_line_without_an_end_is_told_when_its_step_ends(clock: Clock) -> None:
    """It is not lost."""
    out = io.StringIO()
    progress = Progress(Plain(out), clock)
    step = Step("sha256:1", "exec ask", seconds=0.1)
    progress.printed(step, 2, b"Sure? ", "build")
    progress.ended(step)
    told = [line[8:] for line in out.getvalue().splitlines()]
    assert told == ["#1 │ Sure?", "#1 ✔ ask [0.1s]"]


def test_who_reads_progress_may_go_away() -> None:
    """The work goes on."""
    out = io.StringIO()
    out.close()
    Plain(out).line("nobody hears it")


@pytest.mark.parametrize(
    ("printed", "line"),
    [
        ("\x1b[31mred\x1b[0m alert", "red alert"),
        ("10%\r50%\r100%\r", "100%"),
        ("a\tb", "a       b"),
        ("bell\a and \x1b]0;title\x07null\0", "bell and null"),
        ("plain ü 漢 ", "plain ü 漢"),
    ],
)
def test_a_container_cannot_write_codes_to_the_terminal(printed: str, line: str) -> None:
    """A line is what would be left to read."""
    assert clean(printed) == line


def test_names_are_one_line() -> None:
    """However long the script."""
    assert brief("exec sh -c\n  set -e\n  make   all") == "sh -c set -e make all"
    assert brief("exec " + "x" * 200, 10) == "xxxxxxxxx…"


def test_durations_are_short() -> None:
    """Tenths of seconds, then minutes."""
    shortened = [duration(s) for s in (0.04, 59.94, 59.96, 125)]
    assert shortened == ["0.0s", "59.9s", "1m00s", "2m05s"]


# -- the tree --------------------------------------------------------------------------------------


async def test_a_running_command_shows_its_last_lines(progress: Progress, clock: Clock) -> None:
    """With the time so far."""
    await replay(progress, until('"completed"'))
    clock.seconds += 3.5
    assert shown(progress) == [f"⠴ {COMMAND} 3.5s", "  │ one", "  │ two", "  │ oops"]


async def test_a_pull_shows_how_much_of_it_is_there(progress: Progress, clock: Clock) -> None:
    """Summed up over its layers, as BuildKit tells them."""
    await replay(progress, until("61743609"))
    clock.seconds += 1
    (row,) = shown(progress, 120)
    assert row.startswith("⠋ [1/3] FROM docker.io/library/node:22-bookworm-slim@sha256:")
    assert row.endswith(" 1.0s · 86.0/109.2 MB")


async def test_what_is_done_with_a_pulled_image_is_told(progress: Progress, clock: Clock) -> None:
    """Where there are no bytes to count."""
    first = next(n for n, line in enumerate(EVENTS) if b'"extracting sha256:9ae' in line)
    await replay(progress, EVENTS[: first + 1])
    clock.seconds += 1
    (row,) = shown(progress, 120)
    assert row.endswith(" 1.0s · extracting")


async def test_functions_are_a_tree_with_their_steps(progress: Progress, clock: Clock) -> None:
    """Each step below the function whose request it belongs to; quick ones are only counted."""
    calls = Calls()
    calls.watch = progress.call
    with calls.open(Call("slipway", "Slipway", "deploy")) as deploy:
        calls.admit(deploy.key)
        with calls.open(Call("slipway", "Release", "publish_all")) as publish:
            calls.admit(publish.key)
            progress.ended(Step("sha256:1", "copy", cached=True))
            progress.started(Step("sha256:2", "exec push"))
            clock.seconds += 2
            assert shown(progress) == [
                "⠋ slipway deploy 2.0s · 1 step, 1 cached",
                "  ⠋ release publish-all 2.0s · 1 step, 1 cached",
                "    ⠋ push 2.0s",
            ]
            progress.ended(Step("sha256:2", "exec push"))
        assert shown(progress) == [
            "⠋ slipway deploy 2.0s · 2 steps, 1 cached",
            "  ✔ release publish-all 2.0s · 2 steps, 1 cached",
        ]
    calls.admit("")
    rows = summary(progress.root, progress.now(), 80)
    assert [row.plain for row in rows] == ["✔ slipway deploy 2.0s · 2 steps, 1 cached"]


async def test_what_failed_stays_with_its_log(progress: Progress) -> None:
    """In the summary: the function, the step, the end of what it printed."""
    calls = Calls()
    calls.watch = progress.call
    with calls.open(Call("slipway", "Slipway", "build")) as call:
        calls.admit(call.key)
        await replay(progress, EVENTS)
        call.error = CallError("exit code: 3")
    calls.admit("")
    rows = [row.plain for row in summary(progress.root, progress.now(), 60)]
    assert rows == [
        "✘ slipway build 0.0s · 3 steps",
        f"  ✘ {COMMAND[:50]}… 0.0s",
        "    │ one",
        "    │ two",
        "    │ oops",
    ]


async def test_a_step_of_a_build_that_was_stopped_does_not_run_for_ever(
    progress: Progress, clock: Clock
) -> None:
    """BuildKit says nothing more of it."""
    solved = await replay(progress, until('"completed"'))
    progress.left(solved.steps)
    clock.seconds += 9
    assert shown(progress) == []


@pytest.mark.parametrize("width", [20, 40, 79])
async def test_no_row_is_wider_than_the_terminal(
    progress: Progress, clock: Clock, width: int
) -> None:
    """Wide characters count twice."""
    await replay(progress, until('"completed"'))
    step = Step("sha256:1", "exec 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字")
    progress.started(step)
    progress.printed(step, 1, "漢字".encode() * 60 + b"\n", "build")
    clock.seconds += 100
    rows = frame(progress.root, progress.now(), width, 20)
    assert len(rows) == 6
    assert max(row.cell_len for row in rows) <= width


def test_on_a_low_terminal_what_runs_goes_before_logs_and_what_is_done(
    progress: Progress, clock: Clock
) -> None:
    """The last lines stay longest."""
    done = Step("sha256:0", "exec first")
    progress.started(done)
    clock.seconds += 1
    progress.ended(done)
    for name in ("second", "third"):
        step = Step(name, f"exec {name}")
        progress.started(step)
        progress.printed(step, 1, b"1\n2\n3\n4\n5\n6\n", name)
    assert len(shown(progress)) == 11
    assert shown(progress, height=5) == ["⠋ second 0.0s", "  │ 6", "⠋ third 0.0s", "  │ 5", "  │ 6"]
    assert shown(progress, height=2) == ["⠋ second 0.0s", "⠋ third 0.0s"]


def test_every_step_is_there_for_who_wants_to_see_all(progress: Progress) -> None:
    """Also what came from the cache, and what took no time."""
    calls = Calls()
    calls.watch = progress.call
    with calls.open(Call("slipway", "Slipway", "build")) as call:
        calls.admit(call.key)
        progress.ended(Step("sha256:1", "copy / to /src", cached=True))
        progress.ended(Step("sha256:2", "exec make"))
    calls.admit("")
    rows = summary(progress.root, progress.now(), 80, tells_all=True)
    assert [row.plain for row in rows] == [
        "✔ slipway build 0.0s · 2 steps, 1 cached",
        "  ● copy / to /src cached",
        "  ✔ make 0.0s",
    ]


def test_a_line_is_said_above_the_tree(progress: Progress, clock: Clock) -> None:
    """The tree is drawn again below it, and is replaced by its summary in the end."""
    out = io.StringIO()
    live = Live(out)
    progress.show(live)
    step = Step("sha256:1", "exec make")
    progress.started(step)
    clock.seconds += 2
    live._draw(frame(progress.root, progress.now(), 80, 20))
    progress.line("a module says this")
    step.error = "exit code: 2"
    progress.ended(step)
    progress.close()
    progress.line("and this")
    plain = re.sub(r"\x1b\[[0-9;]*[mKJ]", "", out.getvalue())
    assert plain == (
        "\r⠋ make 2.0s\n"
        "\x1b[1A\ra module says this\n\r⠋ make 2.0s\n"
        "\x1b[1A\r✘ make 2.0s\nand this\n"
    )


def test_nothing_is_kept_of_an_endless_log(progress: Progress) -> None:
    """But its end."""
    step = Step("sha256:1", "exec yes")
    progress.started(step)
    for _ in range(100):
        progress.printed(step, 1, b"y\n" * 1000, "build")
    (work,) = progress.root.works.values()
    assert work.lines == ["y"] * LOG_LINES
