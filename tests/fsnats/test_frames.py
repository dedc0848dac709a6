import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.errors import FrameError
from fsnats.frames import CONTINUES, RECOVERED, VERSION, Frame, between, decode, encode, follows, key_of


@given(st.text(), st.integers(0, 2**63 - 1), st.integers(1, 2**63 - 1), st.binary())
def test_a_frame_survives_the_bus(stream: str, received_ns: int, seq: int, payload: bytes) -> None:
    frame = Frame(VERSION, stream, received_ns, 7, seq, RECOVERED, payload)

    assert decode(encode(frame)) == frame


def test_a_frame_is_a_messagepack_array_with_the_version_first() -> None:
    frame = Frame(VERSION, "btcusdt@trade", 1, 2, 3, 0, b"{}", 9)

    assert msgspec.msgpack.decode(encode(frame)) == [1, "btcusdt@trade", 1, 2, 3, 0, b"{}", 9]


@given(st.binary())
def test_other_bytes_are_a_frame_error(data: bytes) -> None:
    with pytest.raises(FrameError):
        decode(data)


def test_another_version_is_refused_by_name() -> None:
    with pytest.raises(FrameError, match="version 2"):
        decode(msgspec.msgpack.encode([2, "s", 1, 1, 1, 0, b""]))


def _frame(epoch: int, seq: int, flags: int = 0) -> Frame:
    return Frame(VERSION, "btcusdt@trade", 1, epoch, seq, flags, b"{}")


def test_another_worker_follows_only_if_it_knows_where_the_one_before_stopped() -> None:
    assert follows((1, 4), _frame(1, 5))
    assert follows((1, 4), _frame(2, 5, CONTINUES))
    assert not follows((1, 4), _frame(2, 5))
    assert not follows((1, 4), _frame(2, 1, CONTINUES))


def test_what_lies_between_is_counted_as_far_as_it_can_be_known() -> None:
    assert between((1, 4), _frame(1, 7)) == 2
    assert between((1, 4), _frame(2, 7, CONTINUES)) == 2
    assert between((1, 4), _frame(2, 7)) is None
    assert between((1, 4), _frame(2, 4, CONTINUES)) is None, "a count that goes back is another one"


def test_a_frame_that_was_sent_again_lies_before_its_key() -> None:
    assert between((1, 4), _frame(1, 4)) == -1
    assert key_of(_frame(1, 4)) == (1, 4)
