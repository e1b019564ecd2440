"""`drydock session`: what an SDK starts to get a session of its own (`_EXPERIMENTAL_DAGGER_CLI_BIN`).

One line of JSON on standard output, `{"port": …, "session_token": "…"}`; the session lasts until standard input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
from typing import TYPE_CHECKING

from drydock.aside import Aside
from drydock.cli_call import open_session
from drydock.progress import Progress, View
from drydock.progress_plain import Plain

if TYPE_CHECKING:
    from pathlib import Path


async def serve(cwd: Path, *, quiet: bool) -> int:
    """Serve a session for a caller in `cwd` until standard input ends; progress is shown as lines."""
    # Some clients hold the other end of standard error and never read.
    with Aside(sys.stderr) as out:
        async with open_session(cwd, Progress(View() if quiet else Plain(out))) as session:
            params = {"port": session.port, "session_token": session.token}
            print(json.dumps(params), flush=True)
            await _input_ends()
            await session.engine.cache.export()
    return 0


async def _input_ends() -> None:
    # A thread: input may also be a file, which the event loop cannot wait for.
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def read() -> None:
        with contextlib.suppress(OSError):
            while os.read(sys.stdin.fileno(), 1 << 16):
                pass
        # The loop may be gone already.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=read, daemon=True).start()
    await ended.wait()
