"""What the documents say is what the code does."""

import ast
import re
from pathlib import Path

import pytest

from fsnats import __version__, catalogue, replay, subjects
from fsnats.binance.methods import METHODS
from fsnats.binance.streams import Market
from fsnats.cli.app import app
from fsnats.config import Config
from fsnats.exits.verdicts import Verdict
from fsnats.fleet.events import Event, Kind
from fsnats.fleet.streams import KnownBy, Sort, StreamRow
from fsnats.fleet.streams import State as StreamState
from fsnats.fleet.troubles import Severity
from fsnats.frames import Frame
from fsnats.sources import ALIASES
from gateway.admission.grants import TYPES
from gateway.admission.tokens import FIELDS
from gateway.closing import CLOSINGS
from gateway.openapi.document import operations
from gateway.openapi.exchange import GROUPS
from gateway.protocol.problems import Problem
from gateway.protocol.topics import STREAM_TYPES
from gateway.rest.live import RULES
from tests import test_log_events
from tests.e2e.transcript import COMMANDS, TABLE, block, blocks_of, commands_in
from tests.e2e.transcript import document as text_of
from tests.metrics import declared
from tests.pictures import MOST_BYTES
from workers.ingest.record import AGES, Record, State

ROOT = Path(__file__).resolve().parents[1]
REST = (ROOT / "docs" / "rest.md").read_text()
README = (ROOT / "README.md").read_text()
BUS = (ROOT / "docs" / "bus.md").read_text()
FLEET = (ROOT / "docs" / "fleet.md").read_text()
GATEWAY = (ROOT / "docs" / "gateway.md").read_text()
RECORDER = (ROOT / "docs" / "recorder.md").read_text()
STATUS = (ROOT / "docs" / "status.md").read_text()
METRICS = (ROOT / "docs" / "metrics.md").read_text()
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()


def test_every_error_code_is_documented_with_its_meaning() -> None:
    table = dict(re.findall(r"^\| `([A-Z_]+)` \| (.+) \|$", PROTOCOL, re.MULTILINE))
    assert table.keys() == {str(problem) for problem in Problem}


def test_every_close_code_is_documented() -> None:
    rows = re.findall(r"^\| (\d{4}) \| `([^`]+)`.* \| (yes|no) \|$", PROTOCOL, re.MULTILINE)
    assert rows == [(str(close.code), close.reason, "yes" if close.reconnect else "no") for close in CLOSINGS]


def test_every_type_that_a_token_may_name_is_documented() -> None:
    assert all(f"`{name}`" in GATEWAY or name in STREAM_TYPES for name in TYPES)


def test_every_field_of_a_token_is_documented() -> None:
    assert set(re.findall(r"^(\w+) = ", GATEWAY, re.MULTILINE)) == set(FIELDS)


@pytest.mark.parametrize(
    "document",
    [
        "docs/capture.md",
        "docs/exits.md",
        "docs/fleet.md",
        "docs/gateway.md",
        "docs/logs.md",
        "docs/metrics.md",
        "docs/recorder.md",
        "docs/replay.md",
        "docs/rest.md",
        "docs/store.md",
        "deploy/README.md",
    ],
)
def test_settings_that_other_documents_name_exist(document: str) -> None:
    named = set(re.findall(r"FSNATS_([A-Z_]+)", (ROOT / document).read_text()))
    assert named <= {field.upper() for field in Config.__struct_fields__}


def test_every_stream_type_is_documented() -> None:
    assert all(f"`{name}`" in PROTOCOL for name in STREAM_TYPES)


def test_every_rest_method_is_documented_and_which_of_them_streams_answer() -> None:
    named = set(re.findall(r"`([\w/-]+)`", REST))
    every = {method.removeprefix("futures/data/") for methods in METHODS.values() for method in methods}
    assert {f"/fapi/{method}" if method.startswith("v2/") else method for method in every} <= named
    rows = re.findall(r"^\| `([\w/]+)`.* \| .*`@.* \| [\d.]+ s", REST, re.MULTILINE)
    assert set(rows) == {method for _, method in RULES}


def test_every_control_subject_and_bucket_is_documented() -> None:
    for subject in (
        subjects.HEADWAY,
        subjects.KLINES,
        subjects.TRADES,
        subjects.ROWS,
        subjects.REST,
        subjects.DIALS,
        subjects.TRADING,
        subjects.EXIT_REPORTS,
        subjects.STATUS_REQUEST,
        subjects.STREAMS_REQUEST,
        subjects.EVENTS_REQUEST,
        subjects.DEMAND_REQUEST,
    ):
        assert f"`{subject}`" in BUS
    for subject in (subjects.demand(Market.SPOT), subjects.symbols(Market.SPOT), subjects.clock(Market.SPOT)):
        assert subject.replace("spot", "<market>") in BUS
    assert f"`{subjects.recorder('<name>')}`" in BUS
    assert f"`{catalogue.LISTINGS}`" in BUS
    assert f"`{catalogue.GROUPS}`" in BUS
    assert f"`{replay.window(Market.SPOT)}`" in BUS
    for reader in (replay.last, replay.lasts, replay.newest, replay.after):
        assert f"replay.{reader.__name__}(" in BUS
    assert all(f"`{verdict}`" in BUS for verdict in Verdict)


def test_every_field_of_a_frame_is_documented_in_order() -> None:
    assert re.findall(r"^\| \d \| (\w+) \|", BUS, re.MULTILINE) == list(Frame.__struct_fields__)


def documented_fields(heading: str, document: str = STATUS) -> set[str]:
    """The names in the first column of the table under a heading, of docs/status.md unless told otherwise."""
    section = document.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"\w+", row)}


@pytest.mark.parametrize(
    ("module", "heading", "document"),
    [("ingest/worker.py", "A worker", STATUS), ("recorder/recorder.py", "How it is", RECORDER)],
)
def test_every_field_of_a_workers_status_is_documented(module: str, heading: str, document: str) -> None:
    tree = ast.parse((ROOT / "workers" / module).read_text())
    (status,) = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "status")
    (told,) = (node.value for node in status.body if isinstance(node, ast.Return))
    assert isinstance(told, ast.Dict)
    fields = {key.value for key in told.keys if isinstance(key, ast.Constant)}
    assert fields - {"program", "kind", "pid"} == documented_fields(heading, document)


def test_every_field_of_a_stream_and_of_an_event_is_documented() -> None:
    assert documented_fields("`GET /api/fleet/streams`", FLEET) == set(StreamRow.__struct_fields__)
    fields = set(Event.__struct_fields__) - {"number"} | {"id", "program", "market"}
    assert documented_fields("`GET /api/fleet/events`", FLEET) == fields
    words = {*StreamState, *KnownBy, *Sort, *Kind, *Severity}
    assert {word for word in words if f"`{word}`" not in FLEET} == set()


def test_every_field_of_a_connections_record_is_documented() -> None:
    assert documented_fields("Connections to the exchange") == {
        AGES.get(field, field) for field in Record.__struct_fields__
    }
    assert all(f"`{state}`" in STATUS for state in State)


def test_every_metric_is_documented_as_it_is() -> None:
    rows = [row for row in METRICS.splitlines() if row.startswith(("| `fsnats_", "| `process_"))]
    # Whose number it is stands on every one: the supervisor names the program of those that it tells of others.
    labels = {each.name: ", ".join(f"`{label}`" for label in each.labels if label != "program") for each in declared()}
    assert rows == [f"| `{each.name}` | {each.kind} | {labels[each.name]} | {each.text} |" for each in declared()]
    assert len(set(labels)) == len(declared())


def test_settings_that_the_readme_names_exist() -> None:
    named = set(re.findall(r"FSNATS_([A-Z_]+)", README))
    assert named
    assert named <= {field.upper() for field in Config.__struct_fields__}
    assert all(alias in README for alias in ALIASES)


def test_pictures_that_the_readme_shows_are_there_and_load_at_once() -> None:
    shown = re.findall(r'(?:src|srcset)="([^"]+)"', README)
    assert shown
    assert all((ROOT / path).stat().st_size < MOST_BYTES for path in shown)


@pytest.mark.parametrize("document", ["README.md", "deploy/README.md", "CHANGELOG.md"])
def test_commands_that_documents_name_exist(document: str) -> None:
    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    known |= {group.name for group in app.registered_groups if group.name}
    named = set(re.findall(r"`(?:\.venv/bin/)?fsnats ([a-z]+)", (ROOT / document).read_text()))
    assert named
    assert named <= known


def test_make_verbs_that_the_readme_names_exist() -> None:
    verbs = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?<=make )[a-z]+", README.replace("and make", ""))) - {"check"} <= verbs


def test_every_event_that_is_logged_has_a_name_and_is_documented() -> None:
    for call in test_log_events.CALLS:
        test_log_events.test_every_event_has_a_stable_name(call)
    test_log_events.test_every_event_is_documented_and_every_documented_event_is_logged()


@pytest.mark.parametrize("document", [source for source in TABLE if not source.isdigit()])
def test_every_block_of_code_is_tried_or_it_is_said_why_not(document: str) -> None:
    """A block that is new, or under another heading, goes into tests/e2e/transcript.py with the test that tries it."""
    assert [row.heading for row in TABLE[document]] == [block.heading for block in blocks_of(text_of(document))]


def test_every_command_that_the_readme_begins_with_is_tried() -> None:
    assert list(commands_in(block("README commands"))) == list(COMMANDS)


def test_links_lead_somewhere() -> None:
    for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_paths_that_documents_name_are_described_and_the_other_way_round() -> None:
    every = list(operations(tuple(Market)))
    texts = [path.read_text() for path in (*ROOT.glob("docs/*.md"), ROOT / "README.md")]
    ours = r"/(?:api/(?:ws|v1|fleet|logs)|schema|docs|healthz|readyz|metrics|dashboard)(?:[A-Za-z0-9/-]|\.json)*"
    named = {path.rstrip("/") for text in texts for path in re.findall(rf"(?<![\w/.])({ours})", text)}
    described = {each.path.partition("{")[0].rstrip("/") for each in every if each.group not in GROUPS.values()}
    assert named - described <= {"/api/ws", "/api/v1"}  # what is before all of them
    # Relatives are named by their last part, behind one that is named whole.
    whole = "\n".join(texts)
    assert not [path for path in described if path not in named and f"/{path.rpartition('/')[2]}" not in whole]


def test_the_version_is_one() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_no_text_holds_what_a_merge_left_open() -> None:
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/**/*.md")):
        marks = [line for line in path.read_text().splitlines() if line.startswith(("<<<<<<<", ">>>>>>>"))]
        assert not marks, f"{path.name}: {marks}"
