import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.captures.check import check, messages
from fsnats.captures.files import UNFINISHED
from fsnats.captures.recovery import last_places, repair
from fsnats.captures.writer import Form, Rotation
from fsnats.errors import CaptureError
from tests.fsnats.captures.test_writer import NOW, line, writer


def killed(directory: Path, form: Form, pieces: int) -> tuple[Path, list[int]]:
    """A file whose writer was killed, and how long it was after each piece, its head included."""
    one = writer(directory, form, simulated=True)
    sizes = []
    for piece in range(pieces):
        one.write([line(2 * piece + 1), line(2 * piece + 2)], NOW)
        (part,) = directory.glob(f"*{UNFINISHED}")
        sizes.append(part.stat().st_size)
    one.abandon()
    return part, sizes


@settings(max_examples=40)
@given(st.sampled_from(Form), st.integers(0, 10_000))
def test_wherever_a_writer_is_killed_every_whole_piece_is_there_afterwards(form: Form, cut: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        part, sizes = killed(Path(name), form, 4)
        kept = cut % (sizes[-1] + 1)
        part.write_bytes(part.read_bytes()[:kept])
        whole = sum(size <= kept for size in sizes)
        (one,) = repair(Path(name))
        assert one.frames == 2 * whole
        assert one.repaired
        (checked,) = check([Path(name) / one.file])
        assert checked.is_proved
        assert [message.received_ns - NOW for message in messages(checked.path)] == list(range(1, 2 * whole + 1))
        assert one.bytes + one.cut_bytes == kept
        assert one.simulated or not whole
        assert repair(Path(name)) == []


def test_a_writer_killed_between_manifest_and_name_is_finished_too(tmp_path: Path) -> None:
    part, _ = killed(tmp_path, Form.ZSTD, 1)
    (tmp_path / part.name.replace(UNFINISHED, ".json")).write_text("{")
    assert [one.frames for one in repair(tmp_path)] == [2]
    assert check(list(tmp_path.glob("*.zst")))[0].is_proved


def test_a_piece_that_is_damaged_and_not_cut_off_is_named_and_left_alone(tmp_path: Path) -> None:
    part, sizes = killed(tmp_path, Form.ZSTD, 2)
    data = bytearray(part.read_bytes())
    data[sizes[0] + 30] ^= 0xFF
    part.write_bytes(data)
    with pytest.raises(CaptureError, match=f"damaged: what begins at byte {sizes[0]}"):
        repair(tmp_path)
    assert part.read_bytes() == data


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / f"download.zip{UNFINISHED}").write_bytes(b"PK")
    assert repair(tmp_path) == []
    assert last_places(tmp_path) == {}


def test_where_the_newest_capture_stopped_is_known_of_every_stream_it_held(tmp_path: Path) -> None:
    old = writer(tmp_path)
    old.capture = "20250101T000000.000000Z"
    old.write([line(99)], NOW)
    old.finish()
    one = writer(tmp_path, rotation=Rotation(1, 1e9))
    one.write([line(1), line(2)], NOW)
    one.write([line(3)._replace(stream="ethusdt@trade")], NOW)
    one.finish()
    places = last_places(tmp_path)
    assert {key: (place.seq, place.last_ns - NOW) for key, place in places.items()} == {
        "spot:btcusdt@trade": (2, 2),
        "spot:ethusdt@trade": (3, 3),
    }


def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "fsnats-x-000001.jsonl.zst.json").write_text("{")
    with pytest.raises(CaptureError, match="move it away"):
        last_places(tmp_path)
