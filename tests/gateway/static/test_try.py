"""What the page Try it makes of a choice: its own tests, run by node, and its tables against the gateway's."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fsnats.binance.limits import HISTORY_ROWS
from fsnats.binance.streams import CONTRACT_TYPES, DEPTH_LEVELS, Loss, Market, intervals_of, parse
from gateway.protocol.topics import _DEPTH_SPEEDS, _MARK_PRICE_SPEEDS, STREAM_TYPES, topic_of
from gateway.sse.places import STREAMS_MOST

STATIC = Path(__file__).resolve().parents[3] / "gateway" / "static"


def node(*arguments: str, code: str = "") -> str:
    program = shutil.which("node")
    assert program, "no node"
    done = subprocess.run([program, *arguments], input=code, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


def told(expression: str) -> Any:
    """What an expression over the page's own tables is."""
    code = f"""
        import * as streams from '{(STATIC / "try" / "streams.js").as_uri()}';
        import * as recipes from '{(STATIC / "try" / "recipes.js").as_uri()}';
        console.log(JSON.stringify({expression}));"""
    return json.loads(node("--input-type=module", code=code))


def test_its_types_options_and_intervals_are_those_of_the_gateway() -> None:
    types = told("streams.TYPES")
    assert list(types) == list(STREAM_TYPES)
    for name, mine in types.items():
        theirs = STREAM_TYPES[name]
        assert (mine["word"], mine["markets"]) == (theirs.word, list(theirs.markets))
        assert set(mine["options"]) == set(theirs.options)
    for market in Market:
        for kind in ("kline", "continuousKline"):
            if market in STREAM_TYPES[kind].markets:
                assert told(f"streams.intervalsOf('{market}', '{kind}')") == list(intervals_of(market, kind))
    assert told("streams.DEPTH_SPEEDS") == _DEPTH_SPEEDS
    assert told("streams.MARK_PRICE_SPEEDS") == _MARK_PRICE_SPEEDS
    assert told("streams.LEVELS") == ["", *map(str, DEPTH_LEVELS)]
    assert told("streams.CONTRACTS") == list(CONTRACT_TYPES)
    assert told("recipes.HISTORY_MOST") == HISTORY_ROWS
    assert told("recipes.EVENT_STREAMS_MOST") == STREAMS_MOST


@pytest.mark.parametrize("market", Market)
def test_it_names_each_variant_of_a_stream_as_the_gateway_does_and_knows_which_are_states(market: Market) -> None:
    symbol = "btcusd_perp" if market is Market.COINM else "btcusdt"
    asked = [
        (name, {"interval": "5m", "contractType": "perpetual", "level": level, "updateSpeed": speed})
        for name, each in STREAM_TYPES.items()
        if market in each.markets and name != "continuousKline"
        for level in ("", "5")
        for speed in ("", "100ms", "1s", "500ms")
    ]
    choices = [{"market": market, "symbols": [symbol], "types": [name], **variant} for name, variant in asked]
    code = f"{json.dumps(choices)}.map((c) => [streams.namesOf(c)[0], streams.isState(c.types[0], c)])"
    for (name, variant), (made, is_state) in zip(asked, told(code), strict=True):
        speeds = _DEPTH_SPEEDS[market] if name == "depth" else _MARK_PRICE_SPEEDS
        options = {key: value for key, value in variant.items() if value}
        if variant["updateSpeed"] not in speeds:
            options.pop("updateSpeed", None)
        theirs = topic_of(market, name, options).stream(symbol)
        assert (made, is_state) == (theirs.name, theirs.loss is Loss.STATE)
        assert parse(market, made).name == made
