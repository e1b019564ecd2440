"""Rules of this machine's firewall that the network plugins made for a daemon, and a killed one left behind."""

from __future__ import annotations

import contextlib
import re
import subprocess
from ipaddress import ip_address, ip_network

from drydock import paths

_RULE = re.compile(
    r"-A (?P<rule>(?P<chain>\S+) .*-[sd] (?P<address>[\d.]+)/32 .*-j (?P<target>\S+).*)"
)
_WAIT = ("--wait", "5")
"""Seconds for another program to be done with the rules (iptables(8))."""
ENDED_WITHIN = 30
"""Seconds for a program that changes this machine's network to end."""


def forget(subnet: str) -> None:
    """Remove every rule for an address of a subnet; of a daemon that does not run any more."""
    save, restore = paths.which("iptables-save"), paths.which("iptables-restore")
    if not (save and restore):
        return
    # Rules that stay do no harm: the next daemon has a bridge of its own.
    with contextlib.suppress(subprocess.TimeoutExpired):
        if removal := removing(_output([str(save)]), subnet):
            _output([str(restore), *_WAIT, "--noflush"], removal)


def _output(command: list[str], text: str = "") -> str:
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, timeout=ENDED_WITHIN
    )
    return done.stdout


def removing(saved: str, subnet: str) -> str:
    """What to tell `iptables-restore` to remove the rules of a subnet; empty where there are none.

    Args:
        saved: The rules, as `iptables-save` prints them.
        subnet: As `a.b.c.d/n`.
    """
    text = ""
    for table in re.findall(r"^\*(\w+)$(.*?)^COMMIT$", saved, re.MULTILINE | re.DOTALL):
        found = [rule for line in table[1].splitlines() if (rule := _RULE.fullmatch(line))]
        ours = [r for r in found if ip_address(r["address"]) in ip_network(subnet)]
        # Each address has a chain of its own for what leaves the machine.
        chains = sorted({r["target"] for r in ours if r["target"].startswith("CNI-")})
        lines = [f"-D {r['rule']}" for r in ours]
        lines += [f"-{what} {chain}" for chain in chains for what in ("F", "X")]
        if lines:
            text += "\n".join([f"*{table[0]}", *lines, "COMMIT", ""])
    return text
