"""The whole supervisor as a process of its own, with a real NATS server and real, if simple-minded, children."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.config import Config
from fsnats.errors import EXIT_CONFIG, EXIT_UNAVAILABLE
from fsnats.rendezvous import nats_urls
from fsnats.status import ask
from fsnats.supervisor.main import at_simulator
from tests.conftest import NatsServer, eventually
from tests.fsnats.supervisor.exchange import Exchange, running_exchange
from tests.fsnats.supervisor.test_child import is_alive

# Stands in for every kind of program: says that it is ready and alive, and notes when it is asked to stop.
STUB = """
import asyncio, os, sys
from fsnats import notify, process

NAME = os.environ[notify.PROGRAM]

async def main(stopping):
    notifier = notify.from_environment()
    if NAME == os.environ.get("STUB_WRONG"):
        sys.stderr.write("a setting is wrong\\n")
        sys.exit(78)
    async with asyncio.TaskGroup() as tasks:
        beating = tasks.create_task(notifier.beat())
        notifier.say("READY=1", f"STATUS={' '.join(sys.argv[1:])}")
        await stopping.wait()
        with open(os.environ["STUB_JOURNAL"], "a") as journal:
            journal.write(NAME + "\\n")
        if NAME == os.environ.get("STUB_STUBBORN"):
            await asyncio.sleep(600)
        beating.cancel()

sys.exit(process.run(main))
"""


class Fleet:
    """A supervisor process, seen from outside."""

    def __init__(self, directory: Path, process: asyncio.subprocess.Process) -> None:
        self.directory = directory
        self.config = Config(state_dir=str(directory / "state"))
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self.pids: set[int] = set()  # of every child that ever was

    async def read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.lines.append(json.loads(line) if line.startswith(b"{") else {"message": line.decode().strip()})

    @property
    def messages(self) -> list[str]:
        return [str(line["message"]) for line in self.lines]

    @property
    def stopped(self) -> list[str]:
        """Who was asked to stop, in that order."""
        journal = self.directory / "journal"
        return journal.read_text().split() if journal.exists() else []

    async def started(self) -> None:
        await self.says("the fleet has started")

    async def says(self, message: str) -> None:
        def said() -> bool:
            return any(message in text for text in self.messages)

        try:
            await eventually(lambda: said() or self.process.returncode is not None)
        finally:
            assert said(), f"{message}: not in {self.messages}"

    async def status(self) -> dict[str, Any]:
        async with NatsBus(nats_urls(self.config), f"test-{os.getpid()}", lambda: 0.0) as bus:
            await bus.connected()
            answers: list[dict[str, Any]] = []
            async with asyncio.timeout(10):
                while not answers:  # the supervisor itself may be reconnecting
                    answers = await ask(bus, "_INBOX.test.status", 0.2)
        return answers[0]

    async def programs(self) -> dict[str, dict[str, Any]]:
        """The programs by name, as the status tells them."""
        status = await self.status()
        programs = {program["name"]: program for program in status["programs"]}
        self.pids |= {program["pid"] for program in programs.values() if program["pid"]}
        return programs

    async def ends(self) -> int:
        async with asyncio.timeout(15):
            return await self.process.wait()

    async def no_orphans(self) -> None:
        await eventually(lambda: not [pid for pid in self.pids if is_alive(pid)], f"dead: {self.pids}")


Begin = Callable[..., Any]


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with running_exchange() as exchange:
        exchange.listed["/api"] = ["BTCUSDT", "ETHUSDT", "XRPUSDT"]
        exchange.listed["/fapi"] = ["BTCUSDT"]
        yield exchange


@pytest.fixture
def begin(tmp_path: Path, exchange: Exchange) -> Begin:
    for package in ("workers", "gateway"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
        (tmp_path / package / "__main__.py").write_text(STUB)

    @asynccontextmanager
    async def begun(*arguments: str, **variables: str) -> AsyncIterator[Fleet]:
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FSNATS_")},
            "PYTHONPATH": str(tmp_path),
            "STUB_JOURNAL": str(tmp_path / "journal"),
            "FSNATS_STATE_DIR": str(tmp_path / "state"),
            "FSNATS_NATS_PORT": "0",
            "FSNATS_SPOT_REST_URL": exchange.url,
            "FSNATS_USDM_REST_URL": exchange.url,
            "FSNATS_SYMBOLS_PER_WORKER": "2",
            **variables,
        }
        argv = [sys.executable, "-P", "-m", "fsnats.supervisor", *arguments]
        process = await asyncio.create_subprocess_exec(*argv, env=environ, cwd=tmp_path, stderr=subprocess.PIPE)
        fleet = Fleet(tmp_path, process)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fleet.read())  # until the process has ended
            try:
                yield fleet
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

    return begun


async def test_a_fleet_starts_tells_its_status_and_stops_in_order(begin: Begin) -> None:
    async with begin("--gateway") as fleet:
        await fleet.started()
        programs = await fleet.programs()
        status = await fleet.status()
        fleet.process.terminate()
        assert await fleet.ends() == 0

    assert list(programs) == ["nats", "ingest-spot-0", "ingest-spot-1", "ingest-usdm-0", "history", "gateway"]
    assert {program["state"] for program in programs.values()} == {"ready"}
    assert programs["ingest-spot-1"]["said"] == "ingest --market spot --group 1"
    assert programs["ingest-spot-1"]["rss"] > 1_000_000
    assert status["pid"] == fleet.process.pid
    assert status["markets"]["spot"]["symbols"] == 3
    assert status["markets"]["usdm"]["groups"] == 1

    assert fleet.stopped[0] == "gateway"
    assert sorted(fleet.stopped[1:]) == ["history", "ingest-spot-0", "ingest-spot-1", "ingest-usdm-0"]
    assert not (fleet.directory / "state" / "nats.url").exists()
    await fleet.no_orphans()


async def test_a_stop_in_the_middle_of_the_start_is_a_stop(begin: Begin) -> None:
    async with begin("--gateway") as fleet:
        await fleet.says("nats is ready")
        fleet.process.terminate()
        assert await fleet.ends() == 0

    assert not (fleet.directory / "state" / "nats.url").exists()


async def test_a_killed_worker_alone_is_back_within_seconds(begin: Begin) -> None:
    async with begin() as fleet:
        await fleet.started()
        before = await fleet.programs()
        os.kill(before["ingest-spot-1"]["pid"], signal.SIGKILL)
        await eventually(lambda: len([m for m in fleet.messages if "ingest-spot-1 is ready" in m]) == 2, within=5)
        after = await fleet.programs()

    assert after.pop("ingest-spot-1")["restarts"] == 1
    assert all(after[name]["pid"] == before[name]["pid"] for name in after)
    await fleet.no_orphans()


async def test_a_killed_nats_server_comes_back_at_the_same_place_and_nobody_restarts(begin: Begin) -> None:
    async with begin() as fleet:
        await fleet.started()
        before, urls = await fleet.programs(), nats_urls(fleet.config)
        os.kill(before["nats"]["pid"], signal.SIGKILL)
        await fleet.says("nats starts again")
        after = await fleet.programs()

    assert after.pop("nats")["pid"] != before["nats"]["pid"]
    assert all(after[name]["pid"] == before[name]["pid"] for name in after)
    assert urls == [line for line in urls if line.startswith("nats://127.0.0.1:")]


async def test_nobody_outlives_a_supervisor_that_was_killed(begin: Begin) -> None:
    async with begin("--gateway") as fleet:
        await fleet.started()
        await fleet.programs()
        assert len(fleet.pids) == 6
        fleet.process.kill()
        await fleet.no_orphans()

    # What it left behind does not hinder the next one.
    async with begin() as fleet:
        await fleet.started()


async def test_a_second_signal_stops_at_once(begin: Begin) -> None:
    async with begin(STUB_STUBBORN="history") as fleet:
        await fleet.started()
        await fleet.programs()
        fleet.process.terminate()
        await eventually(lambda: "history" in fleet.stopped)
        fleet.process.terminate()
        assert await fleet.ends() == 128 + signal.SIGKILL
        assert not any("did not stop" in message for message in fleet.messages)
        await fleet.no_orphans()


async def test_who_does_not_stop_is_killed_within_the_ten_seconds(begin: Begin) -> None:
    async with begin(STUB_STUBBORN="history") as fleet:
        await fleet.started()
        await fleet.programs()
        fleet.process.terminate()
        async with asyncio.timeout(10):
            assert await fleet.ends() == 0
    assert "history did not stop within 3 s: killing it" in fleet.messages
    await fleet.no_orphans()


async def test_a_new_listing_gets_a_worker_and_a_delisting_frees_one(begin: Begin, exchange: Exchange) -> None:
    async with begin(FSNATS_CATALOGUE_REFRESH="1") as fleet:
        await fleet.started()
        before = await fleet.programs()
        exchange.listed["/api"] = ["BTCUSDT", "ETHUSDT", "XRPUSDT", "ADAUSDT", "SOLUSDT"]
        await fleet.says("ingest-spot-2 is ready")
        exchange.listed["/api"] = ["SOLUSDT", "XRPUSDT"]
        async with asyncio.timeout(10):
            while "ingest-spot-0" in (after := await fleet.programs()):
                pass

    assert [name for name in after if name.startswith("ingest-spot")] == ["ingest-spot-1", "ingest-spot-2"]
    assert fleet.stopped == ["ingest-spot-0"]
    assert all(after[name]["pid"] == before[name]["pid"] for name in after if name != "ingest-spot-2")


async def test_without_the_exchange_the_impatient_learn_why(begin: Begin, exchange: Exchange) -> None:
    exchange.listed["/api"] = None
    async with begin("--impatient") as fleet:
        assert await fleet.ends() == EXIT_UNAVAILABLE

    assert (
        "fsnats: http: HTTP 503, the exchange is in trouble.  `--sim` serves simulated data instead" in fleet.messages
    )


async def test_without_the_exchange_the_patient_carry_on_with_what_was_known(begin: Begin, exchange: Exchange) -> None:
    async with begin() as fleet:
        await fleet.started()
        fleet.process.terminate()
        await fleet.ends()
    exchange.listed = dict.fromkeys(exchange.listed)
    async with begin() as fleet:
        await fleet.started()
        programs, status = await fleet.programs(), await fleet.status()

    assert {"ingest-spot-0", "ingest-spot-1", "ingest-usdm-0"} <= programs.keys()
    assert status["markets"]["spot"]["trouble"] == "http: HTTP 503, the exchange is in trouble"


async def test_a_program_with_a_wrong_setting_ends_an_impatient_start(begin: Begin) -> None:
    async with begin("--gateway", "--impatient", STUB_WRONG="gateway") as fleet:
        assert await fleet.ends() == EXIT_CONFIG

    assert "a setting is wrong" in fleet.messages
    assert "fsnats: gateway: ended with status 78; its own lines say why" in fleet.messages


async def test_a_program_with_a_wrong_setting_does_not_end_the_rest(begin: Begin) -> None:
    async with begin("--gateway", STUB_WRONG="gateway") as fleet:
        await fleet.started()
        programs = await fleet.programs()

    assert (programs["gateway"]["state"], programs["gateway"]["last_exit"]) == ("gave up", EXIT_CONFIG)
    assert programs["ingest-spot-0"]["state"] == "ready"


async def asked(fleet: Fleet, path: str) -> tuple[int, str]:
    """What the supervisor answers over HTTP."""
    await fleet.says("metrics are served")
    url = (fleet.directory / "state" / "metrics.url").read_text().strip()
    async with httpx.AsyncClient() as http:
        answer = await http.get(url.replace("/metrics", path))
    return answer.status_code, answer.text


async def test_a_fleet_that_cannot_start_yet_tells_so_without_nats(begin: Begin) -> None:
    with socket.socket() as nobody:  # bound, and not listening: who connects is refused
        nobody.bind(("127.0.0.1", 0))
        async with begin(FSNATS_NATS_URL=f"nats://127.0.0.1:{nobody.getsockname()[1]}") as fleet:
            assert await asked(fleet, "/readyz") == (503, "not ready: the fleet starts\n")
            assert await asked(fleet, "/healthz") == (200, "ok\n")
            status, text = await asked(fleet, "/metrics")
            fleet.process.terminate()
            assert await fleet.ends() == 0
    assert (status, "fsnats_build_info" in text, "fsnats_loop_lag_seconds_count" in text) == (200, True, True)
    assert not (fleet.directory / "state" / "metrics.url").exists()


async def test_who_is_not_ready_is_named_over_http(begin: Begin) -> None:
    async with begin("--gateway", STUB_WRONG="gateway") as fleet:
        await fleet.started()
        assert await asked(fleet, "/readyz") == (503, "not ready: gateway: gave up\n")
        _, text = await asked(fleet, "/metrics")
    assert 'fsnats_program_ready{program="gateway"} 0\n' in text
    assert 'fsnats_program_ready{program="history"} 1\n' in text


async def test_metrics_can_be_switched_off(begin: Begin) -> None:
    async with begin(FSNATS_METRICS_PORT="0") as fleet:
        await fleet.started()
        assert (await fleet.status())["metrics"] == ""
    assert not (fleet.directory / "state" / "metrics.url").exists()


async def test_a_second_supervisor_of_the_same_state_is_refused(begin: Begin) -> None:
    async with begin() as first:
        await first.started()
        async with begin() as second:
            assert await second.ends() == EXIT_CONFIG
        assert f"another supervisor (pid {first.process.pid})" in second.messages[-1]


async def test_a_nats_server_of_ones_own_is_used(begin: Begin, nats: NatsServer) -> None:
    async with begin(FSNATS_NATS_URL=nats.url) as fleet:
        fleet.config = Config(nats_url=nats.url)
        await fleet.started()
        programs = await fleet.programs()

    assert "nats" not in programs
    assert not (fleet.directory / "state" / "nats.url").exists()


async def test_the_simulator_takes_the_exchanges_place(begin: Begin, exchange: Exchange) -> None:
    # The stub serves no exchange, so the census finds nobody: what counts is whom it asks.
    async with begin("--sim", "--impatient") as fleet:
        assert await fleet.ends() == EXIT_UNAVAILABLE

    assert any("simulator is ready" in message for message in fleet.messages)
    assert exchange.requests == []


def test_every_url_leads_to_the_simulator_and_no_proxy_stands_between() -> None:
    real = Config(proxy="socks5://user:secret@host:1080", store_url="postgresql://real/data")
    config = at_simulator(real, 9443, Path("/state"))

    assert config.ws_url(Market.USDM) == "ws://127.0.0.1:9443/usdm"
    assert config.rest_url(Market.COINM) == "http://127.0.0.1:9443/coinm"
    assert config.proxy == "direct"
    assert config.store_url == "sqlite:///state/fsnats-sim.sqlite3"
