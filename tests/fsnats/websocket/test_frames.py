import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from fsnats.websocket.frames import ping, text


@given(st.binary(max_size=200) | st.sampled_from([b"x" * size for size in (125, 126, 65535, 65536, 70000)]))
def test_finished_frames_are_what_a_library_would_write(payload: bytes) -> None:
    assert text(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


@given(st.binary(max_size=125))
def test_pings_too(payload: bytes) -> None:
    assert ping(payload) == Frame(Opcode.PING, payload).serialize(mask=False)


def test_a_ping_is_short() -> None:
    with pytest.raises(ValueError):
        ping(b"x" * 126)
