import json
import logging
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fsnats.logs.entries import LINE_MOST, Entry, decoded, described, encoded, output, plain, printable, text

HEAD: Entry = {"time": "2026-11-20T12:00:01.000+00:00", "level": "warning", "program": "x", "event": "a.b"}
WILD: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.characters(categories=["Cs"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=8,
)


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.getLogger("fsnats.x").makeRecord(
        "fsnats.x", logging.WARNING, "file.py", 1, message, arguments, None, extra=extra
    )
    made.created = 1795176001.25
    return made


def test_an_entrys_keys_are_in_the_order_of_the_line() -> None:
    assert encoded(described(record("late by %d s", 5, event="feed.late", feed="f"), "ingest")) == (
        '{"time":"2026-11-20T12:00:01.250+00:00","level":"warning","program":"ingest","logger":"fsnats.x",'
        '"event":"feed.late","message":"late by 5 s","feed":"f"}'
    )


def test_what_a_library_logs_is_called_after_its_logger() -> None:
    assert described(record("x"), "p")["event"] == "library.fsnats.x"


def test_what_a_program_wrote_without_logging_it_is_an_event_too() -> None:
    assert output("nats", "[1] up", datetime(2026, 11, 20, tzinfo=UTC)) == {
        "time": "2026-11-20T00:00:00.000+00:00",
        "level": "info",
        "program": "nats",
        "event": "output.line",
        "message": "[1] up",
    }


def test_arguments_that_do_not_fit_are_still_an_event() -> None:
    assert "late by %d s" in str(described(record("late by %d s", "x"), "p")["message"])


class Kind(Enum):
    FIRST = "first"


class Point(msgspec.Struct):
    x: int


class Broken:
    def __str__(self) -> str:
        raise RuntimeError


def test_values_of_any_type_become_what_json_has() -> None:
    values = [Kind.FIRST, Point(1), {1}, (2,), b"\xff", 2**70, ValueError("why"), Broken(), {3: None}]
    assert plain(values) == ["first", {"x": 1}, [1], [2], "�", str(2**70), "why", "<Broken>", {"3": None}]
    deep: list[object] = []
    deep.append(deep)
    assert len(encoded(HEAD | {"message": "m", "deep": plain(deep)})) < LINE_MOST


@given(st.text() | st.characters(categories=["Cs"]), st.dictionaries(st.sampled_from(["a", "b", "error"]), WILD))
def test_whatever_is_logged_is_one_line_of_json_that_moves_no_cursor(message: str, extra: dict[str, object]) -> None:
    line = encoded(described(record("%s", message, **extra), "p"))
    assert line.splitlines() == [line]
    assert not any(ord(each) < 0x20 or 0x7F <= ord(each) < 0xA0 for each in line)
    assert len(line.encode()) < LINE_MOST
    assert json.loads(line).keys() >= {"message", *extra}


@given(st.integers(0, 30_000), st.sampled_from(["a", "\x00", "ä", "\U0001f600", "\x9b"]))
def test_a_long_event_is_cut_to_a_line_and_says_so(length: int, letter: str) -> None:
    line = encoded({**HEAD, "message": letter * length, "exception": letter * length, "sample": [letter] * length})
    assert len(line.encode()) < LINE_MOST
    entry = json.loads(line)
    assert ("cut" in entry) == (entry["message"] != letter * length or entry["exception"] != letter * length)


def test_of_a_text_without_end_no_more_is_looked_at_than_could_be_shown() -> None:
    entry = described(record("%s", "x" * 10**6, sample=b"x" * 10**6, error=ValueError("x" * 10**6)), "p")
    assert sum(len(str(value)) for value in entry.values()) < 7 * LINE_MOST
    assert json.loads(encoded(entry))["cut"] is True


def test_of_a_long_exception_the_end_is_kept() -> None:
    entry = json.loads(encoded({**HEAD, "message": "m", "exception": "x" * 50_000 + "ValueError: why"}))
    assert entry["exception"].endswith("ValueError: why")


def test_lines_that_are_no_entries_are_none() -> None:
    assert decoded(encoded({**HEAD, "message": "m"})) == {**HEAD, "message": "m"}
    others = ["plain", '{"a":1}', '{"time":1', '{"time":"x","level":"info","message":"m"}', "{\ud800"]
    assert [decoded(line) for line in others] == [None] * len(others)


def test_on_a_terminal_an_exception_is_set_in_below_its_line() -> None:
    clock = datetime.fromisoformat(str(HEAD["time"])).astimezone().strftime("%H:%M:%S")
    entry = {**HEAD, "message": "failed", "feed": "f", "exception": "Traceback:\n  File x\nOops: y"}
    assert text(entry).split("\n") == [
        f"{clock} warning  failed  feed=f",
        "    Traceback:",
        "      File x",
        "    Oops: y",
    ]


@given(st.text(), st.text(), st.text())
def test_nothing_that_is_logged_forges_a_line_on_a_terminal(message: str, value: str, trace: str) -> None:
    forged = "\n12:00:00 info  all is well\r\x1b[2K"
    entry = {**HEAD, "message": message + forged, "value": value + forged, "exception": trace + forged}
    first, *below = text(entry).split("\n")
    assert first.isprintable()
    assert all(line.startswith("    ") and line.isprintable() for line in below)


def test_letters_of_any_script_are_shown_as_they_are() -> None:
    assert printable("币安人生USDT ä\t\x1b[31m") == "币安人生USDT ä\\t\\x1b[31m"
