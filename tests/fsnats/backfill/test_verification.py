from pathlib import Path

import msgspec
import pytest

from fsnats.backfill.comparison import Difference
from fsnats.backfill.verification import Verdict, ways
from fsnats.backfill.verification import verify as verified
from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.candles.calendar import DAY, HOUR, MINUTE
from fsnats.errors import ExchangeUnavailable
from fsnats.history import RestReply
from fsnats.store import Batch, RawAggTrade, Rows, Series, Span
from fsnats.store.forms import kline_of
from tests.fsnats.backfill.exchange import Exchange, Kept, asking, candle, candle_row
from tests.fsnats.candles.recorded import archived, table

START = 472_222 * HOUR
HOURS = Series(Market.SPOT, "kline", "BTCUSDT", "1h")
MINUTES = msgspec.structs.replace(HOURS, interval="1m")
TRADES = Series(Market.SPOT, "aggTrade", "BTCUSDT")


def hour(number: int) -> int:
    return START + number * HOUR


async def verify(exchange: Exchange, bus: MemoryBus, store: Kept, series: Series, span: Span) -> list[Verdict]:
    done: list[int] = []
    verdicts = await verified(store, asking(bus), series, span, done.append)
    assert sum(done) == (len(range(span.first, span.last + 1, DAY if series.interval == "1d" else HOUR)))
    return verdicts


async def test_what_is_the_same_what_differs_and_what_is_not_known() -> None:
    bus = MemoryBus()
    exchange = Exchange(bus, "1h", [hour(number) for number in range(10) if number != 4])
    store = Kept()
    rows = [candle(HOURS, hour(number)) for number in (0, 1, 2, 4, 8)]
    rows[1] = msgspec.structs.replace(rows[1], volume="11", close="1.6")
    rows.append(candle(HOURS, hour(9), closed=False))
    await store.write(Batch([Rows(HOURS, klines=rows, covered=[Span(hour(0), hour(5))])]))
    (verdict,) = await verify(exchange, bus, store, HOURS, Span(hour(0), hour(9)))
    assert (verdict.way, verdict.compared, verdict.unknown) == ("stored", 7, 3)
    assert verdict.differences == [
        Difference(hour(1), "close", "1.6", "1.5"),
        Difference(hour(1), "volume", "11", "10"),
        Difference(hour(3), "candle", "none", "there"),
        Difference(hour(4), "candle", "there", "none"),
        Difference(hour(5), "candle", "none", "there"),
    ]


async def test_what_neither_has_is_not_compared() -> None:
    bus = MemoryBus()
    exchange, store = Exchange(bus, "1h", [hour(1)]), Kept()
    await store.write(Batch([Rows(HOURS, klines=[candle(HOURS, hour(1))], covered=[Span(hour(0), hour(3))])]))
    (verdict,) = await verify(exchange, bus, store, HOURS, Span(hour(0), hour(3)))
    assert (verdict.compared, verdict.unknown, verdict.differences) == (1, 0, [])


async def test_candles_made_of_minutes_are_compared_where_they_are_whole() -> None:
    bus = MemoryBus()
    exchange = Exchange(bus, "1h", map(hour, range(4)))
    row = candle_row(HOURS, 0)
    # Sixty minutes as they are in the store.
    row[5], row[7], row[8], row[9], row[10] = "600", "900", 180, "240", "360"
    exchange.rows = {hour(number): [hour(number), *row[1:6], hour(number + 1) - 1, *row[7:]] for number in range(4)}
    exchange.rows[hour(1)][8] = 181
    store = Kept()
    minutes = [candle(MINUTES, START + number * MINUTE) for number in range(200)]
    await store.write(Batch([Rows(MINUTES, klines=minutes)]))
    (verdict,) = await verify(exchange, bus, store, HOURS, Span(hour(0), hour(3)))
    assert (verdict.way, verdict.compared, verdict.unknown) == ("1m", 3, 1)
    assert verdict.differences == [Difference(hour(1), "trades", "180", "181")]


async def test_candles_made_of_trades_are_compared_where_they_are_whole() -> None:
    bus = MemoryBus()
    exchange, store = Exchange(bus, "1h", map(hour, range(3))), Kept()
    trades = [
        RawAggTrade("BTCUSDT", "1.5", "1", hour(number) - 1, 10 + number, number, number, True) for number in range(4)
    ]
    await store.write(Batch([Rows(TRADES, trades=trades)]))
    exchange.rows = {
        hour(1): [hour(1), "1.5", "1.5", "1.5", "1.5", "1", hour(2) - 1, "1.5", 1, "0", "0.0", "0"],
    }
    (verdict,) = await verify(exchange, bus, store, HOURS, Span(hour(0), hour(2)))
    assert (verdict.way, verdict.compared, verdict.unknown) == ("trades", 2, 1)
    assert {one.open_ms for one in verdict.differences} == {hour(0)}


async def test_each_series_is_known_in_the_ways_that_the_store_has() -> None:
    store = Kept()
    coinm = Series(Market.COINM, "kline", "BTCUSD_PERP", "1h")
    for series in (HOURS, MINUTES, TRADES, msgspec.structs.replace(coinm, kind="aggTrade", interval="")):
        await store.write(Batch([Rows(series)]))
    assert await ways(store, HOURS) == ["stored", "1m", "trades"]
    assert await ways(store, MINUTES) == ["stored", "trades"]
    assert await ways(store, msgspec.structs.replace(HOURS, interval="1d")) == ["1m", "trades"]
    assert await ways(store, msgspec.structs.replace(HOURS, name="ETHUSDT")) == []
    assert await ways(store, coinm) == []


async def test_nothing_is_asked_of_the_exchange_where_there_is_nothing_to_compare() -> None:
    bus = MemoryBus()
    exchange = Exchange(bus, "1h", map(hour, range(4)))
    assert await verified(Kept(), asking(bus), HOURS, Span(hour(0), hour(3)), lambda keys: None) == []
    assert exchange.asked == []


async def test_what_are_no_candles_is_not_compared() -> None:
    bus = MemoryBus()
    exchange, store = Exchange(bus), Kept()
    exchange.replies = [RestReply(200, b"{}")]
    await store.write(Batch([Rows(HOURS)]))
    with pytest.raises(ExchangeUnavailable):
        await verified(store, asking(bus), HOURS, Span(hour(0), hour(3)), lambda keys: None)


async def test_why_a_comparison_ends_early_is_told() -> None:
    bus = MemoryBus()
    exchange, store = Exchange(bus, "1h", map(hour, range(3))), Kept()
    back = [RawAggTrade("BTCUSDT", "1.5", "1", hour(1) - each, each, each, each, True) for each in range(3)]
    rows = [candle(HOURS, hour(each)) for each in range(3)]
    await store.write(Batch([Rows(TRADES, trades=back), Rows(HOURS, klines=rows)]))
    stored, trades = await verify(exchange, bus, store, HOURS, Span(hour(0), hour(2)))
    assert (stored.compared, stored.refused) == (3, "")
    assert (trades.compared, trades.refused) == (0, "trade 1: older than trade 0")
    exchange.replies = [RestReply(400, b'{"code":-1121,"msg":"Invalid symbol."}')]
    verdicts = await verified(store, asking(bus), HOURS, Span(hour(0), hour(2)), lambda keys: None)
    assert [one.refused for one in verdicts] == ["the exchange refuses it: Invalid symbol. (-1121)"] * 2


@pytest.mark.recorded
async def test_recorded_minutes_are_verified_against_binances_own_days(recordings: Path) -> None:
    bars, days = archived(recordings), table(recordings, "spot.BTCUSDT.1d")
    bus = MemoryBus()
    exchange = Exchange(bus, "1d", [row.t for row in days])
    exchange.rows = {row.t: list(msgspec.structs.astuple(row)) for row in days}
    store, series = Kept(), msgspec.structs.replace(HOURS, interval="1d")
    await store.write(Batch([Rows(MINUTES, klines=[kline_of(bar, "1m") for bar in bars])]))
    span = Span(bars[0].t - DAY, bars[0].t + 3 * DAY)
    (verdict,) = await verify(exchange, bus, store, series, span)
    assert (verdict.way, verdict.compared, verdict.unknown, verdict.differences) == ("1m", 3, 2, [])
    # One trade more in one minute of 4,320 shows.
    one = kline_of(bars[2000], "1m")
    await store.write(
        Batch([Rows(MINUTES, klines=[msgspec.structs.replace(one, number_of_trades=one.number_of_trades + 1)])])
    )
    (verdict,) = await verify(exchange, bus, store, series, span)
    assert [(each.open_ms, each.field) for each in verdict.differences] == [(bars[0].t + DAY, "trades")]
