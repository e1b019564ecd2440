"""What the engine says of a registry, and what a user reads: who, where, why, what to do."""

import pytest

from slipway.registryfaults import missing, told

HOST = "registry.test:5443"
ADDRESS = f"{HOST}/team/app/api:1"
RESOLVE = f'failed to resolve image "{ADDRESS}" (platform: "linux/amd64"): '
HEAD = f"unexpected status from HEAD request to https://{HOST}/v2/team/app/api/manifests/1"
UPLOAD = f"unexpected status from POST request to https://{HOST}/v2/team/app/api/blobs/uploads/"
TOKEN = "unexpected status from GET request to https://gitlab.test/jwt/auth?account=bot&scope=x"


@pytest.mark.parametrize(
    "message",
    [
        f"{RESOLVE}{ADDRESS}: not found",
        f"{RESOLVE}{ADDRESS}: failed to resolve source metadata for {ADDRESS}: {ADDRESS}: not found",
        f"{RESOLVE}NAME_UNKNOWN: repository name not known to registry",
    ],
)
def test_an_image_that_is_not_there_is_no_fault(message: str) -> None:
    """So it is with every commit that is published for the first time."""
    assert missing(message)


@pytest.mark.parametrize(
    ("message", "what", "advice"),
    [
        (f"{RESOLVE}{HEAD}: 401 Unauthorized", 'refuses the user "bot"', "--registry-password"),
        (
            (
                f"{RESOLVE}pull access denied, repository does not exist or may require authorization: "
                "authorization failed: no basic auth credentials"
            ),
            'refuses the user "bot"',
            "--registry-user",
        ),
        (
            f"{RESOLVE}failed to authorize: failed to fetch oauth token: {TOKEN}: 401 Unauthorized",
            "a wrong user or password, or a token that has expired",
            "a job's token is valid while the job runs",
        ),
        (
            f"{RESOLVE}failed to authorize: failed to fetch oauth token: {TOKEN}: 403 Forbidden",
            "a token that has expired",
            "--registry-user",
        ),
        (
            (
                "push access denied, repository does not exist or may require authorization: server "
                "message: insufficient_scope: authorization failed"
            ),
            'the user "bot" may not push',
            "write_registry",
        ),
        (
            "server message: invalid_token: authorization failed",
            "or a token that has expired",
            "a job's token is valid while the job runs",
        ),
        (
            f"{RESOLVE}failed to fetch oauth token: denied: access forbidden",
            "or a token that has expired (denied: access forbidden)",
            "--registry-user",
        ),
        (
            f"{RESOLVE}failed to fetch oauth token: dial tcp 127.0.0.1:1: connect: connection refused",
            "nothing answers",
            "repeat the command",
        ),
        (f"{UPLOAD}: 403 Forbidden", 'the user "bot" may not do this', "write_registry"),
        (f"{UPLOAD}: 404 Not Found", "takes no images there", "create the repository"),
        (f"{UPLOAD}: 405 Method Not Allowed", "it is no registry", "Correct the address"),
        (f"{UPLOAD}: 413 Request Entity Too Large", "for its size", "client_max_body_size"),
        (f"{UPLOAD}: 503 Service Unavailable", "broke off", "repeat the command"),
        (f"{HEAD}: 429 Too Many Requests", "no more requests", "repeat the command"),
        (
            (
                f'{RESOLVE}failed to do request: Head "https://{HOST}/v2/x": tls: failed to verify '
                "certificate: x509: certificate signed by unknown authority"
            ),
            "is not trusted",
            "the authority's certificate",
        ),
        (
            "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
            "has expired",
            "renewed",
        ),
        (
            "tls: failed to verify certificate: x509: certificate is valid for a.test, not b.test",
            "is for another name",
            "the name that the certificate",
        ),
        ("http: server gave HTTP response to HTTPS client", "does not speak TLS", "plain HTTP"),
        ("dial tcp: lookup registry.test: no such host", "no machine is known", "spelled right"),
        (
            "dial tcp 127.0.0.1:1: connect: connection refused",
            "nothing answers",
            "repeat the command",
        ),
        (
            "write tcp 127.0.0.1:1->127.0.0.1:2: write: connection reset by peer",
            "broke off",
            "what it has is not sent again",
        ),
        (
            f'failed to do request: Put "https://{HOST}/v2/y": EOF',
            "broke off",
            "repeat the command",
        ),
    ],
)
def test_each_fault_is_told_with_what_to_do(message: str, what: str, advice: str) -> None:
    """One sentence for what it is, the registry's own words, one for what to do."""
    text = str(told(message, host=HOST, user="bot"))
    assert what in text
    assert HOST in text
    assert advice in text
    assert not missing(message)


ASK = f"unexpected status from GET request to https://{HOST}/v2/team/app/api/manifests/1"
MOVE = f"unexpected status from PUT request to https://{HOST}/v2/team/app/api/manifests/staging"


@pytest.mark.parametrize(
    ("message", "what", "advice"),
    [
        (
            f'Get "https://{HOST}/v2/": tls: certificate verify failed: unable to get local issuer certificate',
            f"the certificate of {HOST} is not trusted: it is signed by an authority that slipway does not know",
            "name that file as ca under [registry] in slipway.toml",
        ),
        (
            f'Get "https://{HOST}/v2/": tls: certificate verify failed: certificate has expired',
            f"the certificate of {HOST} has expired",
            "renewed",
        ),
        (
            f'Get "https://{HOST}/v2/": tls: certificate verify failed: IP address mismatch, certificate is not valid',
            "is for another name",
            "the name that the certificate",
        ),
        (
            f'Get "https://{HOST}/v2/": tls: wrong version number',
            "does not speak TLS",
            f'set api = "http://{HOST}" under [registry] in slipway.toml',
        ),
        (
            f'Get "https://{HOST}/v2/": Name or service not known',
            "no machine is known",
            "spelled right",
        ),
        (f'Get "https://{HOST}/v2/": i/o timeout', "nothing answers", "repeat the command"),
        (
            f"{ASK}: 401 Unauthorized: UNAUTHORIZED: authentication required: server message: insufficient_scope",
            'the user "bot" may not pull from',
            "read_registry",
        ),
        (f"{ASK}: 403 Forbidden: DENIED: no", 'the user "bot" may not pull from', "read_registry"),
        (f"{ASK}: 404 Not Found", "does not answer as a registry", "set api under [registry]"),
        (f"{ASK}: 429 Too Many Requests", "takes no more requests", "Wait a while"),
        (
            f"failed to fetch oauth token: {TOKEN}: 429 Too Many Requests",
            "takes no more requests",
            "Wait a while",
        ),
        (f"{MOVE}: 405 Method Not Allowed: UNSUPPORTED: no", "is read-only", "maintenance"),
        (
            f"{MOVE}: 400 Bad Request: TAG_INVALID: the repository is immutable",
            "lets no tag move",
            "Exempt the tags",
        ),
    ],
)
def test_slipways_own_client_is_told_apart(message: str, what: str, advice: str) -> None:
    """The engine may know what slipway does not, and who only reads needs less."""
    text = str(told(message, host=HOST, user="bot", verb="pull"))
    assert what in text
    assert advice in text
    assert HOST in text
    assert not missing(message)


def test_what_the_registry_says_itself_is_shown() -> None:
    """It may know better: a quota, a rule, a maintenance."""
    message = f"{MOVE}: 403 Forbidden: DENIED: the tag is protected, ask an owner"
    text = str(told(message, host=HOST, user="bot"))
    assert f"({message}). Give the user" in text


def test_nobody_has_no_rights() -> None:
    """There was no login that could be right."""
    message = f"{ASK}: 401 Unauthorized: UNAUTHORIZED: no: server message: insufficient_scope"
    text = str(told(message, host=HOST, user=None))
    assert text.startswith(f"{HOST} wants a login (")


def test_a_registry_that_wants_a_login_says_how_to_give_one() -> None:
    """Nobody was refused: nobody had asked."""
    message = f"{RESOLVE}authorization failed: no basic auth credentials"
    text = str(told(message, host=HOST, user=None))
    assert text.startswith(
        f"{HOST} wants a login (authorization failed: no basic auth credentials)"
    )


def test_a_token_service_that_is_not_trusted_goes_by_its_own_name() -> None:
    """It often has another host than the registry."""
    message = 'failed to do request: Get "https://gitlab.test/jwt/auth?x": tls: x509: certificate signed by'
    assert "the certificate of gitlab.test is" in str(told(message, host=HOST, user="bot"))


def test_addresses_are_shown_without_their_parameters() -> None:
    """Those of a token service tell an account's name and more."""
    text = str(told(f"failed to fetch oauth token: {TOKEN}: 401 Unauthorized", host=HOST, user="x"))
    assert "https://gitlab.test/jwt/auth: 401 Unauthorized" in text
    assert "account=" not in text


def test_what_is_not_known_is_passed_on() -> None:
    """The engine's own words, on one line."""
    text = str(told("something\n  new", host=HOST, user=None))
    assert text == f"the registry {HOST} fails: something new"
