import contextlib
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.captures.check import check, messages
from fsnats.captures.files import UNFINISHED, Reader
from fsnats.captures.lines import Line, Spelling
from fsnats.captures.manifest import Manifest, decode
from fsnats.captures.writer import Form, Rotation, Writer
from fsnats.frames import GAP, VERSION, Frame

NOW = 1_795_197_746_654_832_000
SPELLING = Spelling(Market.SPOT, "btcusdt@trade")
NEVER = Rotation(2**40, 1e9)


def line(seq: int, payload: bytes = b"{}", flags: int = 0) -> Line:
    frame = Frame(VERSION, "btcusdt@trade", NOW + seq, 7, seq, flags, payload)
    notice = payload if flags & GAP else None
    return Line(SPELLING.line(frame), Market.SPOT, "btcusdt@trade", NOW + seq, 7, seq, notice)


def writer(directory: Path, form: Form = Form.ZSTD, rotation: Rotation = NEVER, *, simulated: bool = False) -> Writer:
    return Writer(directory, NOW, form, rotation, simulated=simulated)


def finished(directory: Path) -> list[Manifest]:
    """The manifests in a directory, in their order."""
    return [decode(path.read_bytes()) for path in sorted(directory.glob("*.json"))]


@contextlib.contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file can be longer than this: writing fails as it does on a full disk, after a part of it was written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@given(st.sampled_from(Form), st.lists(st.lists(st.binary(), max_size=5), max_size=5), st.integers(1, 4000))
def test_what_is_written_is_read_again_however_it_is_cut_into_files(
    form: Form, pieces: list[list[bytes]], size: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        one = writer(Path(name), form, Rotation(size, 1e9))
        seq = 0
        for piece in pieces:
            one.write([line(seq := seq + 1, payload) for payload in piece], NOW)
        one.finish()
        files = [Path(name) / each.file for each in finished(Path(name))]
        checked = check(files)
        assert all(file.is_proved for file in checked)
        found = [message.data for file in files for message in messages(file)]
        assert found == [payload for piece in pieces for payload in piece]
        assert sum(file.manifest.frames for file in checked) == one.finished.frames == len(found)
        assert one.finished.files == len(files)
        names = {path.name + end for path in files for end in ("", ".json")}
        assert {path.name for path in Path(name).iterdir()} == names


@pytest.mark.parametrize("form", Form)
def test_a_file_is_readable_while_it_is_written_and_named_when_it_is_finished(tmp_path: Path, form: Form) -> None:
    one = writer(tmp_path, form, simulated=True)
    one.write([line(1), line(2)], NOW)
    (part,) = tmp_path.iterdir()
    assert part.name == f"fsnats-20261120T180226.654832Z-000001.jsonl{form}{UNFINISHED}"
    assert [message.received_ns for message in messages(part)] == [NOW + 1, NOW + 2]
    one.finish()
    (manifest,) = finished(tmp_path)
    assert manifest.simulated
    assert (manifest.lines, manifest.frames, manifest.number) == (3, 2, 1)
    (stream,) = manifest.streams.values()
    assert (stream.epoch, stream.seq) == (7, 2)


def test_the_next_file_begins_when_one_is_large_or_old_enough(tmp_path: Path) -> None:
    one = writer(tmp_path, rotation=Rotation(10_000, 60.0))
    one.write([line(1)], NOW)
    one.write([line(2)], NOW + 59 * 10**9)
    one.write([line(3)], NOW + 61 * 10**9)
    assert finished(tmp_path) == []
    one.write([], NOW + 62 * 10**9)  # nothing comes, and the file is finished all the same
    assert [each.frames for each in finished(tmp_path)] == [3]
    one.write([], NOW + 63 * 10**9)
    assert list(tmp_path.glob(f"*{UNFINISHED}")) == []  # an empty file is not begun
    one.write([line(4, b"".join(b"%d" % (number * 7919) for number in range(5000)))], NOW + 64 * 10**9)
    one.finish()
    assert [(each.number, each.frames) for each in finished(tmp_path)] == [(1, 3), (2, 1)]


def test_notices_are_in_the_manifest(tmp_path: Path) -> None:
    one = writer(tmp_path)
    one.write([line(1, b'{"stream":"x","from":1,"to":5,"unit":"ms","reason":"lost"}', GAP), line(2)], NOW)
    one.finish()
    assert [(gap.stream, gap.first, gap.last, gap.reason) for gap in finished(tmp_path)[0].missing] == [
        ("spot:btcusdt@trade", 1, 5, "lost")
    ]


def test_on_a_full_disk_nothing_is_half_written_and_nothing_twice(tmp_path: Path) -> None:
    one = writer(tmp_path)
    one.write([line(1)], NOW)
    (part,) = tmp_path.iterdir()
    size = part.stat().st_size
    large = [line(2, bytes(range(33, 120)) * 50), line(3)]
    with full_disk(size + 50), pytest.raises(OSError):
        one.write(large, NOW)
    assert part.stat().st_size == size
    one.write(large, NOW)
    with full_disk(10):
        with pytest.raises(OSError):
            one.finish()  # the manifest does not fit
        with pytest.raises(OSError):
            one.finish()
    assert part.exists()
    one.finish()
    (checked,) = check([tmp_path / finished(tmp_path)[0].file])
    assert checked.is_proved
    assert [message.received_ns - NOW for message in messages(checked.path)] == [1, 2, 3]


def test_a_disk_without_room_for_a_file_leaves_none(tmp_path: Path) -> None:
    one = writer(tmp_path)
    with full_disk(10), pytest.raises(OSError):
        one.write([line(1)], NOW)
    assert list(tmp_path.iterdir()) == []
    one.write([line(1)], NOW)
    assert len(list(tmp_path.iterdir())) == 1
    one.abandon()


def test_a_file_that_should_be_finished_and_cannot_is_finished_with_the_next_write(tmp_path: Path) -> None:
    one = writer(tmp_path, rotation=Rotation(1, 1e9))
    one.write([line(1)], NOW)
    with full_disk(10), pytest.raises(OSError):
        one.write([line(2)], NOW)
    one.write([line(2)], NOW)
    one.finish()
    assert [each.frames for each in finished(tmp_path)] == [1, 1]


def test_the_first_line_of_a_file_says_who_wrote_it_and_whether_it_is_simulated(tmp_path: Path) -> None:
    one = writer(tmp_path, simulated=True)
    one.write([line(1)], NOW)
    one.abandon()
    first = next(Reader(next(tmp_path.iterdir())).rows())
    assert (first.kind, first.simulated, first.received_ns) == ("head", True, NOW)
    assert first.url.startswith("fsnats ")
