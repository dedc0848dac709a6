import logging

import msgspec
import pytest

from fsnats.binance.limits import DIALS_PER_MINUTE
from fsnats.bus.memory import MemoryBus
from fsnats.exits.messages import Grant, Report, Request
from fsnats.exits.pool import SPOT
from fsnats.exits.verdicts import Verdict
from fsnats.subjects import DIALS, EXIT_REPORTS
from fsnats.supervisor.dials import Dials
from tests.clock import HandClock

OURS = DIALS_PER_MINUTE * 9 // 10


async def asked(bus: MemoryBus, *exits: str, host: str = "h", program: str = "ingest-spot-0") -> Grant:
    request = Request(exits, host, program)
    return msgspec.json.decode(await bus.request(DIALS, msgspec.json.encode(request), 1.0), type=Grant)


def granted(delay: float, exit_name: str | None = None, reason: str = "") -> Grant:
    return Grant(delay, exit_name, reason, share=0.1)


@pytest.fixture
def bus(clock: HandClock) -> MemoryBus:
    bus = MemoryBus()
    Dials(bus, clock).serve()
    return bus


async def test_all_workers_together_stay_within_an_exits_budget(bus: MemoryBus, clock: HandClock) -> None:
    grants = [await asked(bus, "direct", program=f"ingest-spot-{number % 7}") for number in range(OURS)]

    assert grants == [granted(0.0, "direct")] * OURS
    await clock.advance(20.0)
    assert await asked(bus, "direct") == granted(40.0, "direct")


async def test_each_exit_has_a_budget_of_its_own_and_a_full_one_is_passed_over(clock: HandClock) -> None:
    bus = MemoryBus()
    dials = Dials(bus, clock)
    dials.serve()
    for _ in range(OURS):
        await asked(bus, "direct")

    assert await asked(bus, "direct", "socks5://proxy:1080") == granted(0.0, "socks5://proxy:1080")
    assert [one.dials_free for one in dials.standings()] == [0, OURS - 1]


async def test_what_one_program_found_out_all_others_know(clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    bus = MemoryBus()
    dials = Dials(bus, clock)
    dials.serve()
    report = msgspec.json.encode(Report("a", "h", Verdict.UNSERVED, "http: HTTP 451"))
    with caplog.at_level(logging.WARNING):
        bus.publish(EXIT_REPORTS, report)
        bus.publish(EXIT_REPORTS, report)

    assert await asked(bus, "a", "b") == granted(0.0, "b")
    assert await asked(bus, "a") == granted(10.0, reason="a: http: HTTP 451")
    (trouble,) = dials.standings()[0].troubles
    assert (trouble.area, trouble.reason, trouble.wait) == ("h", "http: HTTP 451", 10.0)
    assert [(record.levelname, vars(record)["exit"]) for record in caplog.records] == [("ERROR", "a")]


async def test_what_cannot_be_read_is_not_answered(clock: HandClock) -> None:
    bus = MemoryBus()
    dials = Dials(bus, clock)
    dials.serve()
    for rubbish in (b"{", b"\xff", b'{"exit":"a"}'):
        bus.publish(DIALS, rubbish, "reply")
        bus.publish(EXIT_REPORTS, rubbish)

    assert dials.standings() == []


async def test_made_up_exits_do_not_fill_the_memory(clock: HandClock) -> None:
    dials = Dials(MemoryBus(), clock)

    grants = [dials.grant(Request((f"exit-{number}",))) for number in range(101)]

    assert grants == [granted(0.0, f"exit-{number}") for number in range(100)] + [None]


@pytest.mark.parametrize(("programs", "share"), [(0, 0.1), (1, 0.1), (9, 0.1), (18, 0.05), (90, 0.01)])
async def test_programs_are_told_what_share_of_dials_is_theirs_when_nobody_answers(
    clock: HandClock, programs: int, share: float
) -> None:
    grant = Dials(MemoryBus(), clock, lambda: programs).grant(Request(("direct",)))

    assert grant is not None
    assert grant.share == pytest.approx(share)


async def test_programs_that_use_rest_are_told_what_share_of_weight_is_theirs(clock: HandClock) -> None:
    dials = Dials(MemoryBus(), clock, lambda: 50)
    asked = ("history", "history", "supervisor", "history-2", "history-3")

    grants = [dials.grant(Request(("direct",), program=program, weight=1, scope=SPOT)) for program in asked]

    assert [grant.share for grant in grants if grant is not None] == pytest.approx([0.45, 0.45, 0.45, 0.3, 0.225])
