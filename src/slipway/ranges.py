"""Which major version a range in `engines` asks for."""

import re

# 22 is the line everything here is tried on; the others follow newest first.
NODE_MAJORS = (22, 24, 26, 20, 18)
_PART = re.compile(
    r"(?P<op>>=|<=|>|<|\^|~|=)?\s*v?(?P<major>\d+|[xX*])(?P<rest>(?:\.(?:\d+|[xX*]))*)"
)


def node_major(text: str) -> int | None:
    """The Node major that satisfies a range.

    Args:
        text: As npm writes ranges: `>=22.12 <23`, `^20 || >=22`, `22.x`, `v22.11.0`, `lts/jod`.

    Returns:
        The first of NODE_MAJORS with a version in the range, or the one major the text names.
    """
    for major in NODE_MAJORS:
        if any(_satisfies(part, major) for part in text.split("||")):
            return major
    named = re.fullmatch(r"\s*[=v^~]*(\d+)(?:\.\S*)?\s*", text)
    return int(named[1]) if named else None


def _satisfies(text: str, major: int) -> bool:
    text = re.sub(r"(\S+)\s+-\s+(\S+)", r">=\1 <=\2", text.strip())
    if text in ("", "*", "x", "latest"):
        return True
    parts = list(_PART.finditer(text))
    return bool(parts) and all(_allows(part, major) for part in parts)


def _allows(part: re.Match[str], major: int) -> bool:
    if part["major"] in "xX*":
        return True
    bound = int(part["major"])
    exact = any(piece not in ("", "0", "x", "X", "*") for piece in part["rest"].split("."))
    return {
        ">=": major >= bound,
        ">": major > bound or (major == bound and exact),
        "<": major < bound or (major == bound and exact),
        "<=": major <= bound,
    }.get(part["op"] or "=", major == bound)


def pnpm_version(text: str) -> str | None:
    """The pnpm version to install for a range: the exact one, else its lowest major.

    Args:
        text: Such as `10.4.1`, `>=9`, `^10.0.0`.

    Returns:
        An exact version or a major, or None if the text names none.
    """
    text = text.strip()
    if re.fullmatch(r"=?v?\d+\.\d+\.\d+", text):
        return text.lstrip("=v")
    found = re.search(r"\d+", text)
    return found[0] if found else None
