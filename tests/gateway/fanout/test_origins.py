from fsnats.binance.streams import Market, parse
from gateway.effects import Form
from gateway.fanout.lane import Lane
from gateway.fanout.origins import EVENT, REPLY, Origins

LANE = Lane(parse(Market.SPOT, "a@trade"), Form(b"", b""))


def test_a_frame_is_found_by_itself_and_not_by_what_is_in_it() -> None:
    origins = Origins()
    frame, twin = b"%d" % 12345, b"%d" % 12345
    origins.note(frame, LANE, 7, EVENT)

    assert origins.of([frame, twin]) == [(frame, LANE, 7, EVENT), (twin, None, 0, REPLY)]
    assert origins.noted_bytes == 5


def test_frames_are_remembered_until_it_was_turned_over_twice() -> None:
    origins = Origins()
    frame = b"%d" % 12345
    origins.note(frame, LANE, 7, EVENT)
    origins.turn_over()
    assert origins.of([frame])[0][3] == EVENT

    origins.turn_over()
    assert origins.of([frame])[0][3] == REPLY
    assert len(origins) == 0


def test_everything_is_forgotten_at_once() -> None:
    origins = Origins()
    origins.note(b"%d" % 12345, LANE, 7, EVENT)
    origins.clear()

    assert (len(origins), origins.noted_bytes) == (0, 0)
