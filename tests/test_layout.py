"""Tests mirror the code: every module has a test file of its name, or says here which one exercises it."""

from pathlib import Path

import pytest

from tests.conftest import fixtures, shares

ROOT = Path(__file__).resolve().parents[1]

ELSEWHERE = {
    # Values and tables without behaviour of their own.
    "fsnats/binance/endpoints.py": "tests/fsnats/binance/test_rest.py",
    "fsnats/binance/limits.py": "tests/workers/ingest/test_feed.py",
    "fsnats/binance/rows.py": "tests/workers/ingest/test_gaps.py",
    "fsnats/client/values.py": "tests/fsnats/client/test_conversation.py",
    "fsnats/clock.py": "tests/fsnats/exits/test_client.py",
    "fsnats/exits/messages.py": "tests/fsnats/exits/test_client.py",
    "fsnats/formats/columns.py": "tests/fsnats/formats/test_text.py",
    "fsnats/store/provenance.py": "tests/fsnats/store/test_opening.py",
    "fsnats/trading.py": "tests/workers/ingest/test_doubts.py",
    "fsnats/supervisor/events.py": "tests/fsnats/supervisor/test_supervisor.py",
    "gateway/fanout/channel.py": "tests/gateway/fanout/test_hub.py",
    "gateway/effects.py": "tests/gateway/fanout/test_hub.py",
    "gateway/fanout/lane.py": "tests/gateway/fanout/test_hub.py",
    "gateway/listening.py": "tests/gateway/test_joins.py",
    "gateway/applications.py": "tests/gateway/openapi/test_document.py",
    "gateway/komas/answers.py": "tests/e2e/test_komas.py",
    "gateway/openapi/fields.py": "tests/gateway/openapi/test_document.py",
    "gateway/openapi/past.py": "tests/gateway/openapi/test_document.py",
    "gateway/openapi/own.py": "tests/gateway/openapi/test_document.py",
    "gateway/openapi/problems.py": "tests/gateway/openapi/test_document.py",
    "gateway/sse/routes.py": "tests/gateway/sse/test_wish.py",
    "gateway/rest/visits.py": "tests/gateway/rest/test_facade.py",
    "gateway/fanout/tally.py": "tests/gateway/test_metrics.py",
    "gateway/protocol/fields.py": "tests/gateway/protocol/test_requests.py",
    "fsnats/store/columns.py": "tests/fsnats/store/test_contract.py",
    "fsnats/store/postgresrows.py": "tests/fsnats/store/test_contract.py",
    "fsnats/store/postgressums.py": "tests/fsnats/store/test_contract.py",
    "fsnats/store/sqlitesums.py": "tests/fsnats/store/test_contract.py",
    "fsnats/store/sqliterows.py": "tests/fsnats/store/test_contract.py",
    # Thin shells, exercised by the tests of what they compose.
    "fsnats/supervisor/fleet.py": "tests/fsnats/supervisor/test_main.py",
    "gateway/files.py": "tests/e2e/test_tls.py",
    "gateway/main.py": "tests/e2e/test_health.py",
    "fsnats/cli/capture.py": "tests/e2e/test_captures.py",
    "workers/history/main.py": "tests/e2e/test_seed_000.py",
    "workers/ingest/main.py": "tests/e2e/test_demand.py",
    "workers/ingest/pages.py": "tests/workers/ingest/test_gaps.py",
    "workers/recorder/main.py": "tests/e2e/test_recorder.py",
    "workers/simulator/world.py": "tests/workers/simulator/worlds.py",
    "fsnats/chaos/client.py": "tests/fsnats/chaos/test_soak.py",
    "fsnats/chaos/exchange.py": "tests/e2e/test_chaos.py",
    "fsnats/chaos/processes.py": "tests/e2e/test_chaos.py",
    "fsnats/chaos/runner.py": "tests/e2e/test_chaos.py",
    "fsnats/chaos/stage.py": "tests/e2e/test_chaos.py",
    "fsnats/captures/performance.py": "tests/e2e/test_captures.py",
    "fsnats/cli/bus.py": "tests/fsnats/cli/test_status.py",
    "fsnats/cli/checks/exchange.py": "tests/fsnats/cli/test_doctor.py",
    "fsnats/cli/checks/finding.py": "tests/fsnats/cli/test_doctor.py",
    "fsnats/cli/checks/judgement.py": "tests/fsnats/cli/test_doctor.py",
    "fsnats/cli/checks/line.py": "tests/fsnats/cli/test_doctor.py",
    "fsnats/cli/checks/nats.py": "tests/fsnats/cli/test_doctor.py",
    "fsnats/cli/checks/proxies.py": "tests/fsnats/cli/test_doctor.py",
    "fsnats/cli/checks/streams.py": "tests/fsnats/cli/test_doctor.py",
    "fsnats/cli/checks/websocket.py": "tests/fsnats/cli/test_doctor.py",
    "fsnats/cli/gateway.py": "tests/fsnats/cli/test_app.py",
    "fsnats/cli/listener.py": "tests/fsnats/cli/test_tail.py",
    "fsnats/cli/looks.py": "tests/fsnats/cli/test_screen.py",
    "fsnats/cli/page.py": "tests/fsnats/cli/test_screen.py",
    "fsnats/cli/record.py": "tests/fsnats/cli/test_app.py",
    "fsnats/cli/replies.py": "tests/fsnats/cli/test_client.py",
    "fsnats/cli/settings.py": "tests/fsnats/cli/test_config.py",
    "fsnats/cli/sim.py": "tests/fsnats/cli/test_app.py",
    "fsnats/cli/supervise.py": "tests/fsnats/cli/test_up.py",
    "fsnats/cli/tables.py": "tests/fsnats/cli/test_status.py",
    "fsnats/cli/version.py": "tests/fsnats/cli/test_app.py",
}


def modules() -> list[str]:
    return [
        str(path.relative_to(ROOT))
        for root in ("fsnats", "workers", "gateway")
        for path in sorted((ROOT / root).rglob("*.py"))
        if path.name not in ("__init__.py", "__main__.py")
    ]


@pytest.mark.parametrize("module", modules())
def test_every_module_has_its_tests(module: str) -> None:
    path = Path(module)
    mirror = Path("tests") / path.parent / f"test_{path.name}"
    assert (ROOT / ELSEWHERE.get(module, mirror)).is_file()


def test_exceptions_are_still_needed() -> None:
    for module in ELSEWHERE:
        path = Path(module)
        assert (ROOT / path).is_file(), module
        assert not (ROOT / "tests" / path.parent / f"test_{path.name}").is_file(), module


def test_files_whose_tests_share_something_are_known_to_do_so(request: pytest.FixtureRequest) -> None:
    sharing = {item.path for item in request.session.items if any(used.scope == "module" for used in fixtures(item))}
    assert [file for file in sharing if not shares(file)] == []
