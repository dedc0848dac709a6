"""The gateway answers as its OpenAPI document says: examples of its own, what schemathesis makes up from it, and bytes
that no library would send.

`FSNATS_TEST_EXAMPLES=40 pytest tests/e2e/test_schema.py` makes up more.
"""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, Literal

import httpx
import jsonschema_rs
import pytest
from playwright.sync_api import Browser, expect

from fsnats.binance.streams import Market
from gateway.komas.routes import BODY_MOST
from gateway.openapi.document import operations
from gateway.openapi.exchange import GROUPS
from gateway.openapi.parts import EVENTS, Operation
from tests.e2e.conftest import Measure
from tests.e2e.fleet import Fleet, free_port
from tests.e2e.page import opened

MARKETS = (Market.SPOT, Market.USDM, Market.COINM)
# Of each operation, beside those at the limits of its parameters; the soak has more, of all that Binance answers.
_EXAMPLES = int(os.environ.get("FSNATS_TEST_EXAMPLES", "0"))
_SOME: tuple[str, ...] = (
    "/api/v3/klines",
    "/api/v3/ticker/24hr",
    "/api/v3/historicalTrades",
    "/fapi/v1/depth",
    "/fapi/v1/premiumIndex",
    "/fapi/v1/continuousKlines",
    "/dapi/v1/fundingRate",
    "/futures/data/basis",
    "/api/v3/time",
)
_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
)
# 503 is documented, and so no fault; events have no end.
_CONFIG = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx"]

[[operations]]
include-path-regex = "^/api/ws/sse/"
request-timeout = 10.0
max-stream-events = 1
"""
# What a market trades: names made up at random would not get past the first look.
_TRADED = {Market.SPOT: ["BTCUSDT", "ETHUSDT"], Market.USDM: ["BTCUSDT", "ETHUSDT"], Market.COINM: ["BTCUSD_PERP"]}
_TOKEN = "s3cr3t-s3cr3t-s3cr3t"
_PAIRS = {Market.USDM: ["BTCUSDT"], Market.COINM: ["BTCUSD"]}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("schema")
    # As much weight as is wanted, as far as the exchange goes: what is asked here is asked fast.
    with Fleet(directory, simulator=("--weight", "10000000"), markets=",".join(MARKETS), gateway_requests=1e6) as fleet:
        yield fleet
        said = [line for line in fleet.supervisor.said().splitlines() if '"program":"gateway"' in line]
        assert [line for line in said if '"level":"error"' in line] == []


@pytest.fixture(scope="module")
def document(fleet: Fleet) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{fleet.http}/schema", trust_env=False).json()
    return found


def validator(document: dict[str, Any], operation: Operation, status: int, media: str) -> jsonschema_rs.Validator:
    """What looks at an answer's body."""
    answer = document["paths"][operation.path][operation.verb.lower()]["responses"][str(status)]
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    schema = answer["content"][media]["schema"]
    return jsonschema_rs.validator_for({**schema, "components": document["components"]})


def test_every_example_works_wherever_it_is_served(fleet: Fleet, document: dict[str, Any]) -> None:
    with httpx.Client(base_url=fleet.http, trust_env=False, timeout=30) as http:
        for each in operations(MARKETS):
            for base in each.bases:
                path = base + each.example.removeprefix(each.bases[0])
                with http.stream(each.verb, path, json=each.body_example) as reply:
                    media = reply.headers["content-type"].partition(";")[0]
                    if media == EVENTS:
                        line = next(line for line in reply.iter_lines() if line.startswith("retry:"))
                        assert (reply.status_code, line) == (200, "retry: 1000")
                        continue
                    reply.read()
                assert reply.status_code == 200, f"{each.verb} {path}: {reply.text[:300]}"
                if "json" in media:
                    wrong = list(validator(document, each, 200, media).iter_errors(reply.json()))
                    assert not wrong, f"{path}: {wrong[0]}"


def test_the_lines_of_the_page_for_people_work(fleet: Fleet) -> None:
    page = httpx.get(f"{fleet.http}/docs", trust_env=False).text
    lines = [unescape(line) for line in re.findall(r'<pre class="curl"><code>([^<]+)</code>', page)]
    assert len(lines) == len(list(operations(MARKETS)))
    for line in lines:
        # Of events the first lines: curl ends when nobody reads the others.
        more = "-s -D - --noproxy '*' " + ("| head -1" if "-N" in line else "-o /dev/null")
        done = subprocess.run(["bash", "-c", f"{line} {more}"], capture_output=True, text=True, timeout=60)
        assert done.stdout.startswith("HTTP/1.1 200"), (line, done.stdout, done.stderr)


@pytest.mark.parametrize(("theme", "width"), [("light", 1360), ("dark", 400)])
def test_a_browser_shows_the_page_for_people(
    fleet: Fleet, browser: Browser, theme: Literal["light", "dark"], width: int
) -> None:
    with opened(browser, f"{fleet.http}/docs", theme=theme, width=width) as page:
        page.get_by_role("link", name="Binance USD-M futures").click()
        operation = page.locator("#get_fapi_v1_depth")
        operation.locator("summary").click()
        expect(operation.locator(".curl")).to_contain_text(f"curl '{fleet.http}/fapi/v1/depth?symbol=BTCUSDT&limit=5'")
        expect(operation.get_by_role("table")).to_contain_text("one of 5, 10, 20, 50, 100, 500, 1000")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("link", name="Dashboard").click()
        expect(page.locator("#health")).to_be_visible()


def narrowed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with symbols that are traded for those that a name might be, and without most of what is alike."""
    market_of = {name: market for market, name in GROUPS.items()}
    for path, item in list(document["paths"].items()):
        if not _EXAMPLES and item.get("servers") and path not in _SOME:
            del document["paths"][path]
        for operation in (each for verb, each in item.items() if verb != "servers"):
            market = market_of.get(operation["tags"][0], Market.SPOT)
            for each in operation.get("parameters", ()):
                if each["name"] == "symbol":
                    each["schema"] = {"type": "string", "enum": _TRADED[market]}
                elif each["name"] == "pair":
                    each["schema"] = {"type": "string", "enum": _PAIRS[market]}
    return document


@pytest.mark.timeout(3600)
def test_schemathesis_finds_nothing_that_is_not_as_described(
    fleet: Fleet, document: dict[str, Any], tmp_path: Path, measure: Measure
) -> None:
    (tmp_path / "schema.json").write_text(json.dumps(narrowed(json.loads(json.dumps(document)))))
    (tmp_path / "schemathesis.toml").write_text(_CONFIG)
    program = Path(sys.executable).with_name("schemathesis")
    argv = [
        *(str(program), "run", "schema.json", "--url", fleet.http, "--phases", "examples,coverage,fuzzing"),
        *("--checks", ",".join(_CHECKS), "--mode", "all", "--max-examples", str(_EXAMPLES or 4), "--seed", "1"),
        *("--generation-database", "none", "--request-timeout", "20", "--warnings", "off", "--continue-on-failure"),
    ]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=3000)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-10_000:]
    measure(next(line.strip() for line in said.splitlines() if "generated" in line))


@pytest.fixture
def strict(fleet: Fleet, tmp_path: Path) -> Iterator[str]:
    """A gateway that lets few in, and those slowly."""
    tokens = tmp_path / "tokens.toml"
    tokens.touch(mode=0o600)
    tokens.write_text(f"[[token]]\nname = 'desk'\ntoken = '{_TOKEN}'\nmarkets = ['usdm']\n")
    port = free_port()
    process = fleet.serve_gateway(
        port, gateway_tokens_file=tokens, gateway_origins="https://app.example.com", gateway_requests=0.001
    )
    yield f"http://127.0.0.1:{port}"
    process.kill()


def test_whoever_is_not_let_in_is_told_so_as_described(strict: str, document: dict[str, Any]) -> None:
    bearer = {"Authorization": f"Bearer {_TOKEN}"}
    with httpx.Client(base_url=strict, trust_env=False, timeout=30) as http:
        for each in operations(MARKETS):
            known = {answer.status for answer in each.answers}
            if 401 not in known:
                assert http.request(each.verb, each.example).status_code == 200, each.path
                continue
            unknown, foreign = (
                http.request(each.verb, each.example, json=each.body_example),
                http.request(
                    each.verb,
                    each.example,
                    json=each.body_example,
                    headers=bearer | {"Origin": "https://evil.example.com"},
                ),
            )
            assert (unknown.status_code, unknown.headers["WWW-Authenticate"]) == (401, "Bearer"), each.path
            assert foreign.status_code == 403, each.path
            replies = [unknown, foreign]
            if each.group != "Events":  # they are connections: their number is limited, and not how fast they come
                http.request(each.verb, each.example, json=each.body_example, headers=bearer)
                replies.append(http.request(each.verb, each.example, json=each.body_example, headers=bearer))
                assert replies[-1].status_code == 429, each.path
                assert int(replies[-1].headers["Retry-After"]) >= 1
            for reply in replies:
                media = reply.headers["content-type"].partition(";")[0]
                validator(document, each, reply.status_code, media).validate(reply.json())


_QUERIES = (
    b"?%",
    b"?symbol=%zz&session=%zz",
    b"?symbol=%00&session=%00&symbols=%00&start=%00",
    b"?symbol=%ff&symbols=%ff&streams=%ff",
    b"?symbol=%ed%a0%80&session=%ed%a0%80",
    b"?symbol=\xff\xfe",
    b"?symbol=" + b"A" * 20_000,
    b"?lastEventId=" + b"1" * 9000,
    b"?symbol=BTCUSDT&symbol=BTCUSDT&symbols=A&symbols=B&session=a&session=b",
    b"?" + b"&".join(b"a%d=1" % number for number in range(100)),
    b"?&&&==&=;",
    b"?symbol=BTCUSDT&interval=1m&limit=%D9%A3",
    b"?symbol=BTCUSDT&interval=1m&start=0001-01-01T00:00%2B14:00",
    b'?symbols=["\\ud800"]',
    b"?token=%ff%00",
)
_BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"7",
    b"\xff",
    b"\xef\xbb\xbf{}",
    b'{"symbols":null}',
    b'{"symbols":"BTCUSDT"}',
    b'{"symbols":[7]}',
    b'{"symbols":["\\ud800"]}',
    b'{"symbols":["\\u0000"]}',
    b'{"symbols":["{0.x}","{"]}',
    b'{"symbols":["BTCUSDT"],"more":1}',
    b'{"symbols":["BTCUSDT"],"stream_ids":["spot:btcusdt@ticker"]}',
    b'{"symbols":["BTCUSDT"],"market":"\\u0000"}',
    b'{"stream_ids":["spot:\\u0000"]}',
    b'{"symbols":' + b"[" * 20_000,
    b"x" * (BODY_MOST + 1),
)


def said_to(fleet: Fleet, verb: str, target: bytes, body: bytes = b"") -> tuple[int, str, bytes]:
    """Status, content type and body of what is answered; of events their beginning."""
    with socket.create_connection(("127.0.0.1", fleet.gateway_port), 20) as connection:
        length = b"Content-Length: %d\r\n" % len(body) if verb == "POST" else b""
        connection.sendall(
            b"%b %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%b\r\n%b" % (verb.encode(), target, length, body)
        )
        answer = b""
        while part := connection.recv(65536):
            answer += part
            if b"\r\n\r\n" in answer and EVENTS.encode() in answer.partition(b"\r\n\r\n")[0]:
                break
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 "), (verb, target[:100], body[:100], answer[:100])
    fields = dict(line.lower().split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
    return int(head[9:12]), fields.get("content-type", "").partition(";")[0], rest


def test_bytes_that_no_library_sends_are_answered_as_described(fleet: Fleet, document: dict[str, Any]) -> None:
    for each in operations(MARKETS):
        # One of each kind at Binance's paths: they are all read by one reader.
        if each.group in GROUPS.values() and not each.path.endswith(("klines", "ticker/24hr", "/basis", "/time")):
            continue
        targets = [each.path.replace("{file}", "dashboard.css").encode() + query for query in _QUERIES]
        asked = [(target, b"{}") for target in targets] + [
            (each.path.encode(), body) for body in (_BODIES if each.body is not None else ())
        ]
        for target, body in asked:
            status, media, rest = said_to(fleet, each.verb, target, body)
            if max(target) > 0x7F and status == 400:
                continue  # no URL, says the parser of HTTP, to whom it is all the same what is described
            known = {answer.status: answer for answer in each.answers}
            assert status in known, (target[:100], body[:100], status, rest[:300])
            assert status < 500, (target[:100], body[:100], status, rest[:300])
            assert media in known[status].bodies, (target[:100], status, media)
            if "json" in media:
                validator(document, each, status, media).validate(json.loads(rest))


@pytest.mark.parametrize(
    "target", [b"/api/ws/sse/\xff", b"/api/ws/\xff", b"/%00", b"/\xff", b"/api/v3/%00", b"*", b"//"]
)
def test_paths_that_are_none_are_refused(fleet: Fleet, target: bytes) -> None:
    status, _, rest = said_to(fleet, "GET", target)
    assert status in (400, 404)
    assert rest
