"""What a running fleet tells Prometheus, and a real Prometheus that reads it."""

import json
import os
import signal
import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.conftest import DEPLOY, program
from tests.e2e.client import Client, until
from tests.e2e.fleet import Fleet, free_port, get, wait_for
from tests.metrics import declared

PROGRAMS = {"supervisor", "nats", "ingest-spot-0", "ingest-usdm-0", "history", "recorder", "gateway"}
MEMBERS = {"gateway-1", "gateway-2"}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One with all programs that there are, and two gateways on one port."""
    directory = tmp_path_factory.mktemp("metrics")
    with Fleet(directory, gateway_processes=2, record="spot:*@aggTrade", symbols="BTCUSDT,ETHUSDT") as fleet:
        yield fleet


def page(url: str) -> dict[str, Metric]:
    """The families that are told there, as Prometheus' own reader understands them."""
    status, text = get(f"{url}/metrics")
    assert status == 200, text
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families), "each family once"
    return {family.name: family for family in families}


def by_program(url: str, name: str, **labels: str) -> dict[str, float]:
    """The numbers of one name, by program; of several in one program the sum."""
    found: dict[str, float] = {}
    for family in page(url).values():
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                told = sample.labels["program"]
                found[told] = found.get(told, 0.0) + sample.value
    return found


def test_what_is_documented_is_told_and_nothing_else(fleet: Fleet) -> None:
    wait_for(lambda: by_program(fleet.watch, "fsnats_clock_offset_seconds"), "the exchange's clock is known")
    families = page(fleet.watch)
    # A counter's family has the name without its ending.
    assert families.keys() == {each.name.removesuffix("_total") for each in declared()}
    for metric in declared():
        family = families[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.kind, metric.text)
        for sample in family.samples:
            assert sample.labels.keys() - {"program", "le"} == set(metric.labels) - {"program"}, metric.name
    text = get(f"{fleet.watch}/metrics")[1]
    checked = subprocess.run([program("promtool"), "check", "metrics"], input=text, text=True, capture_output=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_every_program_is_there_and_each_gateway_tells_of_those_that_share_its_port(fleet: Fleet) -> None:
    assert by_program(fleet.watch, "fsnats_up") == dict.fromkeys((PROGRAMS | MEMBERS) - {"supervisor"}, 1.0)
    assert by_program(fleet.watch, "process_resident_memory_bytes").keys() == PROGRAMS | MEMBERS
    for _ in range(4):  # whichever of them is asked
        assert by_program(fleet.http, "fsnats_gateway_clients").keys() == MEMBERS
    assert get(f"{fleet.watch}/readyz") == (200, "ready\n")
    assert (fleet.directory / "state" / "metrics.url").read_text() == f"{fleet.watch}/metrics\n"


async def test_every_hop_of_what_a_client_gets_is_timed(fleet: Fleet) -> None:
    def hops() -> set[str]:
        return {
            sample.labels["hop"]
            for sample in page(fleet.watch)["fsnats_hop_seconds"].samples
            if sample.name.endswith("_count") and sample.labels["market"] == "usdm" and sample.value
        }

    streams = "/".join(f"{symbol}@depth@100ms" for symbol in ("btcusdt", "ethusdt"))
    async with Client(f"{fleet.ws}/usdm/stream?streams={streams}"):
        await until(lambda: hops() == {"exchange", "worker", "bus", "gateway"}, "every hop was looked at")
        assert sum(by_program(fleet.watch, "fsnats_gateway_clients").values()) == 1
        assert by_program(fleet.watch, "fsnats_ingest_streams")["ingest-usdm-0"] >= 2


async def test_a_program_that_is_stuck_shows_and_holds_up_nobody(fleet: Fleet) -> None:
    before = by_program(fleet.watch, "fsnats_program_restarts_total")["history"]
    pid = fleet.pid("history")
    os.kill(pid, signal.SIGSTOP)
    try:
        down = by_program(fleet.watch, "fsnats_up")
        assert {name for name, value in down.items() if not value} == {"history"}
        assert by_program(fleet.watch, "process_resident_memory_bytes").keys() == PROGRAMS | MEMBERS
    finally:
        os.kill(pid, signal.SIGKILL)
    await until(lambda: by_program(fleet.watch, "fsnats_up")["history"] == 1, "it is started again")
    assert by_program(fleet.watch, "fsnats_program_restarts_total")["history"] == before + 1


def test_a_real_prometheus_scrapes_the_fleet_and_loads_the_alerts(fleet: Fleet, tmp_path: Path) -> None:
    port = free_port()
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    for job, targets in zip(config["scrape_configs"], ([fleet.watch], [fleet.http]), strict=True):
        job["static_configs"] = [{"targets": [target.removeprefix("http://") for target in targets]}]
    config["rule_files"] = [str(DEPLOY / "prometheus" / "alerts.yml")]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))

    def ask(path: str) -> dict[str, Any]:
        status, text = get(f"http://127.0.0.1:{port}/api/v1/{path}")
        data: dict[str, Any] = json.loads(text)["data"] if status == 200 else {}
        return data

    def health() -> list[tuple[str, str]]:
        return sorted((one["scrapePool"], one["health"]) for one in ask("targets").get("activeTargets", []))

    def rules() -> list[dict[str, Any]]:
        return [rule for group in ask("rules").get("groups", []) for rule in group["rules"]]

    files = [f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
    with fleet.beside(program("prometheus"), *files, f"--web.listen-address=127.0.0.1:{port}") as prometheus:
        up = [("fsnats", "up"), ("fsnats-gateway", "up")]
        wait_for(lambda: prometheus.status is not None or health() == up, "both targets are up")
        assert prometheus.status is None, prometheus.said()
        wait_for(lambda: rules() and all(rule["health"] == "ok" for rule in rules()), "every rule was evaluated")
        query = urllib.parse.quote('fsnats_up{job="fsnats"}')
        found = {one["metric"]["program"]: one["value"][1] for one in ask(f"query?query={query}")["result"]}
    assert found == dict.fromkeys((PROGRAMS | MEMBERS) - {"supervisor"}, "1")
