import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsnats.logs.files import Bounds, LogFile

DAY = "2026-11-20"
BOUNDS = Bounds(file=100, day=250, days=2)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "logs"


@pytest.fixture
def file(directory: Path) -> Iterator[LogFile]:
    file = LogFile(directory, "gateway", BOUNDS)
    yield file
    file.close()


def there(directory: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in sorted(directory.glob("*.jsonl"))}


def test_lines_are_appended_to_the_days_file_which_only_its_owner_reads(directory: Path, file: LogFile) -> None:
    file.write(DAY, b"one\n")
    file.write(DAY, b"two\n")
    path = directory / f"gateway.{DAY}.jsonl"
    assert path.read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    # Whoever comes first makes the state directory.
    assert [stat.S_IMODE(each.stat().st_mode) for each in (directory, directory.parent)] == [0o700, 0o700]


def test_a_full_file_is_followed_by_the_next_one_and_of_a_day_the_newest_are_kept(
    directory: Path, file: LogFile
) -> None:
    for _ in range(10):
        file.write(DAY, b"x" * 79 + b"\n")
    assert there(directory) == {f"gateway.{DAY}.8.jsonl": 80, f"gateway.{DAY}.9.jsonl": 80}
    assert sum(there(directory).values()) <= BOUNDS.day


def test_another_day_begins_another_file_and_days_gone_by_are_removed_whosever_they_are(
    directory: Path, file: LogFile
) -> None:
    directory.mkdir(parents=True)
    for name in ("ingest-spot-7.2026-11-19.jsonl", "ingest-spot-7.2026-11-20.jsonl", "notes.2026-01-01.txt"):
        (directory / name).touch()
    file.write("2026-11-20", b"old\n")
    file.write("2026-11-21", b"new\n")
    assert sorted(os.listdir(directory)) == [
        ".gateway.lock",
        "gateway.2026-11-20.jsonl",
        "gateway.2026-11-21.jsonl",
        "ingest-spot-7.2026-11-20.jsonl",
        "notes.2026-01-01.txt",
    ]


def test_a_program_that_is_started_again_goes_on_in_its_file(directory: Path, file: LogFile) -> None:
    file.write(DAY, b"x" * 79 + b"\n")
    file.close()
    again = LogFile(directory, "gateway", BOUNDS)
    again.write(DAY, b"a\n")
    again.write(DAY, b"b" * 49 + b"\n")
    again.close()
    assert there(directory) == {f"gateway.{DAY}.jsonl": 82, f"gateway.{DAY}.1.jsonl": 50}


def test_half_a_line_is_ended_before_the_next_one(directory: Path, file: LogFile) -> None:
    directory.mkdir(parents=True)
    path = directory / f"gateway.{DAY}.jsonl"
    path.write_bytes(b'{"time')
    file.write(DAY, b"one\n")
    assert path.read_bytes() == b'{"time\none\n'


def test_processes_of_one_name_have_files_of_their_own(directory: Path, file: LogFile) -> None:
    second = LogFile(directory, "gateway", BOUNDS)
    file.write(DAY, b"one\n")
    second.write(DAY, b"two\n")
    assert there(directory) == {f"gateway.{DAY}.jsonl": 4, f"gateway~2.{DAY}.jsonl": 4}
    second.close()
    third = LogFile(directory, "gateway", BOUNDS)
    third.write(DAY, b"three\n")
    third.close()
    assert there(directory)[f"gateway~2.{DAY}.jsonl"] == 10


def test_a_file_that_somebody_removed_is_begun_again(directory: Path, file: LogFile) -> None:
    file.write(DAY, b"one\n")
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()
    file.write(DAY, b"two\n")
    assert there(directory) == {f"gateway.{DAY}.jsonl": 4}


def test_a_link_in_the_place_of_a_file_is_not_followed(directory: Path, file: LogFile, tmp_path: Path) -> None:
    directory.mkdir(parents=True)
    (directory / f"gateway.{DAY}.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        file.write(DAY, b"one\n")
    assert not (tmp_path / "elsewhere").exists()


def test_a_disk_that_is_full_amid_a_line_keeps_none_of_it(
    directory: Path, file: LogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write(DAY, b"one\n")
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) < 4:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:2])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            file.write(DAY, b"four\n")
    file.write(DAY, b"two\n")
    assert (directory / f"gateway.{DAY}.jsonl").read_bytes() == b"one\ntwo\n"


def test_a_directory_that_cannot_be_made_is_told_and_tried_again(directory: Path, file: LogFile) -> None:
    directory.parent.touch()  # a file where a directory should be
    with pytest.raises(OSError):
        file.write(DAY, b"one\n")
    directory.parent.unlink()
    file.write(DAY, b"two\n")
    assert there(directory) == {f"gateway.{DAY}.jsonl": 4}
