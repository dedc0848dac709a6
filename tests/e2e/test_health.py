"""What operators and their tools read of a gateway over HTTP."""

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from fsnats.errors import EXIT_CONFIG
from tests.conftest import NatsServer
from tests.e2e.client import Client, until
from tests.e2e.conftest import StartFleet
from tests.e2e.fleet import Fleet, get


def numbers(fleet: Fleet) -> dict[str, float]:
    """The gateway's metrics by name, as Prometheus' own reader understands them."""
    status, text = get(f"{fleet.http}/metrics")
    assert status == 200
    return {sample.name: sample.value for family in text_string_to_metric_families(text) for sample in family.samples}


PROGRAMS = ("supervisor", "ingest-spot-0", "history", "gateway")


def connected(fleet: Fleet) -> dict[str, float]:
    """Who is connected to NATS, as the supervisor tells it."""
    status, text = get(f"{fleet.watch}/metrics")
    assert status == 200
    found = (family for family in text_string_to_metric_families(text) if family.name == "fsnats_bus_connected")
    return {sample.labels["program"]: sample.value for family in found for sample in family.samples}


def test_gateway_is_alive_and_ready(fleet: Fleet) -> None:
    assert get(f"{fleet.http}/healthz") == (200, "ok\n")
    assert get(f"{fleet.http}/readyz") == (200, "ready\n")


async def test_metrics_count_clients_and_what_they_are_sent(fleet: Fleet) -> None:
    before = numbers(fleet)
    async with Client(f"{fleet.ws}/ws/btcusdt@depth@100ms") as client:
        await until(lambda: len(client.messages) >= 3, "data arrives")
        during = numbers(fleet)
        assert during["fsnats_gateway_clients"] == before["fsnats_gateway_clients"] + 1
        assert during["fsnats_gateway_connections_total"] == before["fsnats_gateway_connections_total"] + 1
        assert during["fsnats_gateway_delivered_total"] >= before["fsnats_gateway_delivered_total"] + 3
        assert during["fsnats_bus_connected"] == 1
        assert during["fsnats_gateway_lost_total"] == before["fsnats_gateway_lost_total"]
    await until(
        lambda: numbers(fleet)["fsnats_gateway_clients"] == before["fsnats_gateway_clients"], "the client is gone"
    )


async def test_readiness_names_what_is_missing_and_returns_with_nats(start_fleet: StartFleet, nats: NatsServer) -> None:
    fleet = start_fleet(nats_url=nats.url, markets="spot")
    nats.stop()
    await until(lambda: get(f"{fleet.http}/readyz")[0] == 503, "the gateway misses NATS")
    assert get(f"{fleet.http}/readyz")[1] == "not ready: NATS is not connected\n"
    assert get(f"{fleet.http}/healthz")[0] == 200
    assert numbers(fleet)["fsnats_bus_connected"] == 0
    await until(lambda: connected(fleet) == dict.fromkeys(PROGRAMS, 0.0), "everybody's numbers say so, without NATS")
    nats.start()
    await until(lambda: get(f"{fleet.http}/readyz")[0] == 200, "the gateway is ready again")


def test_a_gateway_of_another_fleet_does_not_take_the_port(fleet: Fleet, nats: NatsServer, tmp_path: Path) -> None:
    port = fleet.http.rpartition(":")[2]
    environ = {"PATH": os.environ["PATH"], "FSNATS_NATS_URL": nats.url, "FSNATS_STATE_DIR": str(tmp_path)}
    command = [sys.executable, "-P", "-m", "gateway", "--host", "127.0.0.1", "--port", port]
    other = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=False)

    assert other.returncode == EXIT_CONFIG
    assert f"127.0.0.1:{port} is served by a gateway of another fleet" in other.stderr
