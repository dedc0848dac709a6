import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.fleet.streams import KnownBy, Sort, State, StreamRow, Streams, StreamsRequest, encode, merged
from fsnats.offset import Offset

ROW = StreamRow(
    *("btcusdt@trade", Market.SPOT, "ingest-spot-0", ["ingest-spot-0-0"], State.FLOWS, 10, 1000, 1.0, 100.0, 0.5, 7.0),
    *(None, KnownBy.UNKNOWN, None, 0, 0),
)


def row(stream: str, market: Market = Market.SPOT, **fields: object) -> StreamRow:
    return msgspec.structs.replace(ROW, stream=stream, market=market, **fields)


def answer(*rows: StreamRow, total: int | None = None) -> bytes:
    market = rows[0].market if rows else Market.SPOT
    return encode(Streams("ingest", 1, market, 100, len(rows) if total is None else total, list(rows)))


def names(request: StreamsRequest, *answers: bytes) -> list[str]:
    return [each.stream for each in merged(answers, request, {}).streams]


def test_the_most_come_first_of_whatever_worker() -> None:
    one, other = answer(row("a", rate=5.0), row("b", rate=1.0)), answer(row("c", Market.USDM, rate=3.0))
    assert names(StreamsRequest(), one, other) == ["a", "c", "b"]
    assert names(StreamsRequest(limit=2), one, other) == ["a", "c"]


def test_what_is_not_known_comes_last_and_names_decide_between_equals() -> None:
    rows = answer(row("z", lag_ms=None), row("b"), row("a"), row("c", lag_ms=8.0))
    assert names(StreamsRequest(sort=Sort.LAG), rows) == ["c", "a", "b", "z"]
    assert names(StreamsRequest(sort=Sort.NAME), rows) == ["a", "b", "c", "z"]


def test_it_is_told_how_many_there_are() -> None:
    found = merged([answer(row("a"), total=50), answer(total=7)], StreamsRequest(limit=1), {})
    assert (found.carried, found.total, len(found.streams)) == (200, 57, 1)


def test_lag_is_by_the_exchanges_clock_where_that_is_known() -> None:
    rows = [answer(row("a", lag_ms=100.0), row("n", lag_ms=None)), answer(row("b", Market.USDM, lag_ms=100.0))]
    offsets = {Market.SPOT: Offset(Market.SPOT, -60.04, 1.0, 1)}
    found = merged(rows, StreamsRequest(sort=Sort.LAG), offsets)
    assert [(each.stream, each.lag_ms) for each in found.streams] == [("b", 100.0), ("a", 40.0), ("n", None)]


@given(
    st.lists(st.lists(st.one_of(st.none(), st.integers(0, 5).map(float)), max_size=8), max_size=4), st.integers(1, 9)
)
def test_workers_that_cut_lose_nothing_that_belongs_to_the_first(rates: list[list[float | None]], limit: int) -> None:
    request = StreamsRequest(limit=limit)
    rows = [[row(f"s{w}-{n}", rate=rate) for n, rate in enumerate(each)] for w, each in enumerate(rates)]
    cut = [answer(*merged([answer(*each)], request, {}).streams) for each in rows]
    assert names(request, *cut) == names(request, *(answer(*each) for each in rows))
