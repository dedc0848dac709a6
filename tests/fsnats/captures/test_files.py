import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from fsnats.captures.files import UNFINISHED, Pieces, Reader
from fsnats.errors import CaptureError

LINE = b'{"t":%d,"market":"spot","kind":"ws","raw":"x"}'
FORMS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def write(directory: Path, form: str, *parts: bytes, end: str = "") -> Path:
    path = directory / f"capture.jsonl{form}{end}"
    path.write_bytes(b"".join(map(FORMS[form], parts)))
    return path


def lines(path: Path) -> list[bytes]:
    return list(Reader(path).lines())


@given(
    st.sampled_from(sorted(FORMS)), st.lists(st.lists(st.binary().filter(lambda line: b"\n" not in line)), max_size=4)
)
def test_lines_come_back_as_they_were_written_whatever_they_are_packed_in(form: str, pieces: list[list[bytes]]) -> None:
    parts = [b"".join(line + b"\n" for line in piece) for piece in pieces]
    with tempfile.TemporaryDirectory() as directory:
        # What is plain and looks like a packed file is none of ours: lines begin with a brace.
        path = write(Path(directory), form, b"{\n", *parts)
        reader = Reader(path)
        assert list(reader.lines()) == [b"{", *(line for piece in pieces for line in piece)]
        assert reader.number == 1 + sum(map(len, pieces))
        assert not reader.is_cut


def test_rows_are_read(tmp_path: Path, form: str) -> None:
    path = write(tmp_path, form, LINE % 1 + b"\n\n", LINE % 2)  # others end without an end of line
    assert [row.t for row in Reader(path).rows()] == [1, 2]


def test_a_line_that_is_none_is_named_by_its_number(tmp_path: Path, form: str) -> None:
    path = write(tmp_path, form, LINE % 1 + b"\n", b"hello\n")
    with pytest.raises(CaptureError, match=r"capture\.jsonl.*: line 2 is none of a capture"):
        list(Reader(path).rows())


@pytest.mark.parametrize("packed", [".gz", ".zst"])
def test_damage_is_named_with_the_line_before_it_and_the_byte_where_it_lies(tmp_path: Path, packed: str) -> None:
    first, second = LINE % 1 + b"\n", bytes(range(256)) * 20
    path = write(tmp_path, packed, first, second, LINE % 3 + b"\n")
    data = bytearray(path.read_bytes())
    begin = len(FORMS[packed](first))
    data[begin + 60] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(CaptureError, match=rf"damaged after line \d+: what begins at byte {begin} cannot be unpacked"):
        lines(path)


@pytest.mark.parametrize("packed", [".gz", ".zst"])
@pytest.mark.parametrize("kept", [1, 3, 12, -1])
def test_a_file_that_is_cut_off_says_so(tmp_path: Path, packed: str, kept: int) -> None:
    path = write(tmp_path, packed, LINE % 1 + b"\n", LINE % 2 + b"\n")
    whole = len(FORMS[packed](LINE % 1 + b"\n"))
    data = path.read_bytes()
    path.write_bytes(data[: whole + kept] if kept > 0 else data[:kept])
    with pytest.raises(CaptureError, match="cut off after line"):
        lines(path)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_file_cut_off_within_its_first_bytes_holds_nothing(tmp_path: Path, kept: int) -> None:
    path = write(tmp_path, ".zst", LINE % 1 + b"\n", end=UNFINISHED)
    path.write_bytes(path.read_bytes()[:kept])
    reader = Reader(path)
    assert list(reader.lines()) == []
    assert reader.is_cut == (kept > 0)


def test_an_unfinished_file_is_read_up_to_its_last_whole_line(tmp_path: Path, form: str) -> None:
    path = write(tmp_path, form, LINE % 1 + b"\n", LINE % 2 + b"\n", LINE % 3, end=UNFINISHED)
    reader = Reader(path)
    assert [row.t for row in reader.rows()] == [1, 2]
    assert reader.is_cut
    whole = write(tmp_path, form, LINE % 1 + b"\n", end=UNFINISHED)
    reader = Reader(whole)
    assert [row.t for row in reader.rows()] == [1]
    assert not reader.is_cut


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"none\.jsonl: No such file"):
        lines(tmp_path / "none.jsonl")


@pytest.mark.parametrize("packed", [".gz", ".zst"])
def test_it_is_known_how_many_bytes_are_whole_pieces(tmp_path: Path, packed: str) -> None:
    path = write(tmp_path, packed, b"one\n", b"two\n")
    whole = len(FORMS[packed](b"one\n"))
    path.write_bytes(path.read_bytes()[:-1])
    with path.open("rb") as file:
        pieces = Pieces(file)
        assert b"".join(pieces).startswith(b"one\n")
        assert (pieces.whole_bytes, pieces.is_cut) == (whole, True)
