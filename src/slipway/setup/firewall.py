"""The server's firewall, a table of nftables of our own. Pure.

It filters what comes to the server itself. What Docker publishes is forwarded, past every chain of
this kind: only Docker's own chain DOCKER-USER could stop that, and we leave Docker's tables alone.
So do not publish a port that nobody should reach; deploys publish none.
"""

import hashlib
from collections.abc import Iterable

TABLE = "slipway"
WEB = (80, 443)
# Made, removed and made again in one transaction: nft then replaces the table as a whole.
_RULES = """\
table inet {table}
delete table inet {table}
table inet {table} {{
  comment "{mark}"
  chain input {{
    type filter hook input priority filter; policy drop;
    ct state vmap {{ established : accept, related : accept, invalid : drop }}
    iif lo accept
    meta l4proto {{ icmp, ipv6-icmp }} accept
    ip6 saddr fe80::/10 udp dport 546 accept comment "answers of DHCPv6"
    tcp dport {{ {ports} }} accept
  }}
}}
"""


def rules(ssh: Iterable[int]) -> str:
    """The table as a file for `nft -f`.

    Args:
        ssh: The ports that sshd listens on, and the one that our connection came by.

    Raises:
        ValueError: There is no such port: the rules would lock everybody out.
    """
    doors = set(ssh)
    if not doors:
        raise ValueError("no port for SSH")
    ports = ", ".join(map(str, sorted({*doors, *WEB})))
    plain = _RULES.format(table=TABLE, mark="", ports=ports)
    mark = hashlib.sha256(plain.encode()).hexdigest()[:16]
    return _RULES.format(table=TABLE, mark=mark, ports=ports)


def loaded(listing: str, wanted: str) -> bool:
    """Whether the kernel has the rules.

    nft prints rules in words of its own version, so the table carries the digest of its file.

    Args:
        listing: What `nft list table inet slipway` printed; empty where there is no such table.
        wanted: The file.
    """
    comment = next(line for line in wanted.splitlines() if line.strip().startswith("comment"))
    return comment.strip() in listing and "policy drop" in listing
