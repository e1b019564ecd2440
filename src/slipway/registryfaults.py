"""What is said when a registry refuses or fails, for the person at the terminal. Pure.

Both engines ask registries through containerd's client (containerd v2, core/remotes/docker), whose words these are;
slipway's own client of registries says it in the same words, and OpenSSL's and the C library's where Go has none.
"""

import re
from dataclasses import dataclass
from typing import Literal

from .errors import SlipwayError

# In GitLab a job's token ends with its job; other tokens have a date.
_TOKENS = (
    "in GitLab, a job's token is valid while the job runs, and other tokens have an expiry date"
)
_LOGIN = "--registry-user and --registry-password env://NAME, or their lines in .env"
Verb = Literal["pull", "push"]
_VERBS: dict[Verb, str] = {"pull": "pull from", "push": "push to"}
_RIGHTS: dict[Verb, str] = {
    "pull": "read (in GitLab: read_registry)",
    "push": "write (in GitLab: write_registry)",
}


class RegistryError(SlipwayError):
    """A registry refuses or fails; the text says which, why, and what to do."""


@dataclass(frozen=True)
class _Fault:
    """One kind of fault.

    Attributes:
        signs: A regular expression of what the engine says.
        what: What it means; {host}, {who} and {does} are filled in.
        advice: What to do; {host} and {right} are filled in.
    """

    signs: str
    what: str
    advice: str


# The first that fits: what a fault comes wrapped in stands below it.
_FAULTS = (
    _Fault(
        r"x509: certificate has expired|certificate has expired or is not yet valid"
        r"|verify failed: certificate (?:has expired|is not yet valid)",
        "the certificate of {host} has expired, or this machine's clock is wrong",
        "Have the certificate renewed",
    ),
    _Fault(
        r"x509: certificate is (?:valid for|not valid for)|x509: cannot validate certificate"
        r"|Hostname mismatch|IP address mismatch",
        "the certificate of {host} is for another name",
        "Use the name that the certificate was made for",
    ),
    _Fault(
        r"certificate verify failed",
        "the certificate of {host} is not trusted: it is signed by an authority that slipway does not know",
        "Put the authority's certificate into the repo, and name that file as ca under [registry] in slipway.toml",
    ),
    _Fault(
        r"x509:|failed to verify certificate|unknown certificate authority",
        "the certificate of {host} is not trusted: it is signed by an authority that the engine does not know",
        "Give the engine the authority's certificate: drydock takes it as ca in its configuration, a Dagger "
        "engine from /usr/local/share/ca-certificates in its container",
    ),
    _Fault(
        r"server gave HTTP response to HTTPS client|first record does not look like a TLS handshake",
        "{host} does not speak TLS",
        "See whether address and port are right; if it is meant to be plain HTTP, the engine must be told so",
    ),
    _Fault(
        r"tls: (?:wrong version number|record layer failure|http request|unknown protocol)",
        "{host} does not speak TLS",
        'See whether address and port are right; if it is meant to be plain HTTP, set api = "http://{host}" under '
        "[registry] in slipway.toml",
    ),
    _Fault(
        r"HTTP request (?:was sent )?to (?:an )?HTTPS (?:server|port)",
        "{host} speaks TLS, and was asked without",
        "Let api under [registry] in slipway.toml begin with https://",
    ),
    _Fault(
        r"no such host|server misbehaving|Temporary failure in name resolution|Name or service not known"
        r"|No address associated with hostname|nodename nor servname provided",
        "no machine is known by the name of {host}",
        "See whether the address is spelled right, and the network",
    ),
    _Fault(
        # A token service refuses in many words; a fault on the way to it is none of them.
        r"failed to fetch (?:oauth|anonymous) token: (?!.*(?:dial tcp|\bEOF\b|connection reset|: 429|: 5\d\d))",
        "{host} refuses {who}: a wrong user or password, or a token that has expired",
        f"Correct {_LOGIN}; {_TOKENS}",
    ),
    _Fault(
        r"\d{3} [A-Za-z ]+: [A-Z_]+: [^\n]*\bimmutable\b",
        "{host} lets no tag move there",
        "Exempt the tags of environments, slipway-arrival and those that end with .slipway from the registry's rule "
        "for immutable tags",
    ),
    _Fault(
        r"insufficient_scope|access to the resource is denied|DENIED|access forbidden",
        "{who} may not {does} {host} there: the login is right, but has no right to this repository, or there "
        "is no such project",
        "Give the user or token the right to {right}, or correct the address",
    ),
    _Fault(
        r"401 Unauthorized|authorization failed|incorrect username or password|no basic auth credentials"
        r"|missing username or secret",
        "{host} refuses {who}: a wrong user or password, or a token that has expired",
        f"Correct {_LOGIN}; {_TOKENS}",
    ),
    _Fault(
        r"403 Forbidden",
        "{who} may not do this at {host}",
        "Give the user or token the right to {right}, or correct the address",
    ),
    _Fault(
        r"429 Too Many Requests|toomanyrequests",
        "{host} takes no more requests for now",
        "Wait a while and repeat the command",
    ),
    _Fault(
        r"413 Request Entity Too Large|413 Payload Too Large",
        "{host} refuses a layer for its size",
        "Raise the limit of the registry, or of the proxy before it (nginx: client_max_body_size)",
    ),
    _Fault(
        r"405 [A-Za-z ]+: UNSUPPORTED",
        "{host} changes nothing now: it is read-only",
        "Repeat the command when its maintenance is over, or have it changed in the settings of the registry",
    ),
    _Fault(
        r"GET request to \S+: 404\b(?!.*_UNKNOWN)",
        "{host} does not answer as a registry there",
        "Correct the address, or set api under [registry] in slipway.toml",
    ),
    _Fault(
        r"(?:PUT|POST|PATCH) request to \S+: (?:404|405)\b|NAME_UNKNOWN|name unknown|unexpected media type"
        r"|failed to find supported auth scheme|malformed HTTP response|unable to decode token response",
        "{host} takes no images there: it is no registry, or wants the repository to be created first",
        "Correct the address, or create the repository",
    ),
    _Fault(
        r"connection refused|i/o timeout|no route to host|network is unreachable|TLS handshake timeout"
        r"|deadline exceeded",
        "nothing answers at {host}",
        "See whether the registry runs and the network reaches it, then repeat the command",
    ),
    _Fault(
        r"\bEOF\b|connection reset|broken pipe|closed network connection|transport connection broken"
        r"|server sent GOAWAY|: 5\d\d [A-Z]",
        "{host} broke off",
        "When it is well again, repeat the command: what it has is not sent again",
    ),
)
# What names the fault in the engine's words, without the wrapping and without an address's parameters.
_SAID = re.compile(
    r"(?:unexpected status from \w+ request to \S+: \d{3}(?: [A-Za-z-]+)*(?:: [A-Z_]{4,}(?:: [^\n]+)?)?"
    r"|server message: [\w ]+|(?:unauthorized|denied): [\w :]+"
    r"|(?:tls|x509): [^\n.]+|dial tcp [^\n]+?(?:refused|timeout|host|unreachable)"
    r"|http: server gave HTTP response to HTTPS client|[\w: ]*no basic auth credentials"
    r"|(?:unexpected )?EOF|[\w ]*connection reset by peer|[\w ]*broken pipe)"
)
# Where a request went that was not answered: the registry, or the token service that it names.
_REQUEST = re.compile(r'\b(?:Head|Get|Put|Post|Patch) "https?://([^/"]+)')
_MISSING = re.compile(r": not found\b|MANIFEST_UNKNOWN|NAME_UNKNOWN|manifest unknown|name unknown")


def missing(message: str) -> bool:
    """Whether a registry says that there is no such image, and no more than that."""
    return bool(_MISSING.search(message)) and not any(
        re.search(fault.signs, message) for fault in _FAULTS if "NAME_UNKNOWN" not in fault.signs
    )


def told(message: str, *, host: str, user: str | None, verb: Verb = "push") -> RegistryError:
    """The error of one request.

    Args:
        message: What the engine, or slipway's own client, says.
        host: The registry's host and port.
        user: Who was logged in, if anybody.
        verb: What was being done.

    Returns:
        An error that names host, user and what to do; never a password.
    """
    fault = next((f for f in _FAULTS if re.search(f.signs, message)), None)
    said = _said(message)
    if fault is None:
        return RegistryError(f"the registry {host} fails: {said}")
    who = f'the user "{user}"' if user else f"a {verb} without a login"
    if not user and ("refuses {who}" in fault.what or "login is right" in fault.what):
        return RegistryError(f"{host} wants a login ({said}). Pass {_LOGIN}")
    asked = _REQUEST.findall(message)
    names = {
        "host": asked[-1] if asked else host,
        "who": who,
        "does": _VERBS[verb],
        "right": _RIGHTS[verb],
    }
    return RegistryError(f"{fault.what.format(**names)} ({said}). {fault.advice.format(**names)}")


def _said(message: str) -> str:
    message = re.sub(r"\?[^\s:]*", "", message)
    found = _SAID.findall(message)
    return str(found[-1]).strip(" :") if found else " ".join(message.split())
