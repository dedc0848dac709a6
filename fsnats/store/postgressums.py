"""Candles of PostgreSQL added up by the server, whose NUMERIC is exact."""

from collections.abc import Sequence
from typing import Any

from fsnats.candles.candle import Candle, number
from fsnats.store import Stretch

_ROWS = """
FROM kline_rows WHERE series = (SELECT id FROM series WHERE market = $1 AND kind = $2 AND name = $3 AND interval = $4)
  AND start_time >= asked.start AND start_time < asked.stop
"""

# Of numbers that are equal the first one is to be shown; where all have equally many decimals, it does not matter.
WHOLE = f"""
SELECT asked.number, first.open::TEXT, high::TEXT, low::TEXT, last.close::TEXT, volume::TEXT, quote_volume::TEXT,
  taker_buy_volume::TEXT, taker_buy_quote_volume::TEXT, trades, first_trade_id, last_trade_id
FROM unnest($5::BIGINT[], $6::BIGINT[]) WITH ORDINALITY AS asked (start, stop, number)
CROSS JOIN LATERAL (
  SELECT count(*) AS rows, min(start_time) AS starts, max(end_time) AS ends, bool_and(is_closed) AS closed,
    sum(number_of_trades)::BIGINT AS trades, max(high) FILTER (WHERE number_of_trades > 0) AS high,
    min(low) FILTER (WHERE number_of_trades > 0) AS low, min(scale(high)) = max(scale(high)) AS highs_alike,
    min(scale(low)) = max(scale(low)) AS lows_alike, sum(volume) AS volume, sum(quote_volume) AS quote_volume,
    sum(taker_buy_volume) AS taker_buy_volume, sum(taker_buy_quote_volume) AS taker_buy_quote_volume
  {_ROWS}) AS everything
CROSS JOIN LATERAL (
  SELECT open, first_trade_id {_ROWS} AND number_of_trades > 0 ORDER BY start_time LIMIT 1) AS first
CROSS JOIN LATERAL (
  SELECT close, last_trade_id {_ROWS} AND number_of_trades > 0 ORDER BY start_time DESC LIMIT 1) AS last
WHERE starts = asked.start AND ends = asked.stop - 1 AND rows * $7::BIGINT = asked.stop - asked.start AND closed
  AND highs_alike AND lows_alike
"""


def candles(rows: Sequence[Any], stretches: Sequence[Stretch]) -> list[Candle | None]:
    """What WHOLE told of stretches, in their order."""
    found: dict[int, Candle] = {}
    for place, *numbers, trades, first_id, last_id in rows:
        start, stop = stretches[place - 1]
        opens, high, low, closes, volume, quote, taker, taker_quote = map(number, numbers)
        found[place] = Candle(
            start, stop - 1, opens, high, low, closes, volume, quote, trades, taker, taker_quote, first_id, last_id
        )
    return [found.get(place) for place in range(1, len(stretches) + 1)]
