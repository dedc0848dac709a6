"""What Binance said, as candles."""

import gzip
from functools import cache
from pathlib import Path

import msgspec

from fsnats.binance import rows
from fsnats.candles.candle import Candle, of_row

_table = msgspec.json.Decoder(list[rows.Candle]).decode


@cache
def table(recordings: Path, name: str) -> list[rows.Candle]:
    """A recorded table of REST's rows."""
    return _table(gzip.decompress((recordings / "klines" / f"{name}.gct.json.gz").read_bytes()))


@cache
def archived(recordings: Path) -> list[rows.Candle]:
    """The minutes of three days of January 2020, from Binance's archive."""
    text = gzip.decompress((recordings / "klines/spot.BTCUSDT.1m.20200101-20200103.csv.gz").read_bytes()).decode()
    return [_row(*line.split(",")) for line in text.splitlines()]


def _row(t: str, o: str, h: str, low: str, c: str, v: str, end: str, q: str, n: str, *rest: str) -> rows.Candle:
    return rows.Candle(int(t), o, h, low, c, v, int(end), q, int(n), *rest)


def candles(bars: list[rows.Candle]) -> list[Candle]:
    return [of_row(bar, closed=True) for bar in bars]
