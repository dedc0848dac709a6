import io
import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats import log
from fsnats.logs.entries import LINE_MOST
from fsnats.logs.files import Bounds, LogFile
from fsnats.logs.writer import Writer
from fsnats.supervisor.output import LineSplitter, Printer, for_machines, for_people

NOW = datetime(2026, 11, 20, 12, 0, 1, tzinfo=UTC)
JSON_LINE = (
    '{"time":"2026-11-20T12:00:01.000+00:00","level":"warning","program":"x","message":"late","stream":"a@trade"}'
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def split(*chunks: bytes) -> list[str]:
    lines: list[str] = []
    splitter = LineSplitter(lines.append)
    for chunk in chunks:
        splitter.feed(chunk)
    splitter.end()
    return lines


def test_lines_are_whole_however_they_were_read() -> None:
    assert split(b"one\ntw", b"o\r\n", b"", b"three") == ["one", "two", "three"]


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert split(b"caf\xc3\xa9 \xff\n") == ["café \N{REPLACEMENT CHARACTER}"]


def test_a_line_without_end_is_cut_to_pieces() -> None:
    pieces = split(b"x" * (2 * LINE_MOST + 5))

    assert [len(piece) for piece in pieces] == [LINE_MOST, LINE_MOST, 5]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=30)), st.integers(1, 7))
def test_the_cut_of_the_chunks_does_not_matter(lines: list[str], size: int) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()

    assert split(*(data[start : start + size] for start in range(0, len(data), size))) == lines


def test_json_lines_pass_unchanged_to_machines() -> None:
    assert for_machines("nats", JSON_LINE, NOW) == JSON_LINE


def test_other_lines_are_wrapped_for_machines() -> None:
    assert json.loads(for_machines("nats", "[1] {half", NOW)) == {
        "time": "2026-11-20T12:00:01.000+00:00",
        "level": "info",
        "program": "nats",
        "event": "output.line",
        "message": "[1] {half",
    }


def test_json_lines_are_written_out_for_people() -> None:
    clock = NOW.astimezone().strftime("%H:%M:%S")

    assert for_people(JSON_LINE) == f"{clock} warning  late  stream=a@trade"
    assert for_people("plain") == "plain"
    assert for_people('{"a":1}') == '{"a":1}'
    assert for_people(JSON_LINE.replace("2026-", "never")) == JSON_LINE.replace("2026-", "never")


def test_names_are_aligned_on_a_terminal_and_each_has_its_colour() -> None:
    terminal = Terminal()
    printer = Printer(terminal, {}, lambda: NOW)
    for name in ("nats", "ingest-spot-0"):
        printer.expect(name)
    printer.line("nats", "up")
    printer.line("ingest-spot-0", "up")
    printer.line("nats", "down")

    assert terminal.getvalue().splitlines() == [
        "\x1b[36mnats          |\x1b[0m up",
        "\x1b[33mingest-spot-0 |\x1b[0m up",
        "\x1b[36mnats          |\x1b[0m down",
    ]


def test_no_color_is_heeded() -> None:
    terminal = Terminal()
    Printer(terminal, {"NO_COLOR": "1"}, lambda: NOW).line("nats", "up")

    assert terminal.getvalue() == "nats | up\n"


def test_every_line_of_a_traceback_is_under_its_name() -> None:
    terminal = Terminal()
    line = json.dumps({"time": NOW.isoformat(), "level": "error", "message": "bug", "exception": "Trace:\n  E"})
    Printer(terminal, {"NO_COLOR": "1"}, lambda: NOW).line("history", line)

    assert [text.partition(" | ")[0] for text in terminal.getvalue().splitlines()] == ["history"] * 3


def test_a_reader_that_is_gone_harms_nobody() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    Printer(Gone(), {}, lambda: NOW).line("nats", "up")


def test_our_own_log_is_like_everyone_elses_on_a_terminal() -> None:
    terminal = Terminal()
    printer = Printer(terminal, {"NO_COLOR": "1"}, lambda: NOW)
    before = logging.getLogger().handlers[:]

    with printer.logging_as("supervisor"):
        logging.getLogger("some.module").warning("heard", extra={"child": "nats"})

    assert terminal.getvalue().startswith("supervisor | ")
    assert terminal.getvalue().endswith("warning  heard  child=nats\n")
    assert logging.getLogger().handlers == before


def test_nobodys_line_moves_the_cursor_or_passes_for_somebody_elses() -> None:
    terminal = Terminal()
    printer = Printer(terminal, {"NO_COLOR": "1"}, lambda: NOW)
    printer.line("nats", "up\x1b[2K\rgateway | 12:00:00 info")
    printer.line("history", JSON_LINE.replace("late", "late\\n12:00:00 info  all is well"))

    first, second = terminal.getvalue().splitlines()
    assert first == "nats | up\\x1b[2K\\rgateway | 12:00:00 info"
    assert second.startswith("history | ")
    assert "late\\n12:00:00" in second


def test_a_supervisor_does_not_wait_for_whoever_reads_its_output() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader) as read, os.fdopen(writer, "w") as stream:
        printer = Printer(stream, {}, lambda: NOW)
        for _ in range(1000):
            printer.line("history", JSON_LINE)  # more than a pipe holds
        shown = 100
        assert {read.readline() for _ in range(shown)} == {f"{JSON_LINE}\n"}
        printer.line("history", JSON_LINE)
        while (line := read.readline()) == f"{JSON_LINE}\n":
            shown += 1
    assert json.loads(line)["event"] == "log.unread"
    assert json.loads(line)["lost"] == 1000 - shown > 0


def test_what_a_program_did_not_log_is_redacted_and_kept_in_our_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    stream = io.StringIO()
    funnel = log.configure("supervisor", "info", stream=stream, secrets=["hunter22"])
    file = LogFile(tmp_path, "supervisor", Bounds(file=10_000, day=10_000, days=2))
    funnel.writer = Writer(file, funnel.file_trouble, lambda: 0.0)
    printer = Printer(stream, {}, lambda: NOW)
    printer.line("nats", "password is hunter22")
    printer.line("history", JSON_LINE)  # it has a file of its own
    printer.line("nats", "")
    funnel.close()

    (kept,) = tmp_path.glob("*.jsonl")
    first, second = stream.getvalue().splitlines()
    assert kept.read_text() == f"{first}\n"
    assert json.loads(first)["message"] == "password is ***"
    assert second == JSON_LINE
