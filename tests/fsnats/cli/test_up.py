"""`fsnats up` and `fsnats supervise`: the whole fleet from one command."""

import asyncio
import signal
from pathlib import Path

from fsnats.cli.up import welcome
from fsnats.config import Config
from fsnats.supervisor.main import Running
from tests.fsnats.cli.conftest import PATIENCE, command, environment, free_port, fsnats, line_with, running


def unreachable() -> dict[str, str | int]:
    here = free_port()
    return {"markets": "spot", "spot_rest_url": f"http://127.0.0.1:{here}", "nats_port": 0, "gateway_port": free_port()}


async def test_up_with_sim_runs_a_fleet_that_says_it_is_simulated() -> None:
    port = free_port()
    settings: dict[str, str | int] = {"nats_port": 0, "gateway_port": port, "gateway_host": "127.0.0.1"}
    async with running(*command("up", "--sim"), env=environment(**settings)) as process:
        assert f"ws://127.0.0.1:{port}/" in await line_with(process.stdout, "fsnats is ready")
        await line_with(process.stdout, "SIMULATED DATA")
        status = await fsnats("status")
        tail = await fsnats("tail", "spot", "btcusdt@aggTrade", "-n", "1")
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE):
            await process.communicate()
    assert process.returncode == 0
    assert status.status == 0
    assert status.out.startswith("SIMULATED DATA")
    assert '"stream":"btcusdt@aggTrade"' in tail.out
    assert "SIMULATED DATA" in tail.err


async def test_up_ends_at_once_where_the_exchange_cannot_be_reached_and_names_the_simulation() -> None:
    ended = await fsnats("up", settings=unreachable())
    assert ended.status == 69
    last = ended.err.splitlines()[-1]
    assert "tcp: " in last
    assert "--sim" in last


async def test_supervise_waits_for_the_exchange() -> None:
    async with running(*command("supervise"), env=environment(**unreachable())) as process:
        await line_with(process.stderr, "cannot renew the list of symbols")
        assert process.returncode is None
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await process.communicate()
    assert process.returncode == 0


async def test_two_supervisors_of_one_directory_are_one_too_many(tmp_path: Path) -> None:
    async with running(*command("supervise"), env=environment(**unreachable())) as process:
        await line_with(process.stderr, "cannot renew the list of symbols")
        ended = await fsnats("supervise", settings=unreachable())
    assert ended.status == 78
    assert "FSNATS_STATE_DIR" in ended.err


def test_the_welcome_names_no_port_that_it_does_not_know() -> None:
    shown = welcome(Running(Config(gateway_port=0), "nats://x", 3), simulated=False)
    assert "ws://" not in shown
    assert "SIMULATED" not in shown
