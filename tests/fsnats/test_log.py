import io
import json
import logging
from collections.abc import Iterator

import pytest

from fsnats import log


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored_root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_away_from_a_terminal_an_event_is_a_json_line() -> None:
    stream = io.StringIO()
    log.configure("ingest-spot-0", "info", stream=stream)

    logging.getLogger("fsnats.x").warning("feed is down", extra={"feed": "f", "next": 1.5})
    logging.getLogger("fsnats.x").debug("not shown")

    (line,) = stream.getvalue().splitlines()
    fields = json.loads(line)
    assert fields.pop("time").startswith("20")
    assert fields == {
        "level": "warning",
        "program": "ingest-spot-0",
        "logger": "fsnats.x",
        "message": "feed is down",
        "feed": "f",
        "next": 1.5,
    }


def test_on_a_terminal_it_is_text() -> None:
    stream = Terminal()
    log.configure("gateway", "info", stream=stream)

    logging.getLogger("fsnats.x").warning("feed is down", extra={"feed": "f"})

    assert stream.getvalue().endswith("warning  feed is down  feed=f\n")


def test_a_bugs_traceback_stays_on_the_one_line() -> None:
    stream = io.StringIO()
    log.configure("gateway", "info", stream=stream)
    try:
        raise ZeroDivisionError("oops")
    except ZeroDivisionError:
        logging.getLogger("x").exception("failed")

    (line,) = stream.getvalue().splitlines()
    assert "ZeroDivisionError: oops" in json.loads(line)["exception"]
