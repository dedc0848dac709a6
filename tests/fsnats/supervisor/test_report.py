import asyncio
import logging

import pytest

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.config import Config
from fsnats.fleet.events import Journal, Kind
from fsnats.supervisor import events, report
from fsnats.supervisor.catalogue import Catalogue
from fsnats.supervisor.census import Census
from tests.clock import HandClock


def test_the_end_of_a_process_in_words() -> None:
    assert report.ending(78) == "ended with status 78"
    assert report.ending(-9) == "was ended by SIGKILL"
    assert report.ending(-200) == "was ended by signal 200"


@pytest.mark.parametrize(
    ("event", "level", "text"),
    [
        (events.Started("history", 7), "DEBUG", "history starts"),
        (events.Ready("history", 0.5, 3, 9), "INFO", "history is ready (3 of 9)"),
        (events.Exited("history", 7, -9, False), "WARNING", "history was ended by SIGKILL"),
        (events.Exited("history", 7, 0, True), "DEBUG", "history ended with status 0"),
        (events.Unstartable("nats", "no such file"), "ERROR", "nats cannot be started: no such file"),
        (events.Restarting("history", 0.2, 1), "INFO", "history starts again in 0.2 s"),
        (events.GaveUp("gateway", 78), "ERROR", "gateway ended with status 78: starting it again cannot help"),
        (events.Silent("history", 15.2), "ERROR", "history gave no sign of life for 15 s: killing it"),
        (events.TooBig("history", 2, 1), "WARNING", "history is too big: replacing it"),
        (events.Stuck("history", 3.0), "WARNING", "history did not stop within 3 s: killing it"),
    ],
)
def test_every_event_is_a_sentence(
    event: events.Event, level: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        report.log_event(event)

    assert [(record.levelname, record.message) for record in caplog.records] == [(level, text)]


def test_what_happens_to_programs_is_kept_for_dashboards(clock: HandClock) -> None:
    journal = Journal(clock.time_ns)
    for event in (
        events.Started("history", 7),
        events.Ready("history", 0.5, 3, 4),
        events.Exited("history", 7, -9, False),
        events.Exited("gateway", 8, 0, True),
        events.Unstartable("nats", "no such file"),
    ):
        report.note_event(journal, event)
    asyncio.run(clock.advance(1.0))

    assert [(each.kind, each.child, each.reason) for each in journal.since(0, 0)] == [
        (Kind.READY, "history", ""),
        (Kind.ENDED, "history", "was ended by SIGKILL"),
        (Kind.ENDED, "nats", "cannot be started: no such file"),
    ]


def test_a_market_that_never_answered_has_a_status_too(clock: HandClock) -> None:
    async def ask(market: Market) -> None: ...

    census = Census(Config(), ask, Catalogue(MemoryBus()), clock, lambda: 0.0, lambda _: None)  # type: ignore[arg-type]  # never asked
    census.troubles[Market.SPOT] = "dns: no such host"

    assert report.market_status(census, Market.SPOT) == report.MarketStatus(0, 0, None, None, "dns: no such host")
