from hypothesis import given
from hypothesis import strategies as st

from fsnats.frames import CONTINUES, VERSION, Frame
from gateway.fanout.joining import LIVE_MOST, Joining


def _frame(epoch: int, seq: int, flags: int = 0) -> Frame:
    return Frame(VERSION, "btcusdt@trade", 1, epoch, seq, flags, b"{}")


def _held(*frames: Frame) -> Joining:
    joining = Joining()
    for frame in frames:
        joining.hold(frame)
    return joining


@st.composite
def _streams(draw: st.DrawFn) -> tuple[list[Frame], int, int, int]:
    """A stream's frames, through restarts of its worker; where a client stopped; where the window ends; where live
    begins."""
    restarts = draw(st.sets(st.integers(2, 30)))
    frames, epoch = [], 1
    for seq in range(1, 31):
        if seq in restarts:
            epoch += 1
        frames.append(_frame(epoch, seq, CONTINUES if seq in restarts else 0))
    return frames, draw(st.integers(0, 30)), draw(st.integers(0, 30)), draw(st.integers(0, 30))


@given(_streams())
def test_what_was_missed_and_what_is_live_meet_without_a_seam_or_it_is_said(
    drawn: tuple[list[Frame], int, int, int],
) -> None:
    frames, stopped, window, live = drawn
    place = (frames[stopped - 1].epoch, stopped) if stopped else (1, 0)
    met = _held(*frames[live:]).meet(place, frames[stopped:window])
    came = [frame.seq for frame in [*met.before, *met.live]]
    assert came == sorted(set(came)), "in order, each once"
    assert all(seq > stopped for seq in came)
    if met.is_whole:
        assert came == list(range(stopped + 1, stopped + 1 + len(came)))
    if live <= max(stopped, window):
        assert met.is_whole, "the window reaches as far as what is live"
        assert came == list(range(stopped + 1, 31 if live < 30 else max(stopped, window) + 1))


def test_more_than_can_be_held_is_not_whole() -> None:
    joining = _held(*(_frame(1, seq) for seq in range(1, LIVE_MOST + 2)))
    assert len(joining.held) == LIVE_MOST
    assert not joining.meet((1, 0), []).is_whole
