"""What a function prints while it works, as a terminal and a GitLab job's log have it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from slipway.progress import progress

JOB = "https://gitlab.example/team/app/-/jobs/7"
LINES = ("files", "  write api.env  0.1 s", "start api", "  healthy  2.0 s", "", "  routed  0.2 s")
# GitLab's lib/gitlab/regex.rb, build_trace_section_regex.
SECTION = re.compile(
    r"section_(start|end):(\d+):([a-zA-Z0-9_.-]+)(\[(?:\w+=\w+)(?:, ?(?:\w+=\w+))*\])?\r\x1b\[0K"
)
SEQUENCE = re.compile(r"\x1b[@-_].*?[@-~]")
TEXT = re.compile(r".[^\x1b\r\ns]*", re.DOTALL)


@dataclass
class Shown:
    """A job's log as GitLab shows it: each line with the section that it is in."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def read(self, log: str) -> Shown:
        """Take a log apart by the rules of GitLab's converter."""
        position, line, section = 0, "", ""
        while position < len(log):
            if found := SECTION.match(log, position):
                line = self._flushed(section, line)
                if found[1] == "start":
                    section = found[3]
                    self.folded += [section] if found[4] == "[collapsed=true]" else []
                else:
                    self.ended.append(found[3])
                    section = ""
            elif found := SEQUENCE.match(log, position):
                pass
            elif found := re.compile(r"\r?\n").match(log, position):
                line = self._flushed(section, line)
            elif found := re.compile("\r").match(log, position):
                line = ""
            else:
                found = TEXT.match(log, position)
                assert found
                line += found[0]
            position = found.end()
        return self

    def _flushed(self, section: str, line: str) -> str:
        if line:
            self.lines.append((section, line))
        return ""


def printed(job: str | None) -> list[str]:
    """The lines that are printed for the same work."""
    lines: list[str] = []
    with progress(lines.append, job) as say:
        for line in LINES:
            say(line)
    return lines


@pytest.mark.parametrize("job", [None, "", "https://jenkins.example/job/7"])
def test_elsewhere_lines_are_printed_as_they_are(job: str | None) -> None:
    """No marker reaches a terminal or another server's log."""
    assert printed(job) == list(LINES)


@pytest.mark.parametrize(
    "prefixed",
    [
        pytest.param(lambda line: line, id="drydock"),
        pytest.param(lambda line: f"12  : [1.2s] | {line}", id="dagger"),
        pytest.param(lambda line: f"\x1b[95m12  : \x1b[0m[1.2s] | {line}", id="dagger in colours"),
    ],
)
def test_in_a_gitlab_job_each_stage_is_a_folded_section(prefixed: Callable[[str], str]) -> None:
    """Whatever the engine puts before a line, the heading is the title and nothing else."""
    log = "".join(f"{prefixed(line)}\n" for line in printed(JOB))
    shown = Shown().read(log + "the report\n")
    first, second = shown.folded
    assert (first, second) == ("slipway_1_files", "slipway_2_start_api")
    titles = [line for section, line in shown.lines if line in LINES and section]
    assert titles[:1] + [t for t in titles if t == "start api"] == ["files", "start api"]
    assert shown.ended == [first, second]
    steps = {line.partition("| ")[2] or line: section for section, line in shown.lines}
    assert steps["  write api.env  0.1 s"] == first
    assert steps["  routed  0.2 s"] == second
    assert shown.lines[-1] == ("", "the report")


def test_a_section_ends_with_the_failure_in_it() -> None:
    """So that the message below it is not folded away."""
    lines: list[str] = []

    def fails() -> None:
        with progress(lines.append, JOB) as say:
            say("files")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - its own, without a message
        fails()
    assert Shown().read("\n".join(lines)).ended == ["slipway_1_files"]


def test_no_section_comes_twice() -> None:
    """GitLab folds by name."""
    lines: list[str] = []
    with progress(lines.append, JOB) as say:
        say("files")
        say("files")
    assert len(set(Shown().read("\n".join(lines)).folded)) == 2
