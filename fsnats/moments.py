"""Moments as people write them on a command line.  Pure."""

import re
from datetime import UTC, datetime

from fsnats.errors import Unusable

_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}  # milliseconds
_AGO = re.compile(r"(\d{1,6})([smhdw])")
_MILLISECONDS = re.compile(r"\d{11,14}")  # from 1973 to the year 5138: nobody means seconds, nor a year
_YEAR_MOST = 4102444800000  # 2100-01-01

HELP = "2026-11-01, 2026-11-01T12:00, milliseconds since 1970, 30d (ago: s, m, h, d or w), or now"


def moment(text: str, now_ms: int) -> int:
    """Milliseconds since 1970.  What names no time zone is UTC.  Raises Unusable, which names the text."""
    text = text.strip()
    if text == "now":
        return now_ms
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return _checked(text, now_ms - int(ago[1]) * _UNITS[ago[2]])
    if _MILLISECONDS.fullmatch(text):
        return _checked(text, int(text))
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise Unusable(f"'{text}' is no moment; write {HELP}") from None
    return _checked(text, round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000))


def _checked(text: str, at_ms: int) -> int:
    if not 0 <= at_ms <= _YEAR_MOST:
        raise Unusable(f"'{text}' is not between 1970 and 2100")
    return at_ms


def shown(at_ms: int) -> str:
    """A moment for people, in UTC, without what is zero at its end."""
    text = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return text.removesuffix(".000").removesuffix(":00").removesuffix(" 00:00")
