import gzip
import hashlib
import re
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from fsnats.binance.streams import Market
from fsnats.captures import manifest as manifests
from fsnats.captures.check import check, messages, played
from fsnats.captures.files import UNFINISHED
from fsnats.captures.lines import Spelling
from fsnats.captures.lines import decode as decode_line
from fsnats.captures.manifest import Tally, beside
from fsnats.errors import CaptureError
from fsnats.frames import VERSION, Frame

SPELLING = Spelling(Market.SPOT, "btcusdt@trade")


def line(number: int) -> bytes:
    return SPELLING.line(Frame(VERSION, "btcusdt@trade", 10**18 + number, 7, number, 0, b"%d" % number))


def write(path: Path, *numbers: int, capture: str = "c", place: int = 1, described: bool = True) -> Path:
    lines = [line(number) for number in numbers]
    path.write_bytes(gzip.compress(b"".join(lines)))
    if described:
        tally = Tally()
        for each in lines:
            tally.count_row(decode_line(each))
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        one = manifests.manifest(tally, path.name, len(data), digest, capture=capture, number=place)
        beside(path).write_bytes(manifests.encode(one))
    return path


def test_a_file_is_held_against_its_manifest(tmp_path: Path) -> None:
    path = write(tmp_path / "x.gz", 1, 2)
    seen: list[int] = []
    (checked,) = check([path], seen.append)
    assert checked.is_proved
    assert checked.manifest.frames == 2
    assert sum(seen) == path.stat().st_size


def test_without_a_manifest_what_is_in_the_file_is_counted(tmp_path: Path) -> None:
    (checked,) = check([write(tmp_path / "x.gz", 1, 2, described=False)])
    assert not checked.is_proved
    assert (checked.manifest.frames, list(checked.manifest.streams)) == (2, ["spot:btcusdt@trade"])


def test_a_damaged_file_is_named_with_the_place_of_the_damage(tmp_path: Path) -> None:
    path = write(tmp_path / "x.gz", 1, 2)
    data = bytearray(path.read_bytes())
    data[-6] ^= 1  # of the checksum of the whole
    path.write_bytes(data)
    with pytest.raises(CaptureError, match=r"x\.gz: damaged after line 0: what begins at byte 0"):
        check([path])


def test_another_file_of_the_same_name_is_not_taken_for_the_one_that_was_written(tmp_path: Path) -> None:
    path = write(tmp_path / "x.gz", 1, 2)
    data = path.read_bytes()
    path.write_bytes(data[:4] + b"1234" + data[8:])  # the time in gzip's header, which nothing guards
    with pytest.raises(CaptureError, match="another SHA-256"):
        check([path])
    write(path, 1, 2, 3, 4, described=False)
    with pytest.raises(CaptureError, match="the manifest says"):
        check([path])


def test_a_manifest_that_is_damaged_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "x.gz", 1)
    beside(path).write_bytes(b"{")
    with pytest.raises(CaptureError, match=r"x\.gz\.json: cannot be read as a manifest"):
        check([path])


def test_a_file_that_is_missing_or_foreign_is_named(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"none\.gz: no such file"):
        check([tmp_path / "none.gz"])
    (tmp_path / "notes.txt").write_text("to do\n")
    with pytest.raises(CaptureError, match=r"notes\.txt: line 1 is none of a capture"):
        check([tmp_path / "notes.txt"])


def test_an_unfinished_file_counts_as_far_as_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / f"x{UNFINISHED}"
    path.write_bytes(gzip.compress(line(1)) + gzip.compress(line(2))[:-3])
    beside(path).write_bytes(b"{")  # its writer was killed while it finished the file
    (checked,) = check([path])
    assert (checked.manifest.frames, checked.is_cut) == (2, True)


def test_the_files_of_one_capture_are_played_as_one_whatever_their_names(tmp_path: Path) -> None:
    # The second begins with what was received before the first one ended: the order of the stream is that of the files.
    second = write(tmp_path / "a.gz", 2, 5, place=2)
    first = write(tmp_path / "b.gz", 1, 4, place=1)
    other = write(tmp_path / "c.gz", 3, described=False)
    found = [message.data for message in played(check([second, first, other]))]
    assert found == [b"1", b"3", b"4", b"2", b"5"]
    assert [message.data for message in messages(second)] == [b"2", b"5"]


@pytest.mark.recorded
def test_every_recording_begins_with_messages_received_in_the_year_of_its_name(recordings: Path) -> None:
    paths = sorted((recordings / "captures").glob("*.jsonl.gz"))
    assert len(paths) == 12
    for path in paths:
        year = re.search(r"20\d\d", path.name)
        found = list(islice(messages(path), 500))
        assert len(found) == 500
        assert {message.market for message in found} == {Market(path.name.split(".")[1].removeprefix("us-"))}
        assert year is not None
        assert {datetime.fromtimestamp(message.received_ns / 1e9, UTC).year for message in found} == {int(year[0])}


@pytest.mark.recorded
def test_the_recordings_of_others_are_read(recordings: Path) -> None:
    for path in sorted((recordings / "captures").glob("cf.*.jsonl.gz")):
        (checked,) = check([path])
        found = list(messages(path))
        assert len(found) == checked.manifest.frames > 1000
        assert all(message.data.startswith((b"{", b"[")) and message.data.endswith((b"}", b"]")) for message in found)
