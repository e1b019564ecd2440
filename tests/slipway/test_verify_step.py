"""check.mjs: one step of `verify`, by the script itself."""

import json
import shutil
import subprocess
import time
from pathlib import Path

import slipway
from slipway.outcomes import Record

SCRIPT = Path(slipway.__file__).parent / "check.mjs"


def ran(tmp_path: Path, line: str, *, limit: float = 20, guard: bool = False) -> Record:
    """Run a shell line as a step, in `tmp_path/package`."""
    script = shutil.copy(SCRIPT, tmp_path)
    folder = tmp_path / "package"
    folder.mkdir(exist_ok=True)
    options = {"folder": str(folder), "line": line, "limit": limit, "guard": guard}
    done = subprocess.run(
        ["node", script, "a: lint", json.dumps(options)],
        check=True,
        timeout=30,
        capture_output=True,
    )
    assert done.stdout == done.stderr == b""
    return Record.model_validate_json((tmp_path / "record.json").read_text())


def test_output_and_exit_code_are_noted(tmp_path: Path) -> None:
    """Both streams in the order they were written, without colours; nothing is printed."""
    before = time.time()
    found = ran(tmp_path, r"printf '\033[31mone\033[0m\n'; echo two >&2; echo three; exit 7")
    assert (found.output, found.exit_code) == ("one\ntwo\nthree\n", 7)
    assert before <= found.begun <= found.ended <= time.time()
    assert not found.stopped
    assert found.suites is None


def test_a_step_without_end_is_stopped(tmp_path: Path) -> None:
    """With all that it started."""
    found = ran(tmp_path, "echo watching; sleep 25 & sleep 25", limit=0.5)
    assert found.stopped
    assert found.output == "watching\n"
    assert found.ended - found.begun < 10


def test_what_a_step_leaves_running_is_ended_with_it(tmp_path: Path) -> None:
    """Such as a server that tests started."""
    ran(tmp_path, "(sleep 1; touch late) & true")
    time.sleep(1.5)
    assert not (tmp_path / "package/late").exists()


def test_changed_files_are_noted(tmp_path: Path) -> None:
    """Those that were there before: a cache that is written is no change."""
    (tmp_path / "package/node_modules").mkdir(parents=True)
    for name in ("kept.ts", "mended.ts", "removed.ts", "node_modules/a.js"):
        (tmp_path / "package" / name).write_text("old")
    line = "echo new > mended.ts; rm removed.ts; echo new > .cache; echo new > node_modules/a.js"
    assert set(ran(tmp_path, line, guard=True).changed) == {"mended.ts", "removed.ts"}


def test_long_output_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    """So that a tool in a loop fills no report."""
    found = ran(tmp_path, "echo first; head -c 900000 /dev/zero | tr '\\0' x; echo; echo last")
    assert found.output.startswith("first\n")
    assert found.output.endswith("\nlast\n")
    assert "characters left out)" in found.output
    assert len(found.output) < 330_000


def test_a_report_in_jests_format_is_read(tmp_path: Path) -> None:
    """As Jest writes it and Vitest too; what is missing in it is empty."""
    case = {"ancestorTitles": ["sum", "of two"], "title": "adds", "status": "passed"}
    suite = {"name": "/app/a.test.ts", "status": "passed", "assertionResults": [case]}
    report = json.dumps({"testResults": [suite]})
    found = ran(tmp_path, f"cat > ../tests.json <<'EOF'\n{report}\nEOF")
    assert found.suites is not None
    assert [one.file for one in found.suites] == ["/app/a.test.ts"]
    assert found.suites[0].cases[0].name == "sum > of two > adds"
    assert found.suites[0].cases[0].seconds == 0


def test_a_step_that_is_killed_tells_the_signal(tmp_path: Path) -> None:
    """As a shell does: 137 is most often want of memory."""
    assert ran(tmp_path, "kill -9 $$").exit_code == 137
