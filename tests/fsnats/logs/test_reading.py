import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.logs import reading
from fsnats.logs.names import FileName
from fsnats.logs.reading import Logs, Wanted

START = datetime(2026, 11, 20, tzinfo=UTC)
PLENTY = 2**30
ALL = Wanted()


def line(second: int, program: str = "gateway", level: str = "info", message: str = "m") -> bytes:
    time = (START + timedelta(seconds=second)).isoformat(timespec="milliseconds")
    entry = {"time": time, "level": level, "program": program, "event": "a.b", "message": message}
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def write(directory: Path, name: str, *lines: bytes) -> None:
    with (directory / name).open("ab") as file:
        file.write(b"".join(lines))


def newest(directory: Path, wanted: Wanted = ALL, most: int = 100, scan: int = PLENTY) -> list[str]:
    return messages(Logs(directory, wanted).newest(most, PLENTY, scan).lines)


def messages(lines: list[reading.Line]) -> list[str]:
    return [json.loads(each.text)["message"] for each in lines]


def test_the_newest_lines_of_all_files_come_in_the_order_of_time(tmp_path: Path) -> None:
    write(tmp_path, "gateway.2026-11-20.jsonl", *(line(second, message=f"{second}") for second in range(0, 50, 2)))
    write(tmp_path, "gateway.2026-11-20.1.jsonl", line(50, message="50"))
    write(tmp_path, "history.2026-11-20.jsonl", *(line(second, message=f"{second}") for second in range(1, 50, 2)))
    write(tmp_path, "notes.txt", b"x\n")
    found = Logs(tmp_path, Wanted()).newest(5, PLENTY, PLENTY)
    assert messages(found.lines) == ["46", "47", "48", "49", "50"]
    assert (found.complete, found.broken, found.programs) == (False, 0, ["gateway", "history"])
    assert newest(tmp_path) == [str(second) for second in range(51)]
    assert Logs(tmp_path, Wanted()).newest(51, PLENTY, PLENTY).complete


def test_lines_are_chosen_by_program_level_and_time(tmp_path: Path) -> None:
    levels = ["debug", "info", "warning", "error", "critical"]
    write(tmp_path, "a.2026-11-20.jsonl", *(line(10 + at, "a", level, level) for at, level in enumerate(levels)))
    write(tmp_path, "b.2026-11-20.jsonl", line(1, "b", "error", "early"), line(20, "nats", "info", "up"))
    assert newest(tmp_path, Wanted(level="warning")) == ["early", "warning", "error", "critical"]
    assert newest(tmp_path, Wanted(["a", "nats"], "error")) == ["error", "critical"]
    assert newest(tmp_path, Wanted(["nats"])) == ["up"]
    assert newest(tmp_path, Wanted(since=(START + timedelta(seconds=13)).isoformat(timespec="milliseconds"))) == [
        "critical",
        "up",
    ]


def test_what_is_no_line_of_ours_is_counted_and_what_is_being_written_is_not_there_yet(tmp_path: Path) -> None:
    broken = line(3)[:60].replace(b"\n", b"") + b"\n"
    torn = line(3).replace(b"2026", b"\xff\xff\xff\xff")  # as a disk may have it
    foreign = b'{"time":"2026-11-20T00:00:05.000+00:00","level":"info","program":"\xff"}\n'
    write(tmp_path, "x.2026-11-20.jsonl", line(1), broken, torn, b"Traceback\n", foreign, b"\n", line(2), line(3)[:-3])
    found = Logs(tmp_path, Wanted()).newest(100, PLENTY, PLENTY)
    assert len(found.lines) == 2
    assert found.broken == 4
    assert found.complete
    assert len(list(Logs(tmp_path, Wanted()).since({}))) == 2


def test_days_that_are_not_wanted_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, "x.2026-11-19.jsonl", line(-5))
    write(tmp_path, "x.2026-11-20.jsonl", line(5))
    found = Logs(tmp_path, Wanted(), lambda day: day == "2026-11-20").newest(100, PLENTY, PLENTY)
    assert (len(found.lines), found.complete) == (1, True)


def test_where_there_are_no_files_there_are_no_lines(tmp_path: Path) -> None:
    found = Logs(tmp_path / "nowhere", Wanted()).newest(100, PLENTY, PLENTY)
    assert (found.lines, found.complete, found.programs) == ([], True, [])
    assert list(Logs(tmp_path / "nowhere", Wanted()).since({})) == []


def test_an_answer_has_no_more_bytes_than_it_may_and_says_what_it_left_out(tmp_path: Path) -> None:
    write(tmp_path, "x.2026-11-20.jsonl", *(line(second, message="x" * 1000) for second in range(20)))
    found = Logs(tmp_path, Wanted()).newest(100, 5000, PLENTY)
    assert (len(found.lines), found.complete) == (4, False)


def test_a_search_for_little_ends_somewhere_and_looks_through_all_files_at_one_pace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BLOCK", 1024)
    write(tmp_path, "a.2026-11-20.jsonl", *(line(second, "a") for second in range(1000)))
    write(tmp_path, "b.2026-11-20.jsonl", *(line(second, "b", "error", f"{second}") for second in (1, 950)))
    write(tmp_path, "c.2026-11-20.jsonl", *(line(second, "c") for second in range(1000)))
    found = Logs(tmp_path, Wanted(level="error")).newest(100, PLENTY, 40_000)
    assert (messages(found.lines), found.complete) == (["950"], False)
    pauses: list[int] = []
    found = Logs(tmp_path, Wanted(level="error"), pause=lambda: pauses.append(1)).newest(100, PLENTY, PLENTY)
    assert (messages(found.lines), found.complete) == (["1", "950"], True)
    assert len(pauses) > 100  # others have their turn


def test_from_an_answer_on_comes_what_was_written_since_also_into_other_files(tmp_path: Path) -> None:
    write(tmp_path, "a.2026-11-20.jsonl", line(1), line(2)[:20])
    first = Logs(tmp_path, Wanted()).newest(100, PLENTY, PLENTY)
    write(tmp_path, "a.2026-11-20.jsonl", line(2)[20:], line(9, message="last"))
    write(tmp_path, "a.2026-11-21.jsonl", line(10, message="another day"))
    # Written late, with an earlier time than what was read: it still comes.
    write(tmp_path, "b.2026-11-20.jsonl", line(0, message="late"))
    second = Logs(tmp_path, Wanted()).newest(100, PLENTY, PLENTY, first.ends)
    assert messages(second.lines) == ["late", "m", "last", "another day"]
    assert second.complete
    assert [found.text for found in Logs(tmp_path, Wanted()).since(dict(first.ends))] == [
        found.text for found in second.lines
    ]
    (tmp_path / "a.2026-11-20.jsonl").unlink()
    third = Logs(tmp_path, Wanted()).newest(100, PLENTY, PLENTY, second.ends)
    assert (third.lines, third.complete) == ([], False)


FILES = st.dictionaries(
    st.sampled_from([FileName("2026-11-20", part, slot) for part in (0, 1) for slot in ("a", "b", "b~2")]),
    st.lists(st.tuples(st.sampled_from(["info", "error"]), st.integers(0, 300)), max_size=30),
)


@settings(deadline=None)
@given(FILES, st.integers(0, 40), st.integers(64, 600), st.sampled_from(["info", "error"]))
def test_the_newest_are_the_last_of_all_however_files_are_cut_into_blocks(
    tmp_path_factory: pytest.TempPathFactory,
    files: dict[FileName, list[tuple[str, int]]],
    most: int,
    block: int,
    level: str,
) -> None:
    directory = tmp_path_factory.mktemp("logs")
    second = 0
    everything = []
    for name in sorted(files):  # times go on from part to part
        texts = []
        for written, length in files[name]:
            second += 1
            texts.append(line(second, name.slot, written, "x" * length))
            if written == level or level == "info":
                everything.append(texts[-1][:-1])
        write(directory, str(name), *texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK", block)
        found = Logs(directory, Wanted(level=level)).newest(most, PLENTY, PLENTY)
    assert [each.text for each in found.lines] == everything[len(everything) - most if most < len(everything) else 0 :]
    assert found.complete == (len(everything) <= most)
    assert [each.text for each in Logs(directory, Wanted(level=level)).since({})] == everything


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.2026-11-20.jsonl")
    (tmp_path / "y.2026-11-20.jsonl").mkdir()
    assert Logs(tmp_path, ALL).newest(100, PLENTY, PLENTY).lines == []
    assert list(Logs(tmp_path, ALL).since({})) == []


def test_who_follows_reads_nothing_twice_also_of_what_is_not_wanted(tmp_path: Path) -> None:
    places: dict[FileName, int] = {}
    logs = Logs(tmp_path, Wanted(level="error"))
    write(tmp_path, "x.2026-11-20.jsonl", line(1, level="error", message="1"), line(2), b"broken\n", line(3)[:5])
    assert messages(list(logs.since(places))) == ["1"]
    assert places == {FileName("2026-11-20", 0, "x"): len(line(1, level="error", message="1") + line(2)) + 7}
    write(tmp_path, "x.2026-11-20.jsonl", line(3)[5:], line(4, level="error", message="4"))
    assert messages(list(logs.since(places))) == ["4"]
    assert list(logs.since(places)) == []
