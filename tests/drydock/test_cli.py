"""The command line, run as users run it, on a module as other people write them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Callable

DRYDOCK = Path(sys.executable).with_name("drydock")
GREETER = Path(__file__).parent / "fixtures" / "greeter"
CODE = (GREETER / "src" / "greeter" / "main.py").read_text()
MINUTE = 60


@dataclass
class Caller:
    """Somebody at a terminal: a folder to stand in and variables of their own."""

    cwd: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Run drydock, without waiting."""
        return subprocess.Popen(
            # As from a terminal: what runs in the background of a script would ignore Ctrl-C.
            ["env", "--default-signal=INT,HUP", str(DRYDOCK), *arguments],
            cwd=self.cwd,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run drydock to its end."""
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=3 * MINUTE)
        except BaseException:
            process.terminate()
            process.communicate()
            raise
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def call(self, *arguments: str) -> str:
        """What a call prints; it has to succeed."""
        done = self.run("call", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *arguments: str, code: int = 2) -> str:
        """What a call that has to fail says, without a traceback."""
        done = self.run("call", *arguments)
        assert done.returncode == code, done.stderr
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of drydock's own, empty at first."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def caller(cache: Path) -> Caller:
    """A caller in the greeter's folder."""
    return Caller(GREETER, {"XDG_CACHE_HOME": str(cache)})


@pytest.fixture
def edited(tmp_path: Path, caller: Caller) -> Callable[[str], Caller]:
    """A caller in a copy of the greeter with another `main.py`."""

    def edit(code: str) -> Caller:
        copy = tmp_path / "greeter"
        unwanted = shutil.ignore_patterns("__pycache__")
        shutil.copytree(GREETER, copy, ignore=unwanted, dirs_exist_ok=True)
        (copy / "src" / "greeter" / "main.py").write_text(code)
        return Caller(copy, caller.environment)

    return edit


# -- calling ---------------------------------------------------------------------------------------


def test_a_function_is_called_with_its_flags(caller: Caller) -> None:
    """A string is printed as it is, without a line's end."""
    assert caller.call("hello", "--name", "World", "--tone", "warm") == "Hello, World!"


def test_flags_of_the_constructor_come_before_the_function(caller: Caller) -> None:
    """And `-m` anywhere; names may be typed as in the API, values after an equals sign."""
    caller = Caller(Path("/"), caller.environment)
    assert caller.call("--greeting=Hi", "hello", "--Name=x", "-m", str(GREETER)) == "Hi, x."


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["tone", "--warm"], "WARM"),
        (["number", "--value", "0.25", "--count", "0x2"], "0.5"),
        (["maybe"], "<nil>"),
        (["nothing"], ""),
        (["describe", "--guests", "warm,COLD", "--guests", "Warm"], "warm\ncold\nwarm\n"),
    ],
)
def test_every_kind_of_value_goes_in_and_comes_out(
    caller: Caller, arguments: list[str], printed: str
) -> None:
    """Enums by name, numbers, lists by commas and by repeating, nothing at all."""
    assert caller.call(*arguments) == printed


def test_functions_are_chained_on_objects_and_on_lists(caller: Caller) -> None:
    """A function on a list is called on each of its items; state is kept from call to call."""
    assert caller.call("guest", "--name", "Ada", "seated", "--table", "3", "table-number") == "3"
    many = ["guests", "--names", "Ada,Bo", "seated", "--table", "1", "greeting"]
    assert caller.call(*many) == "Hello, Ada (visit 2)\nHello, Bo (visit 2)\n"


def test_an_object_at_the_end_is_shown_by_its_id(caller: Caller) -> None:
    """Equal objects have equal ids."""
    printed = caller.call("guests", "--names", "Ada,Bo,Ada").splitlines()
    assert [line.partition("@sha256:")[0] for line in printed] == ["- GreeterGuest"] * 3
    assert printed[0] == printed[2] != printed[1]


def test_json_is_indented_and_complete(caller: Caller) -> None:
    """A string gets its quotes, a chain through a list the names of its fields."""
    assert caller.call("hello", "--name", "ü<", "--json") == '"Hello, ü<."\n'
    listed = caller.call("guests", "--names", "Ada", "name", "-j")
    assert json.loads(listed) == [{"name": "Ada"}]
    assert '\n    {\n        "name"' in listed


def test_a_result_is_saved_and_printed(caller: Caller, tmp_path: Path) -> None:
    """Folders on the way are made."""
    target = tmp_path / "new" / "hello.txt"
    done = caller.run("call", "hello", "--name", "x", "-o", str(target))
    assert (done.stdout, target.read_text()) == ("Hello, x.", "Hello, x.")
    assert f'Saved output to "{target}".' in done.stderr


def test_a_workspace_is_the_callers_own(caller: Caller, tmp_path: Path) -> None:
    """Also with `-m`: the module learns where its caller stands, never where it lies itself."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "apps" / "web").mkdir(parents=True)
    elsewhere = Caller(tmp_path / "apps" / "web", caller.environment)
    assert elsewhere.call("-m", str(GREETER), "where") == "apps/web"


def test_a_secret_is_read_from_where_the_flag_says(caller: Caller, tmp_path: Path) -> None:
    """A variable, a file, a command; the older spellings too."""
    (tmp_path / "password").write_text("12345")
    caller = Caller(caller.cwd, {**caller.environment, "DOOR_PASSWORD": "1234567"})
    for given, length in [
        ("env://DOOR_PASSWORD", "7"),
        ("env:DOOR_PASSWORD", "7"),
        (f"file://{tmp_path}/password", "5"),
        ("cmd://printf 123", "3"),
    ]:
        assert caller.call("--password", given, "open-sesame") == length


def test_the_module_sees_nothing_of_the_callers_environment(caller: Caller) -> None:
    """It takes its inputs as arguments, and so behaves alike wherever it runs."""
    caller = Caller(caller.cwd, {**caller.environment, "AWS_SECRET_ACCESS_KEY": "sentinel"})
    names = caller.call("environment").split()
    assert "AWS_SECRET_ACCESS_KEY" not in names
    assert {"PATH", "HOME", "DAGGER_MODULE"} <= set(names)


def test_what_a_module_prints_does_not_mix_with_the_result(
    edited: Callable[[str], Caller],
) -> None:
    """Both of its streams arrive on standard error, unless nothing but the result is wanted."""
    caller = edited(CODE + "\n# as never called before")
    done = caller.run("call", "nothing")
    assert done.stdout == ""
    assert {"something on stdout", "something on stderr"} <= set(done.stderr.split("\n"))
    quiet = edited(CODE + "\n# nor ever like this").run("call", "-q", "nothing")
    assert (quiet.stdout, quiet.stderr) == ("", "")


def test_nothing_is_written_into_the_modules_folder(edited: Callable[[str], Caller]) -> None:
    """Neither bytecode nor an environment."""
    caller = edited(CODE)
    before = sorted(caller.cwd.rglob("*"))
    caller.call("tone")
    assert sorted(caller.cwd.rglob("*")) == before


# -- user's defaults -------------------------------------------------------------------------------


def test_defaults_of_the_user_fill_in_and_are_announced(caller: Caller, tmp_path: Path) -> None:
    """Required arguments become optional, secrets arrive, flags win."""
    (tmp_path / ".env").write_text(
        "GREETER_GREETING=Servus\nGREETER_HELLO_NAME=Ada\nGREETER_HELLO_TIMES=2\n"
        "GREETER_HELLO_TONE='\"WARM\"'\nGREETER_PASSWORD=env://DOOR\nGREETER_GUEST_NAME=unused\n"
    )
    environment = {**caller.environment, "DOOR": "1234"}
    caller = Caller(tmp_path, environment)
    done = caller.run("call", "-m", str(GREETER), "hello")
    assert done.stdout == "Servus, Ada!\nServus, Ada!"
    assert 'user default: greeter(password="env://DOOR")' in done.stderr
    assert 'user default: greeter.hello(times="2")' in done.stderr
    assert "unused" not in done.stderr
    assert caller.call("-m", str(GREETER), "open-sesame") == "4"
    assert caller.call("-m", str(GREETER), "--greeting", "Hi", "hello", "--times=1") == "Hi, Ada!"


def test_a_wrong_default_of_the_user_is_refused(caller: Caller, tmp_path: Path) -> None:
    """With the place it stands for."""
    (tmp_path / ".env").write_text("GREETER_HELLO_TIMES=often\n")
    told = Caller(tmp_path, caller.environment).refused("-m", str(GREETER), "tone", code=1)
    assert (
        told.strip() == "Error: .env: user default greeter.hello(times=often) is not a whole number"
    )


# -- help ------------------------------------------------------------------------------------------


def test_help_is_made_of_docstrings(caller: Caller) -> None:
    """At each level: description, usage, functions, arguments with their defaults."""
    root = caller.call("--help")
    assert root.startswith(
        "A greeter with a favourite greeting.\n\nUSAGE\n  drydock call [arguments]"
    )
    assert '--greeting string   What it says first (default "Hello")' in root
    assert "\n  hello         Greets somebody.\n" in root
    hello = caller.call("hello", "--help")
    assert hello.startswith("Greets somebody.\n\nWith more than one line of description.\n")
    assert "--name string      Who is greeted [required]" in hello
    assert "--tone WARM,COLD   How warm it is (default COLD)" in hello
    assert "table-number" in caller.call("guest", "--name", "x", "-h")
    assert re.search(r"\n  entries +[A-Z]", caller.call("shelf", "--help"))
    timestamps = caller.call("shelf", "with-timestamps", "--help")
    assert "\n  drydock call shelf with-timestamps [arguments] <function>\n" in timestamps
    assert "      --timestamp int   [required]\n" in timestamps


def test_functions_lists_what_can_be_called(caller: Caller) -> None:
    """On the module, and on what a function returns."""
    done = caller.run("functions")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["Name", "Description"]
    assert "hello         Greets somebody." in lines
    guest = caller.run("functions", "-m", str(GREETER), "guest").stdout
    assert "seated         The same guest at a table." in guest.splitlines()
    shelf = caller.run("functions", "shelf").stdout
    assert re.search(r"^with-new-file +[A-Z]", shelf, re.MULTILINE)
    assert {"name": "shelf", "description": "A directory with two files."} in json.loads(
        caller.run("functions", "--json").stdout
    )
    wrong = caller.run("functions", "guest", "seatd")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert 'no function "seatd" in type "GreeterGuest"; did you mean seated?' in wrong.stderr


# -- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hallo"], 'unknown function "hallo"; did you mean hello?'),
        (["hello"], "required flag missing: --name"),
        (
            ["sources", "--source", "/no/such/folder"],
            "--source: /no/such/folder: no such directory",
        ),
        (
            ["sources", "--source", "/etc/passwd"],
            "--source: /etc/passwd is a file, not a directory",
        ),
    ],
)
def test_a_wrong_command_line_is_one_clear_message(
    caller: Caller, arguments: list[str], message: str
) -> None:
    """With what was meant, where it can be guessed."""
    assert message in caller.refused(*arguments)


def test_the_message_names_the_help_that_helps(caller: Caller) -> None:
    """Of the function where the mistake is."""
    told = caller.refused("guest", "--name", "x", "seated")
    assert "Run 'drydock call guest seated --help' for usage." in told


def test_an_exception_in_a_function_is_a_message(caller: Caller) -> None:
    """The traceback is kept for who asks for it."""
    told = caller.refused("fail", "--message", "no such guest", code=1)
    assert "Error: FunctionError: no such guest\nRun again with --verbose" in told
    verbose = caller.run("call", "fail", "-v").stderr
    assert "raise ValueError(message)" in verbose


def test_the_exit_code_of_a_process_that_ends_by_itself_is_passed_on(caller: Caller) -> None:
    """As on the Dagger engine."""
    assert 'call function "leave": exit code: 6' in caller.refused("leave", "--code", "6", code=6)


def test_a_module_that_cannot_be_imported_shows_its_own_line(
    edited: Callable[[str], Caller],
) -> None:
    """And none of the SDK's."""
    done = edited("import dagger\nimport not_there\n").run("call", "hello")
    assert done.returncode == 1
    assert "Error: module greeter cannot be imported:" in done.stderr
    assert "main.py" in done.stderr
    assert "No module named 'not_there'" in done.stderr
    assert "dagger/mod" not in done.stderr


def test_a_module_without_its_main_class_is_refused(edited: Callable[[str], Caller]) -> None:
    """With the name that was looked for."""
    done = edited("class Greeting:\n    pass\nGreeter = Greeting\n").run("call", "hello")
    assert done.returncode == 1
    assert "decorated with @dagger.object_type" in done.stderr


def test_an_unsupported_type_is_refused_at_registration(edited: Callable[[str], Caller]) -> None:
    """The SDK's own message says where."""
    code = (
        "import dagger\n@dagger.object_type\nclass Greeter:\n    @dagger.function\n"
        "    def hello(self, x: dict[str, str]) -> str:\n        return ''\n"
    )
    told = edited(code).refused("hello", code=1)
    assert "cannot register its types" in told
    assert "'x'" in told


# -- running ---------------------------------------------------------------------------------------


def children(process: subprocess.Popen[str]) -> list[int]:
    """Processes that a process started, and theirs."""
    found, waiting = [], [process.pid]
    while waiting:
        parent = waiting.pop()
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            below = [int(pid) for pid in task.read_text().split()]
            found += below
            waiting += below
    return found


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_an_interrupted_call_leaves_nothing_running(
    edited: Callable[[str], Caller], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """However it is ended, also while a function runs."""
    started = tmp_path / "started"
    caller = edited(
        "import time, pathlib, dagger\n@dagger.object_type\nclass Greeter:\n    @dagger.function\n"
        f"    def wait(self) -> str:\n        pathlib.Path({str(started)!r}).touch()\n"
        "        time.sleep(120)\n        return ''\n"
    )
    caller.environment = {**caller.environment, "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    process = caller.start("call", "wait")
    deadline = time.monotonic() + 2 * MINUTE
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    running = children(process)
    assert len(running) >= 2
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == code
    while any(alive(pid) for pid in running) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in running if alive(pid)]
    assert not list((tmp_path / "tmp").glob("drydock-*"))


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_checks_run_and_fail_by_name(caller: Caller) -> None:
    """All that match a pattern, each with its own line; the exit code tells whether all passed."""
    done = caller.run("check")
    assert done.returncode == 1
    failed, passed = done.stdout.splitlines()
    assert re.fullmatch(r"✘ has-shelf +\d+\.\ds   FunctionError: the shelf is empty", failed)
    assert re.fullmatch(r"✔ is-polite +\d+\.\ds   passed", passed)
    assert "has-shelf: Error: FunctionError: the shelf is empty" in done.stderr
    told = caller.run("check", "is-polit").stderr
    assert "did you mean is-polite?; it has: has-shelf, is-polite" in told
    assert "has-shelf   Checks the shelf." in caller.run("check", "--list").stdout


def test_the_outcome_of_checks_is_there_for_programs(caller: Caller) -> None:
    """As JSON; a pattern chooses, and where all pass the exit code is 0."""
    done = caller.run("check", "--json", "is-*", "--failfast")
    (outcome,) = json.loads(done.stdout)
    assert done.returncode == 0
    assert outcome["seconds"] >= 0
    assert (outcome["name"], outcome["status"], outcome["error"]) == ("is-polite", "passed", None)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_program_ends_with_the_session_that_it_was_given(
    caller: Caller, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """It is asked to end when drydock is, or when the terminal is closed."""
    started = tmp_path / "started"
    process = caller.start("run", "--", "sh", "-c", f"sleep 0.5; touch {started}; exec sleep 60")
    deadline = time.monotonic() + MINUTE
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    running = children(process)
    process.send_signal(number)
    assert process.communicate(timeout=10) == ("", "")
    assert process.returncode == code
    assert not [pid for pid in running if alive(pid)]


def test_a_second_ctrl_c_kills_at_once(caller: Caller, tmp_path: Path) -> None:
    """Also a program that will not end."""
    started = tmp_path / "started"
    script = f"trap '' INT TERM; sleep 1; touch {started}; while :; do sleep 1; done"
    process = caller.start("run", "--", "sh", "-c", script)
    deadline = time.monotonic() + MINUTE
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    (shell, *_) = children(process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=5) == ("", "Killed.\n")
    assert process.returncode == 130
    assert not alive(shell)


def test_a_reader_that_goes_away_is_no_error(caller: Caller) -> None:
    """As `head` does; nothing is said, and the exit code is that of SIGPIPE."""
    done = subprocess.run(
        ["bash", "-c", f"{DRYDOCK} call hello --name x | true; echo ${{PIPESTATUS[0]}}"],
        cwd=caller.cwd,
        env={**os.environ, **caller.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "141\n"
    assert "Error" not in done.stderr
    assert "Traceback" not in done.stderr


def test_an_sdk_gets_a_session_of_its_own(caller: Caller) -> None:
    """An unmodified program finds drydock by the variable that names the command line."""
    script = (
        "import anyio, dagger\n"
        "async def main():\n"
        "    async with dagger.connection():\n"
        "        print(await dagger.dag.version())\n"
        "anyio.run(main)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=caller.cwd,
        env={**os.environ, **caller.environment, "_EXPERIMENTAL_DAGGER_CLI_BIN": str(DRYDOCK)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "v0.21.8\n", done.stderr


def test_a_command_runs_in_the_folder_that_it_is_told(caller: Caller, tmp_path: Path) -> None:
    """Paths of its options start there too."""
    caller = Caller(Path("/"), caller.environment)
    (tmp_path / "here").mkdir()
    at = ["--workdir", str(tmp_path / "here"), "-m", str(GREETER)]
    caller.call(*at, "hello", "--name", "x", "-o", "out.txt")
    assert (tmp_path / "here" / "out.txt").read_text() == "Hello, x."
    told = caller.refused("--workdir", str(tmp_path / "nowhere"), "hello")
    assert 'nowhere": No such file or directory' in told


def test_run_gives_a_program_a_session(caller: Caller) -> None:
    """Its exit code is passed on, and flags behind it are its own."""
    script = (
        "import os, base64, json, urllib.request as u\n"
        "token = base64.b64encode((os.environ['DAGGER_SESSION_TOKEN'] + ':').encode()).decode()\n"
        "url = f\"http://127.0.0.1:{os.environ['DAGGER_SESSION_PORT']}/query\"\n"
        "body = json.dumps({'query': '{version}'}).encode()\n"
        "request = u.Request(url, body, {'Authorization': 'Basic ' + token})\n"
        "print(json.load(u.urlopen(request))['data']['version'])\n"
        "raise SystemExit(7)\n"
    )
    done = caller.run("run", "--", sys.executable, "-c", script)
    assert (done.stdout, done.returncode) == ("v0.21.8\n", 7), done.stderr
    assert "nowhere" in caller.run("run", "nowhere").stderr


def test_the_commands_are_told_by_help(caller: Caller) -> None:
    """With nothing at all, too; a wrong one is refused."""
    assert caller.run().stdout == caller.run("--help").stdout
    assert "functions   List the functions" in caller.run().stdout
    assert 'unknown command "cal"; did you mean call?' in caller.run("cal").stderr
    assert "unknown flag: --mood; did you mean --mod?" in caller.run("--mood", "call").stderr
    assert caller.run("version").stdout.startswith("drydock ")


# -- containers ------------------------------------------------------------------------------------


@pytest.mark.engine
def test_chains_go_on_into_the_apis_own_types(caller: Caller, tmp_path: Path) -> None:
    """Directories of the module are read, filtered and exported."""
    assert caller.call("shelf", "entries") == "a.txt\nb/\n"
    assert caller.call("shelf", "file", "--path", "b/c.txt", "contents") == "C\n"
    assert caller.call("shelf").startswith("Directory@sha256:")
    done = caller.run("call", "shelf", "-o", str(tmp_path / "shelf"))
    assert f'Saved to "{tmp_path}/shelf".' in done.stderr
    assert (tmp_path / "shelf" / "b" / "c.txt").read_text() == "C\n"


@pytest.mark.engine
def test_a_default_path_is_of_the_module_and_ignored_files_stay_out(
    caller: Caller, tmp_path: Path
) -> None:
    """A directory that the caller names is filtered alike."""
    assert caller.call("sources") == "src/greeter/__init__.py\nsrc/greeter/main.py\n"
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "mine.py").touch()
    (tmp_path / "other.py").touch()
    assert caller.call("sources", "--source", str(tmp_path)) == "src/mine.py\n"


@pytest.mark.engine
def test_a_failed_command_is_told_with_its_output_and_exit_code(caller: Caller) -> None:
    """Through the module, whose own traceback nobody asked for."""
    script = "echo fine; echo broken >&2; exit 42"
    told = caller.refused("shell", "--script", script, "-q", code=42)
    assert told.startswith(f"Error: exit code: 42 (sh -c '{script}')\n")
    assert "Stdout:\nfine" in told
    assert "Stderr:\nbroken" in told


@pytest.mark.engine
def test_a_secret_is_hidden_in_progress_and_result(caller: Caller) -> None:
    """Whatever a command does with it."""
    caller = Caller(caller.cwd, {**caller.environment, "DOOR": "sentinel-of-the-door"})
    secret = ["with-secret-variable", "--name", "DOOR", "--secret", "env://DOOR"]
    script = f"echo out $DOOR; echo err $DOOR >&2 # {uuid.uuid4()}"
    done = caller.run("call", "box", *secret, "with-exec", "--args", f"sh,-c,{script}", "stdout")
    assert done.stdout == "out ***\n", done.stderr
    assert "│ err ***" in done.stderr
    assert "sentinel" not in done.stderr


@pytest.mark.engine
def test_a_container_is_given_by_its_image(caller: Caller) -> None:
    """By a flag, or by the address that the module has as a default."""
    assert caller.call("box", "file", "--path", "/greeting", "contents") == "Hello"
    given = ["--greeting", "Hi", "box", "--base", "debian:bookworm-slim"]
    listed = caller.call(*given, "with-exec", "--args", "cat,/greeting", "stdout")
    assert listed == "Hi"
