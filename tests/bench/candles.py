"""A year of one symbol's minutes made into days: what the aggregation of candles costs."""

import time
from decimal import Decimal
from pathlib import Path

from fsnats.candles.calendar import DAY, MINUTE
from fsnats.candles.candle import Candle
from fsnats.candles.live import Live, merged
from tests.bench.report import Row, Values

TITLE = "candles: 1m made into 1d, one symbol"
ROWS = (
    Row("year", "CPU for 525,600 minutes at once", "s", goal="≤ 1"),
    Row("event", "CPU for one state of a minute, and the open day after it", "µs"),
)
_MINUTES = 365 * DAY // MINUTE


def measure(tools: Path, quick: bool) -> Values:
    """One repetition."""
    minutes = [_minute(number) for number in range(_MINUTES)]
    started = time.process_time()
    days = sum(1 for _ in merged(minutes, "1m", "1d"))
    year = time.process_time() - started
    assert days == 365
    some = minutes[: 20_000 if quick else 100_000]
    live = Live("1m", "1d")
    started = time.process_time()
    for minute in some:
        live.feed(minute)
        assert live.newest
    return {"year": year, "event": (time.process_time() - started) / len(some) * 1e6}


def _minute(number: int) -> Candle:
    price, volume = Decimal(700_000 + number % 9_973).scaleb(-2), Decimal(5_000_000_000 + number).scaleb(-8)
    start, value = number * MINUTE, price * volume
    return Candle(start, start + MINUTE - 1, price, price + 2, price - 1, price + 1, volume, value, 9, volume, value)
