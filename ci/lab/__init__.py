"""The lab: a registry and base images made from packages, where no image can be pulled."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  runs on the machine's Python, whatever that is
    sys.exit(f"the lab needs Python 3.11 or newer, not {sys.version.split()[0]}")
