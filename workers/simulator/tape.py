"""The trades that REST tells of: aggregate ones and single ones, from the market model or from what a load said."""

from collections.abc import Callable, Iterator

from fsnats.binance.parameters import Query, RestError, integer, limit_of
from fsnats.binance.streams import Market
from workers.simulator.instruments import Instrument
from workers.simulator.issued import Issued
from workers.simulator.minutes import EPOCH, MINUTE, Trade, first_trade, trades_per_minute
from workers.simulator.world import World

_AGE = 48 * 3_600_000  # USD-M answers for no older aggregate trades
_NO_KEY = RestError(-2014, "API-key format invalid.", 401)


class Tape:
    """Trades by id and by time."""

    def __init__(self, world: World) -> None:
        self._world = world

    def aggregates(self, instrument: Instrument, query: Query, now: int) -> bytes:
        """`aggTrades`."""
        limit = limit_of(query, 500, 1000)
        start, end, from_id = integer(query, "startTime"), integer(query, "endTime"), integer(query, "fromId")
        if instrument.market is Market.USDM and start is not None and start < now - _AGE:
            raise RestError(-4166, "Search window is restricted to recent 48 hours.")
        size, said = instrument.aggregates, self._world.issued.get(("aggTrade", instrument.key))

        def before(time: int) -> int:
            """The id of the first trade at or after a time."""
            if said is not None and said.knows(time):
                return said.at(time)
            minute = self._world.model.at(instrument, time)
            return (minute.number - EPOCH) * size + minute.count_at(time - 1)

        first, stop = _stretch(before, instrument, said, limit, start, end, from_id, now)
        return _array(self._aggregate(instrument, said, number) for number in range(first, stop))

    def trades(self, instrument: Instrument, query: Query, now: int, *, old: bool) -> bytes:
        """`trades`, or `historicalTrades` when `old`, which futures give only to those with a key."""
        if old and instrument.market is not Market.SPOT:
            raise _NO_KEY
        limit = limit_of(query, 500, 1000)
        from_id = integer(query, "fromId") if old else None
        said = self._world.issued.get(("trade", instrument.key))

        def before(time: int) -> int:
            if said is not None and said.knows(time):
                return said.at(time)
            minute = self._world.model.at(instrument, time)
            count = minute.count_at(time - 1)
            return first_trade(instrument, minute.number) + count + count // 3

        first, stop = _stretch(before, instrument, said, limit, None, None, from_id, now)
        return _array(self._single(instrument, said, number) for number in range(first, stop))

    def _aggregate(self, instrument: Instrument, said: Issued | None, number: int) -> str:
        if said is not None and number >= said.begun:
            price, quantity, maker = said.price, said.quantity, said.maker
            earliest = latest = number
            time = said.time_of(number)
        else:
            minute, index = divmod(number, instrument.aggregates)
            trade = self._world.model.at(instrument, (minute + EPOCH) * MINUTE).trade(index)
            price, quantity, maker = instrument.price(trade.price), instrument.quantity(trade.quantity), trade.maker
            earliest, latest, time = trade.first, trade.last, trade.time
        normal = f'"nq":"{quantity}",' if instrument.market is Market.USDM else ""
        best = ',"M":true' if instrument.market is Market.SPOT else ""
        return (
            f'{{"a":{number},"p":"{price}","q":"{quantity}",{normal}"f":{earliest},"l":{latest},"T":{time},'
            f'"m":{_json(maker)}{best}}}'
        )

    def _single(self, instrument: Instrument, said: Issued | None, number: int) -> str:
        if said is not None and number >= said.begun:
            price, quantity, worth = said.price, said.quantity, f"{float(said.price) * float(said.quantity):.8f}"
            time, maker = said.time_of(number), said.maker
        else:
            trade, steps = self._fill(instrument, number)
            price, quantity, time, maker = (
                instrument.price(trade.price),
                instrument.quantity(steps),
                trade.time,
                trade.maker,
            )
            if instrument.market is Market.COINM:
                inverse = instrument.contract_size * int(10 ** (8 + instrument.tick_digits))
                worth = instrument.turnover(steps * inverse // trade.price)
            else:
                worth = instrument.turnover(trade.price * steps)
        other = "baseQty" if instrument.market is Market.COINM else "quoteQty"
        best = ',"isBestMatch":true' if instrument.market is Market.SPOT else ""
        return (
            f'{{"id":{number},"price":"{price}","qty":"{quantity}","{other}":"{worth}","time":{time},'
            f'"isBuyerMaker":{_json(maker)}{best}}}'
        )

    def _fill(self, instrument: Instrument, number: int) -> tuple[Trade, int]:
        """The aggregate of a single trade, and the trade's own quantity."""
        minute, within = divmod(number, trades_per_minute(instrument.aggregates))
        group, place = divmod(within, 4)  # three aggregates are four trades
        index = group * 3 + min(place, 2)
        at = self._world.model.at(instrument, (minute + EPOCH) * MINUTE)
        return at.trade(index), dict(at.fills(index))[number]


def _stretch(
    before: Callable[[int], int],
    instrument: Instrument,
    said: Issued | None,
    limit: int,
    start: int | None,
    end: int | None,
    from_id: int | None,
    now: int,
) -> tuple[int, int]:
    """The first id to tell, and the one to stop at."""
    stop = said.following if said is not None and end is None else before(min(now, now if end is None else end) + 1)
    if from_id is not None:
        first = from_id
    elif start is not None:
        first = before(start)
    else:
        first = stop - limit
    first = max(first, before(instrument.listed))
    if said is not None and first >= said.begun:
        first = max(first, said.first)
    return first, min(first + limit, stop)


def _array(rows: Iterator[str]) -> bytes:
    return f"[{','.join(rows)}]".encode()


def _json(value: bool) -> str:
    return "true" if value else "false"
