"""Which state of a candle stays where there are two, in Python and in SQL.  Pure."""

import msgspec

from fsnats.store import KlineData, Origin

UNKNOWN = -1  # a trade id that nobody told

State = tuple[KlineData, Origin]

# `settled` as the databases say it; the contract suite holds them to it.  The row that is there is `kline_rows`.
REPLACES = f"""
CASE WHEN kline_rows.is_closed
     THEN excluded.is_closed AND (excluded.origin = {Origin.FETCHED:d} OR kline_rows.origin = {Origin.MADE:d})
     ELSE excluded.is_closed OR excluded.number_of_trades > kline_rows.number_of_trades END
"""
KEPT_ID = f"""
CASE WHEN excluded.{{id}} = {UNKNOWN} AND excluded.number_of_trades = kline_rows.number_of_trades
     THEN kline_rows.{{id}} ELSE excluded.{{id}} END
"""


def settled(new: State, old: State) -> State:
    """What is there when `new` comes where `old` was."""
    (candle, origin), (there, its_origin) = new, old
    if there.is_closed:
        replaces = candle.is_closed and (origin is Origin.FETCHED or its_origin is Origin.MADE)
    else:
        replaces = candle.is_closed or candle.number_of_trades > there.number_of_trades
    if not replaces:
        return old
    # REST tells no ids: those that a stream told of the same trades are not forgotten.
    if candle.number_of_trades != there.number_of_trades or UNKNOWN not in (
        candle.first_trade_id,
        candle.last_trade_id,
    ):
        return new
    first = there.first_trade_id if candle.first_trade_id == UNKNOWN else candle.first_trade_id
    last = there.last_trade_id if candle.last_trade_id == UNKNOWN else candle.last_trade_id
    return msgspec.structs.replace(candle, first_trade_id=first, last_trade_id=last), origin
