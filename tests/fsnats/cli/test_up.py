"""`fsnats up` and `fsnats supervise`: the whole fleet from one command."""

import asyncio
import signal
from pathlib import Path

from fsnats.cli.up import called, welcome
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


def test_the_welcome_says_how_things_are_called_from_here() -> None:
    config = Config(gateway_port=8443, gateway_host="::1", gateway_tls_cert="cert.pem")
    shown = welcome(Running(config, "nats://x", 3), command=".venv/bin/fsnats")
    assert "clients connect to wss://[::1]:8443/" in shown
    assert "https://[::1]:8443/ in a browser, or .venv/bin/fsnats client --url wss://[::1]:8443\n" in shown
    assert "look at it: .venv/bin/fsnats status " in shown


def test_it_is_called_by_its_name_where_that_finds_it(tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    for directory in (here, elsewhere):
        directory.mkdir()
        (directory / "fsnats").touch(0o755)
    own = str(here / "fsnats")
    assert called([own, "up"], str(here)) == "fsnats"
    assert called([own, "up"], str(elsewhere)) == own
    assert called([own, "up"], str(tmp_path)) == own
    assert called(["fsnats/__main__.py"], str(elsewhere)) == "fsnats"
