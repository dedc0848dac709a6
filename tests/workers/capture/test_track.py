import json

from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market, parse
from fsnats.frames import CONTINUES, GAP, VERSION, Frame, Key, follows, key_of
from workers.capture.track import AWAY, HELD_MOST, LOST, RESTARTED, Track, Verdict

STREAM = parse(Market.SPOT, "btcusdt@depth")


def frame(seq: int, epoch: int = 1, flags: int = 0) -> Frame:
    return Frame(VERSION, STREAM.name, seq * 1_000_000_000, epoch, seq, flags, b"%d" % seq)


def told(frames: list[Frame]) -> list[object]:
    """The numbers of frames; of notices the reason and what is missing."""
    return [
        (notice["reason"], notice.get("missed"), notice["from"], notice["to"])
        if each.flags & GAP and (notice := json.loads(each.payload))
        else each.seq
        for each in frames
    ]


def test_what_follows_is_written_and_what_came_already_is_not() -> None:
    track = Track(STREAM)
    verdicts = [track.take(each) for each in (frame(5), frame(6), frame(6), frame(4), frame(7, 2, CONTINUES), frame(6))]
    assert verdicts == [Verdict.WRITE, Verdict.WRITE, Verdict.PASS, Verdict.PASS, Verdict.WRITE, Verdict.PASS]


def test_behind_a_hole_everything_waits_until_it_is_filled() -> None:
    track = Track(STREAM)
    track.take(frame(1))
    assert [track.take(frame(seq)) for seq in (4, 5)] == [Verdict.HOLE, Verdict.HELD]
    assert track.is_waiting
    assert track.held_bytes == 2
    assert not track.reaches([])
    assert not track.reaches([frame(2)])
    assert track.reaches([frame(2), frame(3)])
    assert told(list(track.filled([frame(2), frame(3), frame(4)]))) == [2, 3, 4, 5]
    assert (track.is_waiting, track.held_bytes) == (False, 0)
    assert track.take(frame(6)) is Verdict.WRITE


def test_what_cannot_be_had_is_told_where_it_is_missing() -> None:
    track = Track(STREAM)
    track.take(frame(1))
    track.take(frame(5))
    # The window does not have 2 any more, and is not to be waited for.
    assert track.reaches([frame(3), frame(4), frame(5)])
    pieces = list(track.filled([frame(3), frame(4), frame(5)]))
    assert told(pieces) == [(LOST, 1, 1000, 3000), 3, 4, 5]
    assert json.loads(pieces[0].payload)["resync"] is True  # it is a book's stream
    assert (pieces[0].epoch, pieces[0].seq) == (0, 0)  # no frame of the stream


def test_another_worker_that_does_not_know_what_is_missing_is_told() -> None:
    track = Track(STREAM)
    track.take(frame(8))
    assert track.take(frame(1, epoch=2)) is Verdict.HOLE
    assert told(list(track.filled([]))) == [(RESTARTED, None, 8000, 1000), 1]


def test_where_an_earlier_capture_stopped_this_one_goes_on() -> None:
    track = Track(STREAM, key=(1, 3), last_ns=3_000_000_000)
    assert track.take(frame(4)) is Verdict.WRITE
    track = Track(STREAM, key=(1, 3), last_ns=3_000_000_000)
    assert track.take(frame(9)) is Verdict.HOLE
    assert told(list(track.filled([frame(8)]))) == [(AWAY, 4, 3000, 8000), 8, 9]
    track.take(frame(11))
    assert told(list(track.filled([]))) == [(LOST, 1, 9000, 11000), 11]


def test_it_can_wait_before_anything_new_comes() -> None:
    track = Track(STREAM, key=(1, 3))
    track.wait()
    assert track.reaches([])
    assert track.take(frame(6)) is Verdict.HELD
    track.wait()
    assert told(list(track.filled([frame(4), frame(5)]))) == [4, 5, 6]


def test_a_hole_with_too_much_behind_it_is_given_up() -> None:
    track = Track(STREAM, key=(1, 1))
    verdicts = [track.take(frame(3 + number)) for number in range(HELD_MOST + 1)]
    assert verdicts[0] is Verdict.HOLE
    assert verdicts[-1] is Verdict.OVERRUN
    assert len(list(track.filled([]))) == HELD_MOST + 2


def test_what_was_refused_shows_with_the_next_frame_or_is_told_at_the_end() -> None:
    track = Track(STREAM)
    track.refuse(frame(1))
    track.refuse(frame(2))
    assert track.take(frame(3)) is Verdict.HOLE
    assert told(list(track.close())) == [(LOST, 2, 1000, 3000), 3]

    track = Track(STREAM)
    track.take(frame(1))
    track.refuse(frame(4))
    assert told(list(track.close())) == [(LOST, 3, 1000, 4000)]
    assert told(list(Track(STREAM).close())) == []


SENT = st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=25)


@given(SENT, st.data())
def test_everything_is_written_once_in_order_or_told(sent: list[tuple[int, bool]], data: st.DataObject) -> None:
    """A worker sends, some frames are lost on the way, and holes are filled from a window at any later moment."""
    track, written, window, seq = Track(STREAM), list[Frame](), list[Frame](), 0
    for step, lost in sent:
        seq += step if lost else 1  # of a step above one, frames never were in the window either
        window.append(frame(seq))
        if not lost and track.take(frame(seq)) is Verdict.WRITE:
            written.append(frame(seq))
        if track.is_waiting and data.draw(st.booleans()):
            written += track.filled([each for each in window if track.key is None or key_of(each) > track.key])
    written += track.close()
    place: Key | None = None
    for each in written:
        if each.flags & GAP:
            place = None  # told
            continue
        assert place is None or follows(place, each)
        place = key_of(each)
    keys = [key_of(each) for each in written if not each.flags & GAP]
    assert keys == sorted(set(keys))
    assert set(keys) >= {key_of(each) for each, (_, lost) in zip(window, sent, strict=True) if not lost}
