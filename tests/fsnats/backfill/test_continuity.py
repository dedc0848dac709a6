import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.backfill.continuity import Continuity, look
from fsnats.binance.streams import Market
from fsnats.candles.calendar import MINUTE
from fsnats.store import Batch, RawAggTrade, Rows, Series, Span
from tests.fsnats.backfill.exchange import Kept, candle

START = 1_700_000_040_000
MINUTES = Series(Market.USDM, "kline", "BTCUSDT", "1m")
TRADES = Series(Market.USDM, "aggTrade", "BTCUSDT")


def at(number: int) -> int:
    return START + number * MINUTE


def keys(spans: list[Span], step: int) -> set[int]:
    return {key for span in spans for key in range(span.first, span.last + 1, step)}


@pytest.mark.parametrize("page", [3, 5000])
@given(
    there=st.sets(st.integers(0, 30)),
    half=st.sets(st.integers(0, 30)),
    covered=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted), max_size=3),
)
async def test_every_candle_is_there_or_absent_or_unknown(
    page: int, there: set[int], half: set[int], covered: list[list[int]]
) -> None:
    store = Kept()
    rows = [candle(MINUTES, at(each), closed=each not in half) for each in sorted(there)]
    spans = [Span(at(a), at(b)) for a, b in covered]
    await store.write(Batch([Rows(MINUTES, klines=rows, covered=spans)]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fsnats.backfill.continuity._PAGE", page)
        found = await look(store, MINUTES, Span(at(0), at(30)))
    closed = there - half
    assert found.rows == len(closed)
    assert (found.first, found.last) == ((at(min(closed)), at(max(closed))) if closed else (None, None))
    known = {each for a, b in covered for each in range(a, b + 1)}
    assert keys(found.absent, MINUTE) == {at(each) for each in known - closed}
    assert keys(found.unknown, MINUTE) == {at(each) for each in set(range(31)) - known - closed}


async def test_trades_are_looked_at_by_their_ids() -> None:
    store = Kept()
    rows = [RawAggTrade("BTCUSDT", "1", "1", START, number, number, number, True) for number in (3, 4, 7)]
    await store.write(Batch([Rows(TRADES, trades=rows, covered=[Span(2, 5)])]))
    assert await look(store, TRADES, Span(2, 8)) == Continuity(
        TRADES, Span(2, 8), 3, 3, 7, [Span(2, 2), Span(5, 5)], [Span(6, 6), Span(8, 8)]
    )
