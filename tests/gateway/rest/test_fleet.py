"""The fleet over HTTP, with programs that say what the test wants."""

from collections.abc import AsyncIterator

import httpx
import pytest

from fsnats.binance.streams import Market
from fsnats.status import Status, respond
from fsnats.symbols import Listing
from gateway.admission.pace import Paces
from gateway.rest.fleet import FleetView
from gateway.rest.fresh import FRESH
from tests.clock import HandClock
from tests.gateway.rest.test_facade import AUTHORIZED, TOKENS, House

SUPERVISOR: Status = {"program": "supervisor", "kind": "supervisor", "pid": 1}
WORKER: Status = {
    "program": "ingest-spot-0",
    "kind": "ingest",
    "pid": 2,
    "market": "spot",
    "connections": [{"id": "ingest-spot-0-0", "status": "reconnecting", "last_error": "cut", "new": {"field": [1]}}],
}


class Named(House):
    name = "gateway-here-1"


@pytest.fixture
def house() -> Named:
    house = Named()
    for each in (WORKER, SUPERVISOR):
        respond(house.bus, lambda each=each: each)  # type: ignore[misc]
    return house


@pytest.fixture
async def http(house: Named, clock: HandClock) -> AsyncIterator[httpx.AsyncClient]:
    view = FleetView(house, house.bus, clock, Paces())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(view), base_url="http://gateway") as http:
        yield http


async def test_everybodys_status_comes_unchanged_with_what_is_wrong(http: httpx.AsyncClient) -> None:
    reply = await http.get("/api/fleet")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    assert "x-fsnats-simulated" not in reply.headers
    assert reply.json() == {
        "simulated": False,
        "at": 1_000_000,
        "gateway": "gateway-here-1",
        "programs": [WORKER, SUPERVISOR],
        "troubles": [
            {
                "severity": "error",
                "what": "ingest-spot-0-0 is reconnecting: cut",
                "where": {"program": "ingest-spot-0", "market": "spot", "connection": "ingest-spot-0-0"},
                "do": "it dials again by itself; `fsnats doctor` looks at the exit if it lasts",
            }
        ],
    }


async def test_who_asks_soon_after_gets_the_same_answer(
    house: Named, http: httpx.AsyncClient, clock: HandClock
) -> None:
    await http.get("/api/fleet")
    respond(house.bus, lambda: {"program": "new", "kind": "new", "pid": 3})
    assert len((await http.get("/api/fleet")).json()["programs"]) == 2
    await clock.advance(FRESH * 1.1)
    assert len((await http.get("/api/fleet")).json()["programs"]) == 3


async def test_simulated_data_says_so_in_the_answer_and_in_its_head(house: Named, http: httpx.AsyncClient) -> None:
    house.listings[Market.SPOT] = Listing(Market.SPOT, 0, True, [])
    reply = await http.get("/api/fleet")
    assert reply.json()["simulated"] is True
    assert reply.headers["x-fsnats-simulated"] == "true"


async def test_without_nats_the_answer_says_so_at_once(house: Named, http: httpx.AsyncClient) -> None:
    house.bus.is_connected = False
    reply = await http.get("/api/fleet")
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "1")
    assert reply.headers["content-type"] == "application/problem+json"
    assert (reply.json()["code"], reply.json()["detail"]) == ("NOT_READY", "NATS is not connected")
    assert house.tally.rest == {503: 1}


async def test_a_nats_that_hangs_is_told_in_bounded_time(clock: HandClock) -> None:
    house = Named()  # nobody answers, not even this gateway
    view = FleetView(house, house.bus, clock, Paces())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(view), base_url="http://gateway") as http:
        reply = await http.get("/api/fleet")
    assert (reply.status_code, reply.json()["detail"]) == (503, "nobody answers over NATS")


async def test_a_gateway_without_symbols_yet_shows_the_fleet_all_the_same(
    house: Named, http: httpx.AsyncClient
) -> None:
    house.missing = "spot is not listed yet"
    assert (await http.get("/api/fleet")).status_code == 200


async def test_a_token_is_asked_for_where_there_are_tokens(house: Named, http: httpx.AsyncClient) -> None:
    house.tokens = TOKENS
    assert (await http.get("/api/fleet")).status_code == 401
    assert (await http.get("/api/fleet", headers=AUTHORIZED)).status_code == 200
    assert (await http.get("/api/fleet?token=s3cr3t-s3cr3t-s3cr3t")).status_code == 200


async def test_requests_count_against_the_pace(house: Named, http: httpx.AsyncClient) -> None:
    codes = [(await http.get("/api/fleet")).status_code for _ in range(6)]
    assert codes == [200] * 5 + [429]


async def test_pages_of_other_origins_may_read_as_everything_else(house: Named, http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/fleet")).headers["access-control-allow-origin"] == "*"
    preflight = await http.options("/api/fleet", headers={"Access-Control-Request-Headers": "authorization"})
    assert (preflight.status_code, preflight.headers["access-control-allow-headers"]) == (204, "authorization")


async def test_head_is_answered_without_the_body(http: httpx.AsyncClient) -> None:
    reply = await http.head("/api/fleet")
    assert (reply.status_code, reply.content) == (200, b"")
    assert int(reply.headers["content-length"]) > 100


async def test_what_is_not_there_is_said(http: httpx.AsyncClient) -> None:
    nothing, post = await http.get("/api/fleet/nothing"), await http.post("/api/fleet")
    assert (nothing.status_code, "/api/fleet" in nothing.json()["detail"]) == (404, True)
    assert post.status_code == 405
