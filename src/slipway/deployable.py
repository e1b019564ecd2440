"""Which names can be deployed: Docker, Compose and Traefik take them, and no two sites come out as one. Pure."""

import re
from collections.abc import Iterable

# Between the parts of a name on a server. No part holds it.
JOINT = "--"
# What slipway deploys itself, as containers beside those of the apps.
MIGRATOR, DATABASE = "migrator", "database"
# A label of a domain name (RFC 1035, 2.3.4): apps and databases are found by name, and Postgres keeps
# 63 bytes of a cluster's (NAMEDATALEN).
MOST = 63
_PART = re.compile(r"[a-z0-9](?:[a-z0-9_]|-(?!-))*(?<!-)")
_EXPECTED = "lower-case letters, digits, _ and single dashes; a letter or digit first, no dash last"


def problems(project: str, environment: str, apps: Iterable[str] = ()) -> list[str]:
    """Why nothing on a server can have these names; each with the key that settles it.

    Args:
        project: The project's name.
        environment: The environment's name.
        apps: The names of its apps.

    Returns:
        A line for each problem.
    """
    apps = tuple(apps)
    wanted = [("name", project), ("environments", environment), *(("apps", app) for app in apps)]
    found = [
        f'{key}: "{name}" — expected, to be deployed to a server, {_EXPECTED}'
        for key, name in wanted
        if not _PART.fullmatch(name)
    ]
    # A label of a domain name that begins so is an encoded one (RFC 5891).
    if project == "xn":
        found.append('name: "xn" — no name on a server can begin with xn--; expected another')
    found += [
        f'apps: "{app}" — expected at most {MOST} characters to be deployed'
        for app in apps
        if len(app) > MOST
    ]
    together = len(f"{project}{JOINT}{environment}")
    if together > MOST:
        found.append(
            f'name: "{project}" and the environment "{environment}" are {together - len(JOINT)} characters '
            f"together; expected at most {MOST - len(JOINT)}"
        )
    found += [
        f'apps: "{app}" — slipway deploys something of that name itself; expected another'
        for app in apps
        if app in {MIGRATOR, DATABASE}
    ]
    spelled = [app.replace("-", "_") for app in apps]
    found += [
        f'apps: "{app}" — another app would get the same variable SLIPWAY_{name.upper()}_URL; expected names that '
        "differ in more than - and _"
        for app, name in zip(apps, spelled, strict=True)
        if spelled.count(name) > 1
    ]
    return found
