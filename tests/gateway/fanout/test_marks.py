import json

from fsnats.binance.streams import Market
from fsnats.frames import VERSION, Frame
from fsnats.offset import Offset
from gateway.effects import Form, Marks
from gateway.fanout.marks import Hops, marks_of, snapshot

FORM = Form(b'{"type":"trade","data":', b"}", b"gap")
FRAME = Frame(VERSION, "btcusdt@trade", 5_000_000, 7, 3, 0, b'{"e":"trade","E":1763625612345,"s":"BTCUSDT"}', 6_000_000)
HOPS = Hops(lambda: 7_000_000, lambda: 8_000_000, {Market.SPOT: Offset(Market.SPOT, -2.25, 1.0, 5)})


def _message(marks: bytes, frame: Frame = FRAME) -> dict[str, object]:
    message: dict[str, object] = json.loads(FORM.marked(marks) + frame.payload + FORM.suffix)
    return message


def test_a_place_is_the_epoch_and_the_number_within_it() -> None:
    message = _message(marks_of(FRAME, Marks.PLACE, HOPS, Market.SPOT))
    assert message == {"type": "trade", "epoch": 7, "seq": 3, "data": json.loads(FRAME.payload)}


def test_stamps_tell_every_hop_and_how_far_the_exchanges_clock_is_ahead() -> None:
    assert _message(marks_of(FRAME, Marks.STAMPS, HOPS, Market.SPOT))["stamps"] == {
        "event": 1763625612345,
        "received": 5_000_000,
        "published": 6_000_000,
        "gateway": 7_000_000,
        "sent": 8_000_000,
        "offset": -2.2,
    }


def test_what_is_not_known_is_null() -> None:
    frame = Frame(VERSION, "btcusdt@depth5", 5, 7, 3, 0, b'{"lastUpdateId":1}', 6)
    stamps = _message(marks_of(frame, Marks.STAMPS, HOPS, Market.USDM), frame)["stamps"]
    assert isinstance(stamps, dict)
    assert (stamps["event"], stamps["offset"]) == (None, None)


def test_who_asks_for_nothing_gets_no_marks() -> None:
    assert marks_of(FRAME, Marks.NONE, HOPS, Market.SPOT) == b""
    assert FORM.marked(b"") == FORM.prefix


def test_a_snapshot_says_when_its_value_was_received() -> None:
    message = _message(snapshot(FRAME))
    assert (message["snapshot"], message["received"]) == (True, 5)
