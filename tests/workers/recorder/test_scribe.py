from fsnats import recording
from fsnats.binance.streams import Market
from fsnats.frames import GAP, RECOVERED, VERSION, Frame, encode
from fsnats.store import Origin, RawFrame, Rows, Series, Span
from workers.recorder.deliveries import Delivery
from workers.recorder.scribe import Scribe


def trade(number: int) -> bytes:
    return b'{"e":"aggTrade","E":1,"s":"BTCUSDT","a":%d,"p":"1.10","q":"2","f":%d,"l":%d,"T":1,"m":true}' % (
        number,
        number,
        number,
    )


def delivery(stream: str, payload: bytes, seq: int = 1, flags: int = 0) -> Delivery:
    return Delivery(Market.USDM, 1, seq, "", encode(Frame(VERSION, stream, 5, 7, seq, flags, payload)))


def scribe(*entries: str) -> Scribe:
    return Scribe([recording.read(entry) for entry in entries])


TRADES = Series(Market.USDM, "aggTrade", "BTCUSDT")


def rows(scribe: Scribe, *delivered: Delivery) -> list[Rows]:
    return list(scribe.sheet(delivered).batch().rows)


def test_frames_become_rows_of_their_series() -> None:
    (found,) = rows(scribe("usdm:*@aggTrade"), *(delivery("btcusdt@aggTrade", trade(number)) for number in (4, 5)))
    assert found.series == TRADES
    assert [each.agg_id for each in found.trades] == [4, 5]
    assert found.covered == [Span(4, 5)]


def test_what_was_fetched_after_a_loss_is_marked() -> None:
    (found,) = rows(scribe("usdm:*@aggTrade"), delivery("btcusdt@aggTrade", trade(4), flags=RECOVERED))
    assert found.origin is Origin.RECOVERED


def test_a_notice_of_a_gap_is_no_row_and_covers_nothing() -> None:
    writes = scribe("usdm:*@aggTrade")
    found = rows(
        writes,
        delivery("btcusdt@aggTrade", trade(4)),
        delivery("btcusdt@aggTrade", b'{"e":"gap","from":5,"to":6}', 2, GAP),
        delivery("btcusdt@aggTrade", trade(7), 3),
    )
    assert found[0].covered == [Span(4, 4), Span(7, 7)]
    assert writes.counts == {"read": 3, "gaps": 1}


def test_streams_that_nobody_asked_for_are_passed_over() -> None:
    writes = scribe("usdm:*usdt@aggTrade")
    assert rows(writes, delivery("ethbtc@aggTrade", trade(4)), delivery("no such", b"{}")) == []
    assert writes.counts["unwanted"] == 2


def test_what_cannot_be_read_disturbs_nothing_else() -> None:
    writes = scribe("usdm:*@aggTrade")
    broken = Delivery(Market.USDM, 1, 1, "", b"rubbish")
    found = rows(writes, broken, delivery("btcusdt@aggTrade", b"{}"), delivery("btcusdt@aggTrade", trade(4)))
    assert [each.agg_id for each in found[0].trades] == [4]
    assert writes.counts["unreadable"] == 2
    assert "missing required field" in writes.sample


def test_raw_frames_are_kept_as_they_came_notices_too() -> None:
    writes = scribe("raw:usdm:btcusdt@depth")
    batch = writes.sheet(
        [delivery("btcusdt@depth", b'{"b":[]}', 1), delivery("btcusdt@depth", b'{"e":"gap"}', 2, GAP)]
    ).batch()
    assert batch.frames == [
        RawFrame(Market.USDM, "btcusdt@depth", 5, 7, 1, 0, b'{"b":[]}'),
        RawFrame(Market.USDM, "btcusdt@depth", 5, 7, 2, GAP, b'{"e":"gap"}'),
    ]
    assert batch.rows == []


def test_one_stream_can_be_both() -> None:
    batch = scribe("usdm:*@aggTrade", "raw:usdm:*@aggTrade").sheet([delivery("btcusdt@aggTrade", trade(4))]).batch()
    assert (len(batch.rows), len(batch.frames)) == (1, 1)
