"""Every text that the page Try it makes runs as it stands, and brings what was chosen."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage
from websockets.sync.client import connect

from tests.e2e.fleet import Fleet, wait_for
from tests.e2e.site import serving
from tests.gateway.static.test_try import told

TOKEN = "a-token-of-sixteen-signs-and-more"
CHOICE = {"market": "usdm", "symbols": ["BTCUSDT", "ETHUSDT"], "types": ["kline", "aggTrade"], "token": True}
OPTIONS: dict[str, object] = {"history": 2, "maxRate": 50, "seq": True}
DIALECTS: dict[str, dict[str, object]] = {
    "native": OPTIONS,
    "normalised": OPTIONS | {"decimal": "string"},
    "combined": {},
    "raw": {},
    "sse": {"decimal": "string"},
    "rest": {},
    "python": OPTIONS,
    "javascript": OPTIONS,
}
# What shows in its output that a message of each chosen type came.
SIGNS = {
    "native": ('"type":"kline"', '"type":"aggTrade"', '"history":true', '"seq":'),
    "normalised": ('"type":"kline"', '"type":"agg_trade"', '"history":true', '"seq":'),
    "combined": ('"stream":"ethusdt@kline_1m"', '"stream":"btcusdt@aggTrade"'),
    "raw": ('"e":"kline"', '"e":"aggTrade"'),
    "sse": ('"type":"kline"', '"type":"agg_trade"'),
    "rest": (),
    "python": ("ethusdt@kline_1m {", "btcusdt@aggTrade {"),
    "javascript": ("ethusdt@kline_1m {", "btcusdt@aggTrade {"),
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("texts")
    tokens = directory / "tokens.toml"
    tokens.write_text(f'[[token]]\nname = "reader"\ntoken = "{TOKEN}"\n')
    with Fleet(directory, markets="usdm,spot", symbols="BTCUSDT,ETHUSDT", gateway_tokens_file=tokens) as running:
        yield running


def made(dialect: str, fleet: Fleet) -> Any:
    choice = {**CHOICE, **DIALECTS[dialect], "dialect": dialect}
    return told(f"recipes.recipe({json.dumps(choice)}, '{fleet.http}')")


def command(text: dict[str, str]) -> list[str]:
    return ["bash", "-c", text["text"]] if text["language"] == "sh" else [sys.executable, "-P", "-c", text["text"]]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_its_commands_and_python_run_as_they_stand(dialect: str, fleet: Fleet) -> None:
    texts = [text for text in made(dialect, fleet)["texts"] if text["language"] in ("sh", "python")]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # `python3` has websockets there
    with ExitStack() as stack:
        running = [stack.enter_context(fleet.beside(*command(each), FSNATS_TOKEN=TOKEN, PATH=path)) for each in texts]
        assert running or dialect == "javascript"
        for process in running:
            if dialect == "rest":
                process.wait()
                assert process.status == 0, process.said()
                assert process.said().count("[[") == 2, process.said()
                continue
            for sign in SIGNS[dialect]:
                wait_for(lambda p=process, s=sign: s in p.said(), f"{sign} comes: {process.said()[-2000:]}")  # type: ignore[misc]


@pytest.mark.parametrize("dialect", ["combined", "raw"])
def test_its_message_subscribes_a_connection_that_has_no_streams_yet(dialect: str, fleet: Fleet) -> None:
    url, message = made(dialect, fleet)["texts"][:2]
    where = url["text"].partition("?")[0] if dialect == "combined" else f"{fleet.ws}/usdm/ws"
    assert message["title"].endswith(where)
    missing = list(SIGNS[dialect])
    with connect(where, additional_headers={"Authorization": f"Bearer {TOKEN}"}, proxy=None) as socket:
        socket.send(message["text"])
        while missing:
            came = str(socket.recv(timeout=20))
            missing = [sign for sign in missing if sign not in came]


@pytest.mark.parametrize("dialect", [dialect for dialect in DIALECTS if dialect != "python"])
def test_its_javascript_runs_in_a_page_of_another_origin(dialect: str, fleet: Fleet, browser: Browser) -> None:
    (script,) = (text["text"] for text in made(dialect, fleet)["texts"] if text["language"] == "js")
    said: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        shown = [argument.json_value() for argument in message.args]
        said.append(" ".join(each if isinstance(each, str) else json.dumps(each) for each in shown))

    with serving("<!doctype html><title>somewhere else</title>") as port, browser.new_context() as context:
        page = context.new_page()
        page.on("console", heard)
        page.goto(f"http://localhost:{port}/")
        page.add_script_tag(type="module", content=script.replace("YOUR_TOKEN", TOKEN))
        signs = SIGNS[dialect] or ("[[", '{"a": ')
        for _ in range(600):
            if all(any(sign in line for line in said) for sign in signs):
                return
            page.wait_for_timeout(50)  # runs the driver's loop, which hears
        raise AssertionError(f"not all of {signs} came: {said[-20:]}")
