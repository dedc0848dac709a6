"""prometheus.yml and alerts.yml, as Prometheus' own checker reads them: alerts fire when they should, not else."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from fsnats.cli.app import app
from fsnats.config import PREFIX, Config
from tests.deploy.conftest import DEPLOY, program
from tests.metrics import declared, named

CONFIG = DEPLOY / "prometheus" / "prometheus.yml"
RULES = DEPLOY / "prometheus" / "alerts.yml"
EVENTS = set(re.findall(r"^\| `([a-z_.]+)` \|", (DEPLOY.parent / "docs" / "logs.md").read_text(), re.MULTILINE))

HOP = 'fsnats_hop_seconds_bucket{instance="a",program="p",market="%s",hop="%s",le="%s"}'
LAG = 'fsnats_loop_lag_seconds_bucket{instance="a",program="p",le="%s"}'
WORKER = '{instance="a",program="ingest-spot-0",market="spot"%s}'

# By alert: series, with values of 20 minutes in which it fires, and such in which nothing does.
SERIES: dict[str, dict[str, tuple[str, str]]] = {
    "FsnatsNoData": {
        f"fsnats_ingest_messages_total{WORKER % ''}": ("7x80", "0+100x80"),
        f"fsnats_ingest_streams{WORKER % ''}": ("50x80", "50x80"),
    },
    "FsnatsConnectionDown": {
        "fsnats_ingest_connections" + WORKER % ',state="reconnecting"': ("1x80", "0x40 1x4 0x40"),
    },
    "FsnatsConnectionsFlap": {
        "fsnats_ingest_connections_lost_total" + WORKER % ',code="1006"': ("0+1x80", "0x40 1x40"),
    },
    "FsnatsDialsFail": {
        "fsnats_ingest_dials_total" + WORKER % ',outcome="tls"': ("0+1x80", "3x80"),
        "fsnats_ingest_dials_total" + WORKER % ',outcome="ok"': ("0+1x80", "0+1x80"),
    },
    "FsnatsSilentStreams": {f"fsnats_ingest_silent_streams{WORKER % ''}": ("0x40 3x40", "0x40 3x4 0x40")},
    "FsnatsGaps": {f"fsnats_ingest_gaps_total{WORKER % ''}": ("0x70 1x10", "5x80")},
    "FsnatsHolesStay": {f"fsnats_ingest_filling{WORKER % ''}": ("1x80", "0x40 1x10 0x40")},
    "FsnatsOddMessages": {"fsnats_ingest_odd_total" + WORKER % ',kind="future"': ("0+2x80", "1x80")},
    "FsnatsControlsRefused": {f"fsnats_ingest_controls_refused_total{WORKER % ''}": ("0+1x80", "1x80")},
    "FsnatsMarketUnasked": {'fsnats_market_trouble{instance="a",market="spot"}': ("1x80", "0x40 1x20 0x40")},
    "FsnatsSimulated": {'fsnats_simulated{instance="a",market="spot"}': ("1x80", "0x80")},
    "FsnatsClockOff": {'fsnats_clock_offset_seconds{instance="a",market="spot"}': ("-0.8x80", "-0.2x80")},
    "FsnatsExitBanned": {
        'fsnats_exit_out{instance="a",exit="direct",area="rest:spot",verdict="banned"}': ("1x80", "_x80"),
    },
    "FsnatsExitOut": {
        'fsnats_exit_out{instance="a",exit="direct",area="x",verdict="unreachable"}': ("1x80", "_x40 1x4 _x40"),
    },
    "FsnatsWeightShort": {
        'fsnats_exit_weight_used{instance="a",exit="direct",scope="spot"}': ("5000x80", "1000x80"),
        'fsnats_exit_weight_limit{instance="a",exit="direct",scope="spot"}': ("5400x80", "5400x80"),
    },
    "FsnatsDialsShort": {'fsnats_exit_dials_free{instance="a",exit="direct"}': ("0x80", "9x40 0x10 9x40")},
    "FsnatsNatsGone": {'fsnats_bus_connected{instance="a",program="history"}': ("1x70 0x10", "1x40 0x1 1x40")},
    "FsnatsDropped": {f"fsnats_ingest_dropped_total{WORKER % ''}": ("0x70 900x10", "900x80")},
    "FsnatsUnpublished": {f"fsnats_ingest_unpublished_total{WORKER % ''}": ("0x70 1x10", "0x80")},
    "FsnatsNoReplayWindow": {'fsnats_replay_trouble{instance="a",program="supervisor"}': ("1x80", "0x80")},
    "FsnatsFramesLost": {'fsnats_gateway_lost_total{instance="a",program="gateway"}': ("0x70 4x10", "4x80")},
    "FsnatsClientsTooSlow": {'fsnats_gateway_slow_total{instance="a",program="gateway"}': ("0+1x80", "0x40 1x40")},
    "FsnatsOutboxLarge": {'fsnats_gateway_outbox_bytes{instance="a",program="gateway"}': ("3e8x80", "1e6x80")},
    "FsnatsClientsRefused": {
        'fsnats_gateway_refused_total{instance="a",program="gateway",status="503"}': ("0+5x80", "0x80"),
        'fsnats_gateway_refused_total{instance="a",program="gateway",status="401"}': ("0+5x80", "0+50x80"),
    },
    "FsnatsSlowHop": {
        HOP % ("spot", "bus", "0.25"): ("0+90x80", "0+100x80"),
        HOP % ("spot", "bus", "1"): ("0+100x80", "0+100x80"),
        HOP % ("spot", "bus", "+Inf"): ("0+100x80", "0+100x80"),
        HOP % ("spot", "exchange", "0.25"): ("0+50x80", "0+100x80"),  # what the exchange takes is another matter
        HOP % ("spot", "exchange", "1"): ("0+100x80", "0+100x80"),
        HOP % ("spot", "exchange", "+Inf"): ("0+100x80", "0+100x80"),
    },
    "FsnatsExchangeSlow": {
        HOP % ("usdm", "exchange", "1"): ("0+50x80", "0+100x80"),
        HOP % ("usdm", "exchange", "5"): ("0+100x80", "0+100x80"),
        HOP % ("usdm", "exchange", "+Inf"): ("0+100x80", "0+100x80"),
    },
    "FsnatsStoreDown": {'fsnats_recorder_store_trouble{instance="a",program="recorder"}': ("1x80", "0x40 1x2 0x40")},
    "FsnatsRecorderBehind": {'fsnats_recorder_backlog_seconds{instance="a",program="recorder"}': ("45x80", "2x80")},
    "FsnatsRecorderHoles": {'fsnats_recorder_holes{instance="a",program="recorder"}': ("2x80", "0x40 2x20 0x40")},
    "FsnatsStoreLeftOut": {'fsnats_history_store_ok{instance="a",program="history"}': ("0x80", "1x80")},
    "FsnatsHistoryBusy": {
        'fsnats_history_busy_total{instance="a",program="history",kind="klines"}': ("0x70 9x10", "9x80"),
    },
    "FsnatsSupervisorDown": {'up{instance="a",job="fsnats"}': ("1x40 0x40", "1x80")},
    "FsnatsGatewayDown": {'up{instance="a",job="fsnats-gateway"}': ("1x40 0x40", "1x40 0x2 1x40")},
    "FsnatsProgramDown": {'fsnats_up{instance="a",program="recorder"}': ("0x80", "1x40 0x2 1x40")},
    "FsnatsProgramRestarts": {
        'fsnats_program_restarts_total{instance="a",program="recorder"}': ("0+1x80", "0x40 1x40"),
    },
    "FsnatsLoopLate": {
        LAG % "0.25": ("0+90x80", "0+100x80"),
        LAG % "0.5": ("0+100x80", "0+100x80"),
        LAG % "+Inf": ("0+100x80", "0+100x80"),
    },
    "FsnatsOpenFiles": {
        'process_open_fds{instance="a",program="gateway"}': ("900x80", "100x80"),
        'process_max_fds{instance="a",program="gateway"}': ("1024x80", "1024x80"),
    },
}


def alerts() -> list[dict[str, Any]]:
    loaded: dict[str, Any] = yaml.safe_load(RULES.read_text())
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def promtool(*arguments: str) -> str:
    """What it says; it must not complain."""
    ran = subprocess.run([program("promtool"), *arguments], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_configuration_is_one() -> None:
    said = promtool("check", "config", str(CONFIG))
    assert f"{len(alerts())} rules found" in said


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_every_alert_says_what_is_wrong_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning")
    summary = alert["annotations"]["summary"]
    assert len(re.findall(r"[.!?:](?: |$)", summary)) >= 2, "what is wrong, and what to do"
    assert {name.lower() for name in re.findall(rf"{PREFIX}([A-Z_]+)", summary)} <= set(Config.__struct_fields__)
    assert set(re.findall(r"`([a-z]+\.[a-z_]+)`", summary)) <= EVENTS
    commands = {each.name or each.callback.__name__ for each in app.registered_commands if each.callback}
    assert set(re.findall(r"`fsnats ([a-z]+)", summary)) <= commands


def test_alerts_are_about_what_is_exported() -> None:
    known = {each.name for each in declared()}
    for alert in alerts():
        assert named(alert["expr"]) <= known, alert["alert"]
        assert named(alert["annotations"]["summary"]) <= known, alert["alert"]


def _firing(series: dict[str, str], *firing: str) -> dict[str, Any]:
    """A test for promtool: with these series exactly these alerts fire after twenty minutes, each once."""
    samples = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in firing]
    return {
        "interval": "15s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": "19m30s",
                "exp_samples": samples,
            }
        ],
    }


def test_every_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    assert list(SERIES) == [alert["alert"] for alert in alerts()]
    bad = {name: values for series in SERIES.values() for name, (values, _) in series.items()}
    good = {name: values for series in SERIES.values() for name, (_, values) in series.items()}
    tests = [_firing(bad, *SERIES), _firing(good)]
    file = tmp_path / "alerts.test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "15s", "tests": tests}))
    promtool("test", "rules", str(file))


def test_what_an_alert_says_is_filled_in(tmp_path: Path) -> None:
    said = (
        "Messages are lost for good on ingest-spot-0: clients were told `gap` 4 times in five minutes. Look at its "
        "connections (`fsnats status`) and at the weight left for filling (FsnatsWeightShort); with "
        "FSNATS_REDUNDANCY=2 a cut loses nothing."
    )
    labels = {"severity": "critical", "instance": "a", "program": "ingest-spot-0", "market": "spot"}
    test = {
        "interval": "15s",
        "input_series": [{"series": f"fsnats_ingest_gaps_total{WORKER % ''}", "values": "0+1x80"}],
        "alert_rule_test": [
            {
                "alertname": "FsnatsGaps",
                "eval_time": "1m",
                "exp_alerts": [{"exp_labels": labels, "exp_annotations": {"summary": said}}],
            }
        ],
    }
    file = tmp_path / "alerts.test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "15s", "tests": [test]}))
    promtool("test", "rules", str(file))
