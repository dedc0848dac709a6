import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.errors import FrameError
from fsnats.frames import RECOVERED, VERSION, Frame, decode, encode


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
