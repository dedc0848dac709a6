"""Live views, in a real terminal and without one."""

import asyncio
import json
from itertools import count

import pytest

from fsnats.bus.nats import NatsBus
from fsnats.fleet.events import Journal, Kind
from fsnats.rollcall import answering as answers_on
from fsnats.status import Status
from fsnats.subjects import EVENTS_REQUEST
from tests.conftest import NatsServer
from tests.fsnats.cli.conftest import PATIENCE, command, environment, line_with, running, until
from tests.fsnats.cli.terminal import CTRL_C, terminal
from tests.fsnats.cli.test_status import SUPERVISOR, WORKER, answering, bus

__all__ = ["bus"]  # the fixture

WATCH = command("status", "--watch", "--interval", "0.1", "--wait", "0.2")


@pytest.mark.parametrize("key", ["q", CTRL_C])
async def test_it_is_shown_anew_until_it_is_left_and_the_terminal_is_as_before(
    nats_url: str, bus: NatsBus, key: str
) -> None:
    now: Status = dict(SUPERVISOR)
    await answering(bus, now)
    async with terminal(*WATCH, env=environment(nats_url=nats_url)) as shown:
        before = shown.modes
        await until(lambda: "SIMULATED DATA" in shown.screen and "supervisor" in shown.screen)
        assert shown.modes != before  # keys come at once, unseen
        now["version"] = "10.11"
        await until(lambda: "10.11" in shown.screen)
        shown.type(key)
        async with asyncio.timeout(PATIENCE):
            assert await shown.process.wait() == 0
        await until(lambda: shown.was_left)
        assert shown.modes == before


async def test_what_is_red_says_why_and_what_to_do(nats_url: str, bus: NatsBus) -> None:
    cut = {"id": "ingest-spot-0-0a", "status": "reconnecting", "last_error": "the connection was cut"}
    await answering(bus, SUPERVISOR, {**WORKER, "connections": [cut]})
    async with terminal(*WATCH, env=environment(nats_url=nats_url)) as shown:
        await until(lambda: "\x1b[31m! ingest-spot-0-0a is reconnecting: the connection was cut" in shown.picture)
        assert "\x1b[31mingest-spot-0-0a" in shown.picture  # its row, too
        await until(lambda: "it dials again by itself" in shown.screen)


async def test_what_the_exchange_says_does_nothing_to_the_terminal(nats_url: str, bus: NatsBus) -> None:
    cut = {"id": "ingest-spot-0-0a", "status": "reconnecting", "last_error": "\x1b]0;mine"}
    await answering(bus, SUPERVISOR, {**WORKER, "connections": [cut]})
    async with terminal(*WATCH, env=environment(nats_url=nats_url)) as shown:
        await until(lambda: "! ingest-spot-0-0a is reconnecting: \\x1b]0;mine" in shown.screen)
        assert "\x1b]0;mine" not in shown.written


async def test_what_happened_lately_is_shown_the_newest_first(nats_url: str, bus: NatsBus) -> None:
    ticks = count(1_795_000_000)
    journal = Journal(lambda: next(ticks) * 1_000_000_000)
    for number in range(7):
        journal.note(Kind.GAP, stream=f"sym{number}usdt@trade", reason="silent")
    for name in ("a@trade", "b@trade"):
        journal.note(Kind.RECOVERED, stream=name, messages=1500)
    journal.note(Kind.LOST, connection="ingest-spot-0-0", exit_name="direct", reason="cut")
    answers_on(bus, EVENTS_REQUEST, lambda question: journal.answer("ingest-spot-0", 7, question, "spot"))
    await answering(bus, SUPERVISOR)

    def lately() -> list[str]:
        _, _, below = shown.screen.rpartition(" because")
        return [" ".join(line.split()[1:]) for line in below.splitlines() if line.strip()][:5]

    async with terminal(*WATCH, env=environment(nats_url=nats_url)) as shown:
        await until(lambda: "sym5usdt@trade" in shown.screen)
        assert lately() == [
            "lost ingest-spot-0-0 by direct cut",
            "recovered ingest-spot-0 b@trade 1,500",
            "recovered ingest-spot-0 a@trade 1,500",
            "gap ingest-spot-0 sym6usdt@trade silent",
            "gap ingest-spot-0 sym5usdt@trade silent",
        ]
        assert "sym4usdt" not in shown.screen


async def test_a_small_terminal_shows_what_is_wrong_all_the_same(nats_url: str, bus: NatsBus) -> None:
    await answering(bus, SUPERVISOR, WORKER)
    async with terminal(*WATCH, env=environment(nats_url=nats_url), rows=16) as shown:
        await until(lambda: "more lines: they need a taller terminal" in shown.screen)
        await until(lambda: "! history gave up with status 78" in shown.screen)
        assert "programs" in shown.screen


async def test_a_nats_that_goes_is_told_and_nothing_old_is_shown(nats: NatsServer) -> None:
    async with terminal(*WATCH, env=environment(nats_url=nats.url)) as shown:
        await until(lambda: "no supervisor answers" in shown.screen)
        nats.stop()
        await until(lambda: "NATS is not connected" in shown.screen)
        nats.start()
        await until(lambda: "no supervisor answers" in shown.screen)


async def test_without_a_terminal_it_says_so_and_prints(nats_url: str, bus: NatsBus) -> None:
    await answering(bus, SUPERVISOR)
    async with running(*WATCH, env=environment(nats_url=nats_url)) as process:
        assert "this is no terminal" in await line_with(process.stderr, "terminal")
        for _ in range(2):
            await line_with(process.stdout, "SIMULATED DATA")
            await line_with(process.stdout, "! history gave up")
        process.terminate()
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0


async def test_with_json_each_look_is_a_line_until_nobody_reads(nats_url: str, bus: NatsBus) -> None:
    await answering(bus, SUPERVISOR)
    async with running(*WATCH, "--json", env=environment(nats_url=nats_url)) as process:
        looks = [json.loads(await line_with(process.stdout, "")) for _ in range(2)]
        assert [look["programs"] for look in looks] == [[SUPERVISOR]] * 2
        assert looks[1]["at"] > looks[0]["at"]
        assert {trouble["severity"] for trouble in looks[0]["troubles"]} == {"error", "warning"}
        process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0
        assert process.stderr is not None
        assert await process.stderr.read() == b""
