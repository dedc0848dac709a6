"""A program's way out, with a desk and without one."""

import asyncio
import logging

import msgspec
import pytest

from fsnats.binance.limits import DIALS_PER_MINUTE
from fsnats.bus.memory import MemoryBus
from fsnats.config import Config
from fsnats.errors import BusUnavailable, ConfigError, ExchangeUnavailable
from fsnats.exits.address import DIRECT, Exit
from fsnats.exits.client import Exits, exits_to
from fsnats.exits.messages import Report
from fsnats.exits.pool import FUTURES, SPOT
from fsnats.exits.verdicts import Verdict
from fsnats.subjects import DIALS, EXIT_REPORTS
from fsnats.supervisor.dials import Dials
from tests.clock import HandClock, settle

URL = "wss://stream.binance.com:443/stream"
POOL = "direct,socks5h://me:s3cret@one:1080"
BLOCKED = ExchangeUnavailable("http", "HTTP 451", status=451)


class Deskless(MemoryBus):
    """A bus on which everything works but the desk."""

    has_desk = True

    async def request(self, subject: str, payload: bytes, timeout: float) -> bytes:
        if subject == DIALS and not self.has_desk:
            raise BusUnavailable("nobody answers that request")
        return await super().request(subject, payload, timeout)


def exits(bus: MemoryBus, clock: HandClock, proxy: str = POOL, program: str = "ingest-spot-0") -> Exits:
    return Exits(Config(proxy=proxy), bus, program, clock)


def test_the_environment_is_asked_for_each_host() -> None:
    environ = {"HTTPS_PROXY": "http://h:1", "NO_PROXY": "api.binance.com"}

    assert exits_to(URL, "env", environ) == [Exit("http://h:1", "http://h:1")]
    assert exits_to("https://api.binance.com", "env", environ) == [DIRECT]
    assert exits_to("https://api.binance.com", "direct,env", environ) == [DIRECT]
    with pytest.raises(ConfigError, match="FSNATS_PROXY=env: HTTPS_PROXY: the URL"):
        exits_to(URL, "env", {"HTTPS_PROXY": "ftp://h"})


async def test_what_one_worker_finds_out_keeps_another_one_away(clock: HandClock) -> None:
    bus = MemoryBus()
    Dials(bus, clock).serve()
    one, other = (exits(bus, clock, program=f"ingest-spot-{number}").to(URL) for number in (0, 1))
    first = await one.admitted()
    assert await other.admitted() != first
    one.failed(first, BLOCKED)

    assert {(await way.admitted()).name for way in (one, other)} == {"direct", "socks5h://one:1080"} - {first.name}


async def test_ways_of_two_strands_lead_by_two_exits_as_long_as_there_are_two(clock: HandClock) -> None:
    bus = MemoryBus()
    Dials(bus, clock).serve()
    ours = exits(bus, clock)
    one, other = (ours.to(URL, strand=strand) for strand in (0, 1))
    first, second = await one.admitted(), await other.admitted()
    assert first != second

    assert await one.admitted({first.name}) == second
    assert await one.other({first.name, second.name}) is None
    other.failed(second, BLOCKED)
    assert await other.other({first.name}) is None
    assert await other.admitted({first.name}) == first


async def test_an_exit_whose_budget_is_used_up_is_no_other_one(clock: HandClock) -> None:
    bus = MemoryBus()
    Dials(bus, clock).serve()
    way = exits(bus, clock).to(URL)
    for _ in range(DIALS_PER_MINUTE * 9 // 10):
        assert await way.other({"direct"}) == way.exits[1]

    assert await way.other({"direct"}) is None
    assert await way.admitted({"direct"}) == DIRECT


async def test_when_no_exit_is_left_it_waits_for_the_earliest_and_says_why(
    clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    bus = MemoryBus()
    Dials(bus, clock).serve()
    way = exits(bus, clock).to(URL)
    way.failed(way.exits[0], BLOCKED)
    way.failed(way.exits[1], ExchangeUnavailable("proxy", "s3cret? no", status=407))
    with caplog.at_level(logging.WARNING):
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(way.admitted())
            await clock.advance(9.0)
            assert not waiting.done()
            assert way.waiting == "direct: http: HTTP 451; socks5h://one:1080: proxy: s3cret? no"
            await clock.advance(1.0)

    assert waiting.result() == way.exits[0]
    assert way.waiting is None
    assert [record.message for record in caplog.records].count("no exit may be used") == 1


async def test_a_probe_that_works_lets_everybody_follow_at_once(clock: HandClock) -> None:
    bus = MemoryBus()
    Dials(bus, clock).serve()
    ways = [exits(bus, clock, "direct", f"ingest-spot-{number}").to(URL) for number in range(5)]
    for way in ways:
        way.failed(DIRECT, BLOCKED)
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(way.admitted()) for way in ways]
        await clock.advance(10.0)
        assert [task.done() for task in waiting].count(True) == 1
        ways[0].worked(DIRECT)
        await clock.advance(1.0)
        assert all(task.done() for task in waiting)


async def test_a_ban_of_rest_leaves_the_dials_alone(clock: HandClock) -> None:
    bus = MemoryBus()
    Dials(bus, clock).serve()
    for here in (bus, MemoryBus()):  # with a desk, and without one
        one = exits(here, clock, "direct")
        rest, dials = one.to("https://api.binance.com", SPOT), one.to(URL)
        rest.failed(DIRECT, ExchangeUnavailable("http", "HTTP 418", status=418, retry_after=300.0))

        assert await dials.admitted() == DIRECT
        with pytest.raises(ExchangeUnavailable, match="no exit may be used for another 300 s"):
            await rest.allotted(1, 5.0)


async def test_without_a_desk_a_process_keeps_to_a_small_budget_of_its_own(clock: HandClock) -> None:
    way = exits(MemoryBus(), clock, "direct").to(URL)
    admitted: list[float] = []

    few = DIALS_PER_MINUTE // 10

    async def dial_too_often() -> None:
        for _ in range(few + 2):
            await way.admitted()
            admitted.append(clock.monotonic())

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(dial_too_often())
        await settle()
        start = clock.monotonic()
        assert len(admitted) == few
        await clock.advance(60)

    assert admitted == [start] * few + [start + 60] * 2


async def test_without_a_desk_all_keep_to_the_share_they_were_told(clock: HandClock) -> None:
    bus = Deskless()
    Dials(bus, clock, lambda: 27).serve()
    ways = [exits(bus, clock, "direct", f"ingest-spot-{number}").to(URL) for number in range(27)]
    for way in ways:
        await way.admitted()
    bus.has_desk = False
    async with asyncio.TaskGroup() as tasks:
        dialling = [tasks.create_task(way.admitted()) for way in ways for _ in range(5)]
        await clock.advance(59.0)
        assert sum(task.done() for task in dialling) <= DIALS_PER_MINUTE
        await clock.advance(180.0)
        assert all(task.done() for task in dialling)


async def test_without_a_desk_rest_goes_on_until_all_together_have_used_its_share(clock: HandClock) -> None:
    bus = Deskless()
    Dials(bus, clock).serve()
    programs = ("history", "supervisor")
    one, other = (exits(bus, clock, "direct", name).to("https://fapi.binance.com", FUTURES) for name in programs)
    for way in (one, other, one):
        await way.allotted(1, 5.0)
    bus.has_desk = False
    for way in (one, other):
        for _ in range(5):
            await way.allotted(100, 5.0)
    one.worked(DIRECT, used_weight=1075)

    with pytest.raises(ExchangeUnavailable, match="its budget is used up"):
        await one.allotted(10, 5.0)


async def test_without_a_desk_everybody_knows_what_anybody_found_out(clock: HandClock) -> None:
    bus = MemoryBus()
    one, other = (exits(bus, clock, program=f"ingest-spot-{number}").to(URL) for number in (0, 1))
    first = await other.admitted()
    one.failed(first, BLOCKED)

    assert await other.admitted() != first


async def test_what_is_said_of_other_exits_or_cannot_be_read_is_passed_over(clock: HandClock) -> None:
    bus = MemoryBus()
    way = exits(bus, clock, "direct").to(URL)
    bus.publish(EXIT_REPORTS, b"{")
    for number in range(200):
        bus.publish(EXIT_REPORTS, msgspec.json.encode(Report(f"exit-{number}", "h", Verdict.BANNED)))

    assert await way.admitted() == DIRECT


async def test_without_a_desk_it_knows_what_it_has_seen_itself_and_says_it(
    clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    bus = MemoryBus()
    bus.is_connected = False
    way = exits(bus, clock).to(URL)
    first = await way.admitted()
    with caplog.at_level(logging.INFO):
        way.failed(first, BLOCKED)
        assert await way.admitted() != first
        way.worked(first)

    assert [record.message for record in caplog.records] == [
        "an exit is out of use for a while",
        "an exit works again",
    ]
    assert not any("s3cret" in str(vars(record)) for record in caplog.records)


async def test_a_request_with_little_patience_is_told_how_long_to_stay_away(clock: HandClock) -> None:
    bus = MemoryBus()
    Dials(bus, clock).serve()
    way = exits(bus, clock, "direct").to("https://api.binance.com", SPOT)
    way.failed(DIRECT, ExchangeUnavailable("http", "HTTP 429", status=429, retry_after=30.0))

    with pytest.raises(ExchangeUnavailable, match=r"no exit may be used for another 30 s \(direct: ") as failure:
        await way.allotted(2, 5.0)

    assert failure.value.retry_after == 30.0
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(way.allotted(2, 40.0))
        await clock.advance(30.0)
    assert asking.result() == DIRECT


async def test_the_exchanges_own_troubles_are_not_the_exits(clock: HandClock) -> None:
    way = exits(MemoryBus(), clock, "direct").to(URL)
    way.failed(DIRECT, ExchangeUnavailable("http", "HTTP 503", status=503))

    assert await way.admitted() == DIRECT
    assert clock.slept == []
