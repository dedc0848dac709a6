"""Which candle a moment belongs to, for every interval that Binance has.  Pure.

Times are milliseconds since 1970; a candle's span is its first millisecond and the first one of the next.  Weeks begin
on Monday, months by the calendar, everything else is counted from 1970.  `zone_ms` is how far a time zone is ahead of
UTC: days begin when its clocks say midnight, as in the spot streams with `@+08:00`.
"""

from datetime import UTC, datetime

from fsnats.errors import Unusable

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MONTH = "1M"

# Those of one length; the keys are Binance's names.
LENGTHS = {
    "1s": SECOND, "1m": MINUTE, "3m": 3 * MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE, "30m": 30 * MINUTE,
    "1h": HOUR, "2h": 2 * HOUR, "4h": 4 * HOUR, "6h": 6 * HOUR, "8h": 8 * HOUR, "12h": 12 * HOUR,
    "1d": DAY, "3d": 3 * DAY, "1w": 7 * DAY,
}  # fmt: skip
_FIRST_MONTH, _LAST_MONTH = 1 * 12, 9998 * 12  # from the year 0 on: calendars begin and end there
_MONDAY = 4 * DAY  # 1970-01-05, the first Monday


def span(interval: str, moment_ms: int, zone_ms: int = 0) -> tuple[int, int]:
    """The candle that a moment lies in.  Raises Unusable for an interval that Binance does not have."""
    local = moment_ms + zone_ms
    if interval == MONTH:
        months = _months(local)
        return _midnight(months) - zone_ms, _midnight(months + 1) - zone_ms
    length = length_of(interval)
    origin = _MONDAY if interval == "1w" else 0
    start = local - (local - origin) % length - zone_ms
    return start, start + length


def following(interval: str, moment_ms: int, zone_ms: int = 0) -> int:
    """The first boundary after a moment: when its candle is over."""
    return span(interval, moment_ms, zone_ms)[1]


def preceding(interval: str, moment_ms: int, zone_ms: int = 0) -> int:
    """The last boundary before a moment: for a boundary, when the candle before it began."""
    return span(interval, moment_ms - 1, zone_ms)[0]


def opening(interval: str, moment_ms: int) -> int:
    """The first opening of a candle at a moment or after it."""
    start, stop = span(interval, moment_ms)
    return start if start == moment_ms else stop


def moved(interval: str, opening_ms: int, candles: int) -> int:
    """The opening of the candle that is so many after another one; before it where they are less than none."""
    if interval != MONTH:
        return opening_ms + candles * length_of(interval)
    return _midnight(min(max(_months(opening_ms) + candles, _FIRST_MONTH), _LAST_MONTH))


def counted(interval: str, first_ms: int, last_ms: int) -> int:
    """How many candles open from the opening of one to that of another, both included; 0 where that one is earlier."""
    if interval == MONTH:
        return max(0, _months(last_ms) - _months(first_ms) + 1)
    return max(0, (last_ms - first_ms) // length_of(interval) + 1)


def length_of(interval: str) -> int:
    """Milliseconds.  Raises Unusable for months, whose lengths differ, and for what is no interval."""
    length = LENGTHS.get(interval)
    if length is None:
        raise Unusable(f"{interval}: {'months differ in length' if interval == MONTH else 'no interval of candles'}")
    return length


def fills(lower: str, higher: str) -> bool:
    """Whether whole candles of `lower` fill each candle of `higher`: `8h` does a day, but not half of one."""
    length = LENGTHS.get(lower)
    if length is None or (higher != MONTH and higher not in LENGTHS):
        return False
    whole = DAY if higher == MONTH else LENGTHS[higher]
    return lower != higher and whole % length == 0


def _months(moment_ms: int) -> int:
    day = datetime.fromtimestamp(moment_ms // SECOND, UTC)
    return day.year * 12 + day.month - 1


def _midnight(months: int) -> int:
    return int(datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC).timestamp()) * SECOND
