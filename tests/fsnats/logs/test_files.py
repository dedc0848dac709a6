import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fsnats.logs.files import Bounds, LogFile
from fsnats.logs.names import FileName

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


STEPS = st.lists(
    st.tuples(st.just("write"), st.integers(1, 120))
    | st.tuples(st.just("full"), st.integers(0, 60))
    | st.tuples(st.sampled_from(["restart", "killed", "midnight"]), st.just(0)),
    max_size=40,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
@example([("write", 104), ("killed", 0)])
def test_what_was_taken_is_in_the_files_once_whole_and_in_its_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    directory = tmp_path_factory.mktemp("logs")
    bounds = Bounds(file=100, day=10**6, days=100)
    file = LogFile(directory, "x", bounds)
    day, number, room = 1, 0, 10**9
    taken: list[bytes] = []
    write = os.write

    def limited(descriptor: int, data: bytes) -> int:
        nonlocal room
        if room <= 0:
            raise OSError(28, "No space left on device")
        written = write(descriptor, data[: min(room, 50)])
        room -= written
        return written

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", limited)
        for step, size in steps:
            if step in ("write", "full"):
                number += 1
                line = f"{number} {'x' * size}\n".encode()
                room = size if step == "full" else 10**9
                try:
                    file.write(f"2026-11-{day:02}", line)
                except OSError:
                    assert step == "full"
                else:
                    taken.append(line)
            elif step == "midnight":
                day = min(day + 1, 30)
            elif step == "killed":  # amid a line
                there = sorted(filter(None, map(FileName.read, os.listdir(directory))))
                if there:
                    with (directory / str(there[-1])).open("ab") as torn:
                        torn.write(b"torn")
                file.close()
                file = LogFile(directory, "x", bounds)
            elif step == "restart":
                file.close()
                file = LogFile(directory, "x", bounds)
    file.close()
    found: list[bytes] = []
    for name in sorted(filter(None, map(FileName.read, os.listdir(directory)))):
        lines = (directory / str(name)).read_bytes().splitlines(keepends=True)
        whole = [line for line in lines if not line.startswith(b"torn")]
        found += whole
        # One line alone may be longer than a file is to be.
        assert len(whole) <= 1 or sum(map(len, lines)) <= bounds.file + len(b"torn") * len(steps) + len(lines)
    assert found == taken
