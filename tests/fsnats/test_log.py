import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from fsnats import log
from fsnats.logs.entries import Entry
from fsnats.logs.files import Bounds, LogFile
from fsnats.logs.writer import Writer


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored_root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if isinstance(handler, log.Funnel):
            handler.close()
    root.handlers[:], root.level = handlers, level


def lines(stream: io.StringIO) -> list[Entry]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_away_from_a_terminal_an_event_is_a_json_line() -> None:
    stream = io.StringIO()
    log.configure("ingest-spot-0", "info", stream=stream)

    logging.getLogger("fsnats.x").warning("feed is down", extra={"event": "feed.down", "feed": "f", "next": 1.5})
    logging.getLogger("fsnats.x").debug("not shown")

    (fields,) = lines(stream)
    assert str(fields.pop("time")).startswith("20")
    assert fields == {
        "level": "warning",
        "program": "ingest-spot-0",
        "logger": "fsnats.x",
        "event": "feed.down",
        "message": "feed is down",
        "feed": "f",
        "next": 1.5,
    }


def test_on_a_terminal_it_is_text() -> None:
    stream = Terminal()
    log.configure("gateway", "info", stream=stream)

    logging.getLogger("fsnats.x").warning("feed is down", extra={"event": "feed.down", "feed": "f"})

    assert stream.getvalue().endswith("warning  feed is down  feed=f\n")


def test_a_bugs_traceback_stays_on_the_one_line() -> None:
    stream = io.StringIO()
    log.configure("gateway", "info", stream=stream)
    try:
        raise ZeroDivisionError("oops")
    except ZeroDivisionError:
        logging.getLogger("x").exception("failed")

    (entry,) = lines(stream)
    assert "ZeroDivisionError: oops" in str(entry["exception"])


def test_secrets_are_not_shown_wherever_they_are() -> None:
    stream = io.StringIO()
    log.configure("gateway", "info", stream=stream, secrets=["hunter22"])
    try:
        raise ValueError("hunter22 is wrong")
    except ValueError as error:
        logging.getLogger("x").exception("no %s", "hunter22", extra={"error": error, "deep": [{"a": b"hunter22"}]})

    assert "hunter22" not in stream.getvalue()
    assert log.redacted("hunter22 token=abc") == "*** token=***"


def test_an_event_that_cannot_be_logged_harms_nobody_and_is_told_without_what_it_held() -> None:
    shown: list[Entry] = []

    def show(entry: Entry) -> None:
        if entry["event"] != "log.failed":
            raise RuntimeError("hunter22")
        shown.append(entry)

    log.configure("gateway", "info")
    with log.shown_by(show, "gateway"):
        logging.getLogger("some.module").warning("heard %s", "hunter22")
    (told,) = shown
    assert (told["of"], told["error"]) == ("some.module", "RuntimeError")
    assert "hunter22" not in str(told)


def test_a_reader_that_is_gone_harms_nobody() -> None:
    stream = io.StringIO()
    log.configure("gateway", "info", stream=stream)
    stream.close()
    logging.getLogger("x").warning("heard")


def test_repeats_are_told_in_one_line_for_each_subject() -> None:
    stream = io.StringIO()
    funnel = log.configure("gateway", "info", stream=stream, repeats=2)
    for number in range(39):
        extra = {"event": "feed.down", "feed": "f", "error": f"reason {number}"}
        logging.getLogger("x").warning("feed is down", extra=extra)
    logging.getLogger("x").warning("feed is down", extra={"event": "feed.down", "feed": "g"})
    assert [line.get("feed") for line in lines(stream)] == ["f", "f", "g"]

    funnel.close()
    told = lines(stream)[-1]
    assert told["message"] == "… and 37 more in 0 s: feed is down"
    assert (told["event"], told["feed"], told["more"], told["level"]) == ("feed.down", "f", 37, "warning")
    assert "error" not in told


def test_what_a_library_says_is_told_apart_by_its_words() -> None:
    stream = io.StringIO()
    log.configure("gateway", "info", stream=stream, repeats=2)
    for number in range(9):
        logging.getLogger("asyncio").error(f"trouble {number % 3}")
    assert len(lines(stream)) == 6


def test_repeats_are_told_though_nothing_more_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    funnel = log.configure("gateway", "info", stream=stream, repeats=1)
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    for _ in range(3):
        logging.getLogger("x").warning("feed is down")
    now += 60.0
    funnel.look()
    assert [line.get("more") for line in lines(stream)] == [None, 2]


def kept(tmp_path: Path) -> str:
    return "".join(path.read_text() for path in sorted(tmp_path.glob("*.jsonl")))


def test_what_is_shown_is_kept_in_files_and_more(tmp_path: Path) -> None:
    stream = io.StringIO()
    funnel = log.configure("gateway", "info", stream=stream, secrets=["hunter22"])
    file = LogFile(tmp_path, "gateway", Bounds(file=10_000, day=10_000, days=2))
    funnel.writer = Writer(file, funnel.file_trouble, lambda: 0.0)
    logging.getLogger("x").warning("heard")
    assert log.is_configured()
    log.last_words("FSNATS_X: hunter22 is wrong")
    funnel.close()

    assert kept(tmp_path).startswith(stream.getvalue())
    last = json.loads(kept(tmp_path).splitlines()[-1])
    assert (last["event"], last["message"]) == ("process.ends", "FSNATS_X: *** is wrong")
    assert datetime.fromisoformat(last["time"]).tzinfo is not None


def test_files_that_cannot_be_written_are_told_on_the_stream_and_their_return_in_the_files_too(
    tmp_path: Path,
) -> None:
    stream = io.StringIO()
    funnel = log.configure("gateway", "info", stream=stream)
    funnel.file_trouble("No space left on device", 0)
    file = LogFile(tmp_path, "gateway", Bounds(file=10_000, day=10_000, days=2))
    funnel.writer = Writer(file, funnel.file_trouble, lambda: 0.0)
    funnel.file_trouble("", 3)
    funnel.close()

    first, second = lines(stream)
    assert (first["event"], first["error"]) == ("log.files_failed", "No space left on device")
    assert (second["event"], second["lost"]) == ("log.files_back", 3)
    assert json.loads(kept(tmp_path)) == second


def test_without_a_log_nothing_is_kept() -> None:
    logging.getLogger().handlers[:] = []
    log.keep({"message": "m"})
    log.last_words("m")
    assert not log.is_configured()


def test_somebody_else_may_show_what_is_logged_for_a_while() -> None:
    stream = io.StringIO()
    log.configure("supervisor", "info", stream=stream)
    shown: list[Entry] = []
    with log.shown_by(shown.append, "supervisor"):
        logging.getLogger("x").warning("heard")
    logging.getLogger("x").warning("not heard")
    assert [entry["message"] for entry in shown] == ["heard"]
    assert [entry["message"] for entry in lines(stream)] == ["not heard"]
