"""Every event of the log has a stable name, and docs/logs.md has all of them."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from fsnats.logs.entries import OUTPUT, RESERVED

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = (ROOT / "docs" / "logs.md").read_text()
LEVELS = ("debug", "info", "warning", "error", "critical")
HOW = "begin its extra with its name, `extra={'event': 'feed.down', …}`, and describe the name in docs/logs.md"


class Call(NamedTuple):
    """One call of a logger; no event where it names none."""

    where: str
    levels: frozenset[str]
    event: str | None
    fields: frozenset[str]


def calls() -> list[Call]:
    """All calls of loggers in the product."""
    found = []
    for root in ("fsnats", "gateway", "workers"):
        for path in sorted((ROOT / root).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in (*LEVELS, "exception", "log")
                    and "logger" in ast.unparse(node.func.value).lower()
                ):
                    found.append(_call(f"{path.relative_to(ROOT)}:{node.lineno}", node, node.func.attr))
    return found


def _call(where: str, node: ast.Call, method: str) -> Call:
    levels = frozenset(LEVELS) if method == "log" else frozenset({"error" if method == "exception" else method})
    extra = next((keyword.value for keyword in node.keywords if keyword.arg == "extra"), None)
    if not isinstance(extra, ast.Dict) or not extra.keys:
        return Call(where, levels, None, frozenset())
    first, name = extra.keys[0], extra.values[0]
    named = isinstance(first, ast.Constant) and first.value == "event" and isinstance(name, ast.Constant)
    fields = frozenset(str(key.value) for key in extra.keys if isinstance(key, ast.Constant))
    return Call(where, levels, str(name.value) if named and isinstance(name, ast.Constant) else None, fields)


CALLS = calls()
TABLE = {
    name: set(levels.split(", "))
    for name, levels in re.findall(r"^\| `([a-z_.]+)` \| ([a-z, ]+) \| .+ \|$", DOCUMENT, re.MULTILINE)
}
# Logged by other means than a logger.
OTHERS = {OUTPUT, "process.ends", "log.failed", "log.files_failed", "log.files_back", "log.unread"}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.where)
def test_every_event_has_a_stable_name(call: Call) -> None:
    assert call.event is not None, f"{call.where} logs an event without a name: {HOW}"
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", call.event), f"{call.where}: '{call.event}' is not <what>.<happened>"


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.where)
def test_no_field_takes_the_place_of_another(call: Call) -> None:
    # Python's logging raises for its own names, at the moment when something goes wrong.
    assert not call.fields & (RESERVED | {"name", "msg", "args", "module", "process", "thread", "filename", "lineno"})


def test_every_event_is_documented_and_every_documented_event_is_logged() -> None:
    logged = {call.event for call in CALLS if call.event} | OTHERS
    assert logged - TABLE.keys() == set(), f"docs/logs.md does not have these: {HOW}"
    assert TABLE.keys() - logged == set(), "docs/logs.md has events that nobody logs"


def test_events_are_documented_with_the_levels_they_have() -> None:
    for call in CALLS:
        documented = TABLE.get(call.event or "", set(LEVELS))
        assert call.levels & documented, f"{call.where}: {call.event} is {call.levels}, documented as {documented}"
    for name, documented in TABLE.items():
        logged = frozenset[str]().union(*(call.levels for call in CALLS if call.event == name))
        assert name in OTHERS or documented <= logged, f"{name} is logged as {logged}, documented as {documented}"


@pytest.mark.parametrize(
    "module",
    [
        "fsnats/bus/link.py",
        "fsnats/bus/wire.py",
        "fsnats/frames.py",
        "gateway/fanout/channel.py",
        "gateway/fanout/hub.py",
        "gateway/fanout/lane.py",
        "gateway/fanout/outbox.py",
        "gateway/fanout/turn.py",
        "workers/ingest/cutter.py",
        "workers/ingest/line.py",
        "workers/ingest/router.py",
    ],
)
def test_nothing_is_logged_where_every_message_passes(module: str) -> None:
    assert "logg" not in (ROOT / module).read_text()
