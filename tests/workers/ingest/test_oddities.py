import logging

import pytest

from workers.ingest.oddities import Kind, Oddities


def test_the_first_of_each_kind_is_logged_with_a_short_sample(caplog: pytest.LogCaptureFixture) -> None:
    oddities = Oddities()
    for _ in range(3):
        oddities.note(Kind.HTML, b"<html>\xff" + b"x" * 10_000, ValueError("no JSON"))
    oddities.note(Kind.FUTURE, b"{}")
    records = [vars(record) for record in caplog.records if record.levelno == logging.WARNING]

    assert oddities.counts == {"html": 3, "future": 1}
    assert [record["kind"] for record in records] == ["html", "future"]
    assert records[0]["sample"].startswith("<html>\\xff")
    assert len(records[0]["sample"]) < 300
    assert (records[0]["bytes"], records[0]["error"]) == (10_007, "no JSON")
