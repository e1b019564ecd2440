"""Rules of this machine's firewall that the network plugins made for a daemon, and a killed one left behind."""

from __future__ import annotations

import re
import subprocess
from ipaddress import ip_address, ip_network

from drydock import paths

_RULE = re.compile(
    r"-A (?P<rule>(?P<chain>\S+) .*-[sd] (?P<address>[\d.]+)/32 .*-j (?P<target>\S+).*)"
)
_WAIT = ("--wait", "5")
"""Seconds for another program to be done with the rules (iptables(8))."""


def forget(subnet: str) -> None:
    """Remove every rule for an address of a subnet; of a daemon that does not run any more."""
    save, restore = paths.which("iptables-save"), paths.which("iptables-restore")
    if not (save and restore):
        return
    saved = subprocess.run([str(save)], capture_output=True, text=True, check=False).stdout
    if removal := removing(saved, subnet):
        command = [str(restore), *_WAIT, "--noflush"]
        subprocess.run(command, input=removal, capture_output=True, text=True, check=False)


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
