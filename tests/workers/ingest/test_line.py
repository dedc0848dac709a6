from collections import deque

import pytest

from fsnats.binance.streams import Market, parse
from workers.ingest.line import _ODD_KEPT, Line
from workers.ingest.track import NEXT, OLD, tracker_of


def _line(name: str = "btcusdt@ticker") -> Line:
    stream = parse(Market.SPOT, name)
    return Line(stream, "subject", False, tracker_of(stream) if "rade" in name else None)


def _at(time: int) -> bytes:
    return b'{"e":"24hrTicker","E":%d}' % time


def test_who_is_followed_from_now_on_stands_where_its_newest_message_was() -> None:
    line = _line()
    line.newest = _at(5)
    tracker = line.follow()
    assert (tracker.see(_at(5)), tracker.see(_at(6))) == (OLD, NEXT)
    assert line.follow() is tracker


def test_what_is_held_is_newer_than_what_was_published() -> None:
    line = _line()
    line.newest, line.held = _at(5), deque([(_at(6), 0, 0), (_at(7), 0, 0)])
    assert line.follow().see(_at(7)) is OLD


def test_a_newest_message_that_cannot_be_read_leaves_a_tracker_that_knows_nothing() -> None:
    line = _line()
    line.newest = b"<html>"
    assert line.follow().see(_at(1)) is NEXT


def test_copies_are_known_by_their_bytes_only_while_several_connections_bring_the_same() -> None:
    line = _line()
    assert [line.is_copy(b"odd"), line.is_copy(b"odd")] == [False, False]
    line.overlap()
    assert [line.is_copy(b"odd"), line.is_copy(b"odd")] == [False, True]
    for number in range(_ODD_KEPT):
        line.is_copy(b"%d" % number)
    assert not line.is_copy(b"odd"), "only the last ones are kept"


@pytest.mark.parametrize(("name", "is_followed"), [("btcusdt@ticker", False), ("btcusdt@aggTrade", True)])
def test_only_where_a_sequence_can_show_a_hole_are_payloads_always_looked_at(name: str, is_followed: bool) -> None:
    line = _line(name)
    line.overlap()
    line.briefly = True
    line.unfollow()
    assert (line.tracker is not None, line.odd, line.briefly) == (is_followed, None, False)
