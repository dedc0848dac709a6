"""The document says what is served, and what it says is served."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any, cast

import jsonschema_rs
import msgspec
import pytest
from litestar.routes import ASGIRoute, HTTPRoute

from fsnats.binance.endpoints import path
from fsnats.binance.methods import METHODS
from fsnats.binance.streams import MARKETS, Market
from fsnats.bus.memory import MemoryBus
from fsnats.clock import SystemClock
from gateway import dashboard
from gateway.admission.pace import Paces
from gateway.applications import App, applications
from gateway.http import build
from gateway.komas import routes as komas
from gateway.komas.api import Komas
from gateway.openapi.document import document, operations
from gateway.openapi.parts import operation_id
from gateway.rest import fleet, logs, ranges, symbols
from gateway.rest.questions import PREFIXES
from gateway.sse import routes as events
from tests.gateway.heard import no_numbers
from tests.gateway.rest.test_facade import House

ALL = tuple(Market)
DOCUMENT: dict[str, Any] = json.loads(msgspec.json.encode(document(ALL)))
DESCRIBED = {place for each in operations(ALL) for place in each.places}
WHERE = "OPERATIONS of gateway/openapi/own.py (or a table to dispatch by, which gateway/openapi/document.py reads)"

Place = tuple[str, str]


# What mounts answer that are not the facade's, nor an application's of `gateway.applications`.
MOUNTED: dict[str, list[Place]] = {
    "/": [("GET", "/")],
    dashboard.PREFIX: [("GET", dashboard.PREFIX), ("GET", f"{dashboard.PREFIX}/{{file}}")],
}


async def _nobody(scope: object, receive: object, send: object) -> None:
    """Answers nothing."""


@pytest.fixture
def apps() -> dict[str, App]:
    house = cast(Any, House())
    house.name, house.pins = "gateway", None
    return applications(house, MemoryBus(), SystemClock(), Paces())


def _handled(apps: dict[str, App]) -> Iterator[Place]:
    """What has a handler of its own in the gateway's application."""
    for route in build(lambda: None, no_numbers, _nobody, apps).routes:
        if isinstance(route, HTTPRoute):
            plain = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
            yield from ((verb, plain) for verb in sorted(route.methods - {"OPTIONS", "HEAD"}))


def _below_mounts(apps: dict[str, App]) -> Iterator[Place]:
    """What the applications behind the mounts answer, each by the table that it dispatches by."""
    tables: dict[str, list[Place]] = {
        komas.PREFIX: [place for each in (*komas.ROUTES, *events.ROUTES) for place in each.places],
        **{each: [("GET", each)] for each in (*ranges.PATHS, symbols.PATH, logs.PATH)},
        # Its paths are in FleetView._asked; below them nothing else is.
        fleet.PREFIX: [("GET", each) for each in cast(Any, apps[fleet.PREFIX])._asked],
        f"{fleet.PREFIX}/": [],
    }
    for where in apps:
        assert where in tables, (
            f"gateway/applications.py serves {where}, and nothing describes it: add an Operation for each of its paths "
            f"to {WHERE}, and to `tables` here the paths that it answers"
        )
        yield from tables[where]


def _of_the_exchange() -> Iterator[Place]:
    for market, methods in METHODS.items():
        for where in (path(market, each) for each in methods):
            yield "GET", f"/{market}{where}"
            if market is not Market.COINM or not where.startswith("/futures/"):
                yield "GET", where


def test_everything_that_is_served_is_described_and_nothing_else(apps: dict[str, App]) -> None:
    served = {*_handled(apps), *_below_mounts(apps), *_of_the_exchange(), *itertools.chain(*MOUNTED.values())}
    missing, dead = sorted(served - DESCRIBED), sorted(DESCRIBED - served)
    assert not missing, f"served and not described: {missing}; add an Operation for each to {WHERE}"
    assert not dead, f"described and not served: {dead}; take them out of {WHERE}"


def test_every_mount_is_known(apps: dict[str, App]) -> None:
    app = build(lambda: None, no_numbers, _nobody, apps)
    mounts = {route.path for route in app.routes if isinstance(route, ASGIRoute)}
    strange = sorted(mounts - {f"/{first}" for first in (*PREFIXES, *MARKETS)} - MOUNTED.keys())
    assert not strange, f"mounted, and not known here: {strange}; describe it in {WHERE}, and add it to MOUNTED"


def test_komas_answers_by_the_table_that_is_described() -> None:
    handlers = Komas(cast(Any, House()), MemoryBus(), cast(Any, None), Paces())._handlers
    assert set(handlers) == set(komas.ROUTES)


def test_it_is_an_openapi_document() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)
    text = json.dumps(DOCUMENT)
    for ref in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
        found: Any = DOCUMENT
        for part in ref.split("/"):
            assert part in found, f"no such part: {ref}"
            found = found[part]


def test_every_operation_has_a_name_of_its_own_a_summary_and_answers() -> None:
    every = list(operations(ALL))
    assert len({operation_id(each) for each in every}) == len(every)
    for each in every:
        assert each.summary
        assert 200 in {answer.status for answer in each.answers}
        assert all(parameter.text for parameter in each.parameters)
        assert all(parameter.example is not None for parameter in each.parameters if parameter.required), each.path


def test_only_markets_that_are_carried_are_described() -> None:
    paths = document((Market.USDM,))["paths"]
    assert not [each for each in paths if each.startswith(("/api/v3", "/dapi"))]
    (market,) = (each for each in paths["/api/v1/klines"]["get"]["parameters"] if each["name"] == "market")
    assert market["schema"] == {"type": "string", "enum": ["usdm"], "default": "usdm"}


def test_parameters_of_ranges_are_those_that_are_read() -> None:
    described = {each.path: each.names for each in operations(ALL) if each.path in ranges.PATHS}
    assert described[ranges.KLINES] == {*ranges.FIELDS} - {"token"}
    assert described[ranges.TRADES] == {*ranges.FIELDS} - {"token", "interval", "continuous"}


def test_parameters_of_the_exchanges_methods_are_those_that_are_read() -> None:
    described = {each.bases[-1] + each.path: each for each in operations(ALL)}
    for market, methods in METHODS.items():
        for name, method in methods.items():
            operation = described[f"/{market}{path(market, name)}"]
            assert {each.name for each in operation.parameters if each.required} == {*method.needs}
            assert operation.names == {*method.needs, *method.takes}


def test_parameters_of_logs_are_those_that_are_read() -> None:
    (described,) = (each.names for each in operations(ALL) if each.path == logs.PATH)
    assert described == logs.NAMES - {"token"}
