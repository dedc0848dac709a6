"""The dashboard: as Grafana wants it, of expressions that Prometheus understands, about what is exported."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tests.deploy.conftest import DEPLOY, program
from tests.metrics import declared, named

BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "fsnats.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in BOARD["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    asked = [target["expr"] for panel in PANELS for target in panel["targets"]]
    return [*asked, *(each["expr"] for each in BOARD["annotations"]["list"])]


def test_it_has_the_rows_that_an_operator_looks_for() -> None:
    rows = [panel["title"] for panel in BOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Feed", "Exits", "Bus", "Gateways", "Store", "Processes"]


def test_panels_have_a_place_a_title_and_something_to_show() -> None:
    identities = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(identities)) == len(identities)
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    for panel in PANELS:
        assert panel["title"]
        assert panel["targets"], panel["title"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_it_is_about_what_is_exported_and_nothing_else() -> None:
    known = {each.name for each in declared()}
    queries = [variable["query"] for variable in BOARD["templating"]["list"]]
    for text in (*expressions(), *queries):
        assert named(text) <= known, text
    assert all(named(expression) for expression in expressions())


def test_variables_that_expressions_use_exist() -> None:
    used = {name for text in expressions() for name in re.findall(r"\$(\w+)", text)}
    assert used - {"__rate_interval"} <= {variable["name"] for variable in BOARD["templating"]["list"]}


def test_prometheus_understands_every_expression(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:number_{number}", "expr": text.replace("$__rate_interval", "1m").replace("$", "")}
        for number, text in enumerate(expressions())
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    checked = subprocess.run(
        [program("promtool"), "check", "rules", str(file)], capture_output=True, text=True, timeout=60
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
