"""The health check that runs inside an app's container. Pure."""

import json
import re

from . import compose
from .target import AppRelease

# A container that has this file says that it is unhealthy: the proxy sends it nothing more, and it goes on serving
# what it has. The only way to that which needs nothing of the app.
LEAVING = "/tmp/slipway-leaving"  # noqa: S108 - in its container
# Failures in a row since it served; with them the start of its process, as the file outlives a restart.
_COUNT = "/tmp/slipway-health"  # noqa: S108 - in its container
# Five seconds apart: one container that is slow for a minute stays with the proxy, or everybody gets 404.
_PATIENCE = 12
_ASK_MILLISECONDS = 4000
# What it prints is what Docker keeps of a check. Field 22 of /proc/1/stat is when the process started (proc(5)).
_PROGRAM = """\
const fs = require('fs');
const end = (said, code) => { console.log('GET ' + @path + ': ' + said); process.exit(code); };
if (fs.existsSync('@leaving')) end('taken out', 1);
const born = fs.readFileSync('/proc/1/stat', 'utf8').split(') ').pop().split(' ')[19];
const keep = failures => {
  try { fs.writeFileSync('@count', born + ' ' + failures); return true; } catch { return false; }
};
const since = () => { try { return fs.readFileSync('@count', 'utf8').split(' '); } catch { return []; } };
const fail = said => {
  const [when, count] = since(), failures = Number(count) + 1;
  if (when === born && failures < @patience && keep(failures))
    end(said + ', ' + failures + ' in a row, unhealthy at @patience', 0);
  end(said, 1);
};
fetch(@url, { redirect: '@redirect', signal: AbortSignal.timeout(@milliseconds) }).then(
  answer => { if (!(@fine)) fail(answer.status); keep(0); end(answer.status, 0); },
  error => fail(error.cause?.code ?? error.message));
"""


def check(app: AppRelease) -> compose.Health:
    """How Docker tells that an app works.

    Strict until it serves, then patient. Slim images have node and no curl; `localhost` may be ::1 alone.
    The app's own NODE_OPTIONS are for the app: with them a debugger or a tracer would start each time.

    Args:
        app: The app.
    """
    values = {
        "path": json.dumps(app.health),
        "leaving": LEAVING,
        "count": _COUNT,
        "patience": str(_PATIENCE),
        "url": json.dumps(f"http://127.0.0.1:{app.port}{app.health}"),
        # Where nobody said what a healthy app answers, a redirect or 404 says that it listens.
        "redirect": "manual" if app.any_answer else "follow",
        "fine": "answer.status < 500" if app.any_answer else "answer.ok",
        "milliseconds": str(_ASK_MILLISECONDS),
    }
    program = re.sub(r"@([a-z]+)", lambda found: values[found[1]], _PROGRAM)
    # Ended by Docker, a check counts as failed, whatever it would have said.
    test = ("CMD", "env", "-u", "NODE_OPTIONS", "node", "-e", program)
    return compose.Health(test=test, timeout="30s", start_period=f"{app.start}s")
