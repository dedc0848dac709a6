"""What the gateway answers over HTTP besides REST."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import httpx
import pytest

from fsnats.binance.streams import Market
from gateway.http import build
from tests.gateway.heard import no_numbers

Send = Callable[[dict[str, Any]], Awaitable[None]]


def answering(text: str) -> Any:
    async def app(scope: Any, receive: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": text.encode()})

    return app


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    apps = {"/api/v1/klines": answering("klines"), "/api/ws/": answering("komas")}
    app = build(lambda: "NATS", no_numbers, answering("facade"), apps, (Market.USDM,), "cafe")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(cast(Any, app)), base_url="http://gateway") as http:
        yield http


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/api/v1/klines?x=/api/ws/", "klines"),
        ("/api/v1/klines/", "facade"),
        ("/api/ws/status", "komas"),
        ("/api/ws", "facade"),
        ("/usdm/fapi/v1/time", "facade"),
    ],
)
async def test_each_path_has_its_application(http: httpx.AsyncClient, path: str, who: str) -> None:
    assert (await http.get(path)).text == who


async def test_the_document_tells_of_the_markets_that_are_carried(http: httpx.AsyncClient) -> None:
    reply = await http.get("/schema")
    assert reply.headers["content-type"] == "application/json"
    assert "/fapi/v1/depth" in reply.json()["paths"]
    assert "/api/v3/depth" not in reply.json()["paths"]
    assert reply.headers["content-encoding"] == "gzip"
    for accepted in ("identity", "gzip;q=0"):
        plain = await http.get("/schema/openapi.json", headers={"Accept-Encoding": accepted})
        assert plain.content == reply.content
        assert "content-encoding" not in plain.headers


async def test_gateways_say_whose_they_are(http: httpx.AsyncClient) -> None:
    assert (await http.get("/healthz")).headers["x-fsnats-fleet"] == "cafe"


async def test_readiness_says_what_is_missing(http: httpx.AsyncClient) -> None:
    reply = await http.get("/readyz")
    assert (reply.status_code, reply.text) == (503, "not ready: NATS\n")


@pytest.mark.parametrize("path", ["/healthz", "/schema", "/fsnats.js", "/metrics"])
async def test_head_is_answered_as_get(http: httpx.AsyncClient, path: str) -> None:
    asked, read = await http.head(path), await http.get(path)
    assert (asked.status_code, asked.headers) == (read.status_code, read.headers)


async def test_other_methods_are_refused_with_those_that_there_are(http: httpx.AsyncClient) -> None:
    reply = await http.post("/healthz")
    assert reply.status_code == 405
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["allow"] == "GET, HEAD, OPTIONS"
    assert reply.json()["detail"].startswith("POST /healthz; allowed: GET")


async def test_what_is_not_there_says_where_it_is_told_what_is(http: httpx.AsyncClient) -> None:
    reply = await http.get("/nothing")
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "GET /nothing is not served here; /schema says what is",
    }


async def test_the_page_for_people_tells_lines_that_work_where_it_is_read(http: httpx.AsyncClient) -> None:
    reply = await http.get("/docs", headers={"Host": "data.example.com:8443", "X-Forwarded-Proto": "https"})
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "curl &#x27;https://data.example.com:8443/healthz&#x27;" in reply.text
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    plain = await http.get("/docs", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert "http://gateway/healthz" in plain.text
    odd = await http.get("/docs", headers={"Host": "<script>"})
    assert (odd.status_code, odd.json()["detail"]) == (400, "GET /docs: Invalid host header")
    assert 'href="../schema"' in (await http.get("/docs/")).text
