import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from workers.ingest.cutter import Cutter

LIMIT = 70_000


class Cut(list[tuple[str, bytes]]):
    """What came out, in order."""

    def __init__(self, *reads: bytes) -> None:
        cutter = Cutter(LIMIT)
        for data in reads:
            cutter.receive(data, lambda payload: self.append(("text", payload)), self.other)

    def other(self, data: bytes) -> None:
        if self and self[-1][0] == "other":
            self[-1] = ("other", self[-1][1] + data)
        else:
            self.append(("other", data))


LENGTHS = st.binary(max_size=200) | st.sampled_from([b"x" * size for size in (125, 126, 127, 65535, 65536)])
FRAMES = st.builds(
    Frame, st.sampled_from([Opcode.TEXT, Opcode.TEXT, Opcode.BINARY, Opcode.CONT]), LENGTHS, st.booleans()
) | st.builds(Frame, st.sampled_from([Opcode.PING, Opcode.PONG, Opcode.CLOSE]), st.binary(max_size=125))


@given(st.lists(FRAMES, max_size=6), st.data())
def test_however_the_bytes_are_cut_frames_come_out_whole_and_in_order(frames: list[Frame], data: st.DataObject) -> None:
    expected = Cut()
    stream = b""
    for frame in frames:
        wire = Frame(frame.opcode, bytes(frame.data), frame.fin).serialize(mask=False)
        stream += wire
        if frame.opcode is Opcode.TEXT and frame.fin:
            expected.append(("text", bytes(frame.data)))
        else:
            expected.other(wire)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))

    assert Cut(*(stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True))) == expected


@given(st.binary(max_size=60), st.integers(0, 60))
@example(b"\x81\xff", 1)
def test_no_bytes_are_lost_or_made_up(data: bytes, cut: int) -> None:
    seen = sum(len(payload) for _, payload in Cut(data[:cut], data[cut:]))

    assert seen <= len(data)


@pytest.mark.parametrize(
    "frame",
    [
        Frame(Opcode.TEXT, b"masked").serialize(mask=True),
        b"\x81\x7f" + (LIMIT + 1).to_bytes(8) + b"x" * 10,
        b"\x81\x7f" + (2**63 - 1).to_bytes(8),
    ],
    ids=("masked", "beyond the limit", "endless"),
)
def test_from_a_frame_that_breaks_the_rules_on_websockets_gets_everything(frame: bytes) -> None:
    good = Frame(Opcode.TEXT, b"good").serialize(mask=False)

    assert Cut(good + frame, good) == [("text", b"good"), ("other", frame + good)]
