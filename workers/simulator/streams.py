"""Which feed each stream type has: the table between the names of streams and what they say."""

from collections.abc import Callable

from fsnats.binance.streams import Market, Scope, Stream
from workers.simulator import payloads
from workers.simulator.book import TICK, last_tick
from workers.simulator.feeds import BookTickers, Depth, Feed, Klines, Periodic, SayCandle, Trades, partial_depth
from workers.simulator.instruments import Instrument, number
from workers.simulator.minutes import Bar
from workers.simulator.world import World


def build(world: World, stream: Stream, now: int) -> Feed | None:
    """The feed of a stream; None where nothing of that name trades, and for streams that speak only when told."""
    if stream.scope is Scope.ALL:
        return _all_market(world, stream, now)
    if stream.scope is Scope.PAIR:
        return _pair(world, stream, now)
    if stream.scope is Scope.ASSET:
        known = stream.subject in dict(world.derived.assets(now))
        return _periodic(stream, now, lambda at: [world.derived.asset(stream.subject, at)]) if known else None
    if stream.scope is Scope.CONTRACT:
        kind = stream.subject[len(stream.pair) + 1 :]
        instrument = world.exchange.contract(stream.market, stream.pair, kind)
        return Klines(world, stream, instrument, now, payloads.continuous_kline) if instrument is not None else None
    instrument = world.exchange.get(stream.market, stream.subject)
    if instrument is None or not instrument.trading:
        return None
    return _symbol(world, stream, instrument, now)


def _periodic(stream: Stream, now: int, say: Callable[[int], list[bytes]], *, phase: bool = True) -> Feed:
    return Periodic(int(stream.cadence * 1000), now, say, number(stream.name) if phase else 0)


def _symbol(world: World, stream: Stream, instrument: Instrument, now: int) -> Feed | None:
    spot = stream.market is Market.SPOT
    period = int(stream.cadence * 1000)
    derived, windows = world.derived, world.windows
    match stream.kind:
        case "aggTrade" | "trade":
            single = stream.kind == "trade"
            return Trades(world, instrument, now, single=single, delay=0 if spot or single else 100)
        case "kline":
            return Klines(world, stream, instrument, now, payloads.kline)
        case "markPriceKline":
            return Klines(world, stream, instrument, now, derived_kline(index=False))
        case "depth" | "rpiDepth":
            return Depth(world, instrument, max(period, TICK), now)
        case "partialDepth":
            levels = int(stream.name.split("@")[1].removeprefix("depth"))
            return Periodic(period, now, partial_depth(world, instrument, levels, period))
        case "bookTicker":
            return BookTickers(world, lambda: [instrument], TICK, now)
        case "miniTicker":
            return _periodic(
                stream, now, lambda at: [payloads.mini_ticker(instrument, windows.at(instrument, 24, at), at).encode()]
            )
        case "ticker":
            return _periodic(stream, now, lambda at: [ticker_row(world, instrument, at).encode()])
        case "windowTicker":
            name = stream.name.rpartition("_")[2]
            return _periodic(stream, now, lambda at: [_window_row(world, instrument, name, at).encode()])
        case "avgPrice":
            return _periodic(stream, now, lambda at: [derived.average_price(instrument, at)])
        case "referencePrice":
            return _periodic(
                stream, now, lambda at: [payloads.reference_price(instrument, world.model.price(instrument, at), at)]
            )
        case "blockTrade":
            return Periodic(1000, now, lambda at: derived.block_trades(instrument, at))
        case "markPrice":
            return _periodic(stream, now, lambda at: [derived.mark_row(instrument, at).encode()], phase=False)
        case "forceOrder":
            return Periodic(1000, now, lambda at: derived.liquidations([instrument], at))
        case "compositeIndex":
            if instrument.kind == "INDEX":
                return _periodic(stream, now, lambda at: [derived.composite_index(instrument, at)])
    return None


def _pair(world: World, stream: Stream, now: int) -> Feed | None:
    contracts = world.exchange.contracts(stream.market, stream.subject)
    if not contracts:
        return None
    derived = world.derived
    match stream.kind:
        case "pairMarkPrice":
            return _periodic(
                stream,
                now,
                lambda at: [array([derived.mark_row(each, at) for each in contracts])],
                phase=False,
            )
        case "indexPrice":
            return _periodic(
                stream,
                now,
                lambda at: [payloads.index_price(stream.subject, derived.index(contracts[0], at), at)],
                phase=False,
            )
        case "indexPriceKline":
            return Klines(world, stream, contracts[0], now, derived_kline(index=True))
    return None


def _all_market(world: World, stream: Stream, now: int) -> Feed | None:
    derived = world.derived

    def rows(say: Callable[[Instrument, int], str]) -> Feed:
        """An array of the instruments that traded since the last one."""
        period = int(stream.cadence * 1000)

        def changed(at: int) -> list[bytes]:
            moved = [each for each in _everything(world, stream.market) if _traded(world, each, at - period, at)]
            return [array([say(each, at) for each in moved])] if moved else []

        return _periodic(stream, now, changed)

    match stream.kind:
        case "miniTickers":
            return rows(lambda each, at: payloads.mini_ticker(each, world.windows.at(each, 24, at), at))
        case "tickers":
            return rows(lambda each, at: ticker_row(world, each, at))
        case "windowTickers":
            name = stream.name.removeprefix("!ticker_").removesuffix("@arr")
            return rows(lambda each, at: _window_row(world, each, name, at))
        case "bookTickers":
            period = int(stream.cadence * 1000) or TICK
            return BookTickers(world, lambda: _everything(world, stream.market), period, now)
        case "markPrices":
            return _periodic(stream, now, lambda at: derived.mark_arrays(at), phase=False)
        case "forceOrders":
            return Periodic(1000, now, lambda at: derived.liquidations(_everything(world, stream.market), at))
        case "assetIndexes":
            return _periodic(stream, now, lambda at: [array([row for _, row in derived.assets(at)])])
        case "tradingSession":
            return _periodic(stream, now, derived.sessions)
    return None  # !contractInfo speaks when something is listed


def _everything(world: World, market: Market) -> list[Instrument]:
    """What an all-market stream covers: on futures both markets, on both hosts, since 2026-06-30."""
    if market is Market.SPOT:
        return world.exchange.trading(market)
    return world.exchange.trading(Market.USDM) + world.exchange.trading(Market.COINM)


def _traded(world: World, instrument: Instrument, after: int, until: int) -> bool:
    """Whether there was a trade in a short time."""
    minute = world.model.at(instrument, until)
    return after < minute.start or minute.count_at(after) != minute.count_at(until)


def ticker_row(world: World, instrument: Instrument, now: int) -> str:
    """An instrument's 24 h ticker."""
    best = world.book(instrument).best(last_tick(now))
    return payloads.ticker(instrument, world.windows.at(instrument, 24, now), best, now)


def _window_row(world: World, instrument: Instrument, name: str, now: int) -> str:
    hours = 24 if name == "1d" else int(name[:-1])
    return payloads.window_ticker(instrument, name, world.windows.at(instrument, hours, now), now)


def array(rows: list[str]) -> bytes:
    """Rows as one JSON array."""
    return f"[{','.join(rows)}]".encode()


def derived_kline(*, index: bool) -> SayCandle:
    """How candles of index and mark prices are written."""

    def say(instrument: Instrument, interval: str, opens: int, closes: int, bar: Bar, closed: bool, now: int) -> bytes:
        return payloads.derived_kline(instrument, interval, opens, closes, bar, closed, now, index=index)

    return say
