"""What is said of Binance's answers is so of those that were recorded."""

import json
from pathlib import Path

import jsonschema_rs

from fsnats.binance.methods import METHODS
from fsnats.binance.streams import Market
from gateway.openapi.bodies import SHARED, body_of


def method_of(example: Path) -> tuple[Market, str] | None:
    market, _, name, *_ = example.name.split(".")
    known = {each.rpartition("data/")[2].replace("/", "_"): each for each in METHODS[Market(market)]}
    return (Market(market), known[name]) if name in known else None


def test_recorded_answers_are_as_described(recordings: Path) -> None:
    unknown = []
    for example in sorted((recordings / "examples").glob("*.rest.*.json")):
        found = method_of(example)
        if found is None:
            unknown.append(example.name.split(".")[2])
            continue
        schema = {**body_of(*found), "components": {"schemas": SHARED}}
        wrong = list(jsonschema_rs.iter_errors(schema, json.loads(example.read_text())))
        assert not wrong, f"{example.name}: {wrong[0]}"
    assert set(unknown) == {"constituents"}  # which is not passed on


def test_every_method_has_a_body() -> None:
    assert all(body_of(market, method) is not None for market, methods in METHODS.items() for method in methods)


def test_what_lacks_a_field_is_not_as_described() -> None:
    schema = {**body_of(Market.SPOT, "avgPrice"), "components": {"schemas": SHARED}}
    assert jsonschema_rs.is_valid(schema, {"mins": 5, "price": "1.0", "closeTime": 7})
    assert not jsonschema_rs.is_valid(schema, {"mins": 5, "closeTime": 7})
    assert not jsonschema_rs.is_valid(schema, {"mins": 5, "price": "1,0", "closeTime": 7})
