"""Runs this machine's Git, with its own configuration, credentials and keys."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from drydock import programs
from drydock.errors import ApiError

PLAIN = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
"""Variables for what is to come out the same whatever the user has configured."""


SETTINGS = (
    # Nothing goes on when Git has ended, and nobody's hooks run.
    *("gc.auto=0", "maintenance.auto=false", f"core.hooksPath={os.devnull}"),
    *("core.autocrlf=false", "advice.detachedHead=false", "init.defaultBranch=main"),
)


WITHIN = {"ls-remote": 180}
"""Seconds for what takes a moment, by command."""
LONGEST = 3600
"""Seconds for any other command of Git."""
SLOW = {"GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": "120"}
"""Variables by which Git gives up a server that has sent nothing for 120 s."""


@dataclass(frozen=True)
class Ended:
    """How a run of Git ended."""

    code: int
    out: bytes
    error: str


async def git(
    *args: str,
    folder: Path | None = None,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
    accept: tuple[int, ...] = (0,),
) -> Ended:
    """Run Git to its end.

    Args:
        args: Its arguments.
        folder: Where it runs.
        stdin: What it reads on standard input.
        environment: Further variables.
        accept: Exit codes that are no failure.

    Raises:
        ApiError: If there is no Git, or it fails; with its own words.
    """
    program = shutil.which("git")
    if program is None:
        raise ApiError("git is not on PATH; install it to work with repositories and patches")
    # It never asks anybody: nobody sits in front of it. A repository is in its folder, not above it.
    variables = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **SLOW, **(environment or {})}
    if folder:
        variables["GIT_CEILING_DIRECTORIES"] = str(folder.parent)
    process = await programs.start(
        program,
        *(part for setting in SETTINGS for part in ("-c", setting)),
        *args,
        cwd=folder,
        env={**os.environ, **variables},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    within = WITHIN.get(args[0], LONGEST)
    try:
        async with asyncio.timeout(within):
            out, err = await process.communicate(stdin)
    except TimeoutError:
        raise ApiError(
            f"git {args[0]} has not ended within {within // 60} min: does the repository's server answer? "
            "Try the same with git itself"
        ) from None
    finally:
        await programs.end(process)
    text = err.decode(errors="replace").strip()
    if process.returncode not in accept:
        raise ApiError(f"git {args[0]}: {text or f'exit status {process.returncode}'}")
    return Ended(process.returncode or 0, out, text)
