"""The fleet over HTTP, with programs that say what the test wants."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.fleet.events import Journal, Kind
from fsnats.fleet.streams import Sort, StreamRow, Streams, StreamsRequest, decode_request, encode
from fsnats.offset import Offset
from fsnats.rollcall import answering
from fsnats.status import Status, respond
from fsnats.subjects import EVENTS_REQUEST, STREAMS_REQUEST
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


def stream(name: str, market: Market = Market.SPOT, **fields: Any) -> StreamRow:
    known: dict[str, Any] = {
        **{"stream": name, "market": market, "worker": f"ingest-{market}-0", "connections": ["c"], "state": "flows"},
        **{"messages": 1, "bytes": 2, "rate": 1.0, "byte_rate": 2.0, "age": 0.1, "lag_ms": 50.0, "expected": None},
        **{"expected_by": "unknown", "actual": None, "gaps": 0, "recovered": 0},
    }
    return msgspec.convert({**known, **fields}, StreamRow)


class Workers:
    """Ingest workers that carry these streams."""

    def __init__(self, bus: MemoryBus, *streams: StreamRow) -> None:
        self.asked: list[StreamsRequest] = []
        self._rows = streams
        for market in {row.market for row in streams}:
            answering(bus, STREAMS_REQUEST, lambda question, market=market: self._tell(market, question))  # type: ignore[misc]

    def _tell(self, market: Market, question: bytes) -> bytes:
        self.asked.append(decode_request(question))
        rows = [row for row in self._rows if row.market is market and market in self.asked[-1].markets]
        return encode(Streams(f"ingest-{market}-0", 7, market, 100, len(rows), rows))


async def test_a_program_of_another_version_costs_nobody_elses_streams_and_events(
    house: Named, http: httpx.AsyncClient
) -> None:
    Workers(house.bus, stream("a"))
    journal = Journal(lambda: 1_000_000_000)
    journal.note(Kind.READY, child="x")
    answering(house.bus, EVENTS_REQUEST, lambda question: journal.answer("supervisor", 1, question))
    for subject, fields in ((STREAMS_REQUEST, {"streams": [{"state": "new"}]}), (EVENTS_REQUEST, {"epoch": "new"})):
        newer = encode({"program": "newer", "pid": 9, **fields})
        answering(house.bus, subject, lambda _, newer=newer: newer)  # type: ignore[misc]
    told = (await http.get("/api/fleet/streams")).json()
    assert ([row["stream"] for row in told["streams"]], told["workers"], told["absent"]) == (["a"], 1, ["newer"])
    assert (await http.get("/api/fleet/events")).status_code == 200


async def test_all_workers_streams_come_in_one_list_with_lag_by_the_exchanges_clock(
    house: Named, http: httpx.AsyncClient
) -> None:
    house.hub.turn.hops.offsets = {Market.USDM: Offset(Market.USDM, -20.0, 1.0, 1)}
    workers = Workers(house.bus, stream("a"), stream("b", Market.USDM, rate=9.0), stream("c", state="late"))
    reply = await http.get("/api/fleet/streams?sort=rate&limit=2&q=X&connection=c")
    told = reply.json()
    assert [(row["stream"], row["lag_ms"], row["state"]) for row in told["streams"]] == [
        ("b", 30.0, "flows"),
        ("a", 50.0, "flows"),
    ]
    assert (told["workers"], told["absent"], told["carried"], told["total"]) == (2, [], 200, 3)
    assert (told["simulated"], told["at"], told["gateway"]) == (False, 1_000_000, "gateway-here-1")
    assert workers.asked[0] == StreamsRequest((Market.SPOT, Market.USDM), "X", Sort.RATE, 2, "c")


async def test_a_worker_that_does_not_answer_any_more_is_named(house: Named, clock: HandClock) -> None:
    Workers(house.bus, stream("a"))
    view = FleetView(house, house.bus, clock, Paces())
    gone = answering(house.bus, STREAMS_REQUEST, lambda _: encode(Streams("gone", 8, Market.SPOT, 0, 0, [])))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(view), base_url="http://gateway") as http:
        assert (await http.get("/api/fleet/streams")).json()["absent"] == []
        house.bus.unsubscribe(gone)
        await clock.advance(FRESH * 1.1)
        assert (await http.get("/api/fleet/streams")).json()["absent"] == ["gone"]


async def test_a_token_sees_the_streams_of_its_markets(house: Named, http: httpx.AsyncClient) -> None:
    house.tokens = TOKENS
    workers = Workers(house.bus, stream("a"), stream("b", Market.USDM))
    told = (await http.get("/api/fleet/streams", headers=AUTHORIZED)).json()
    assert [row["stream"] for row in told["streams"]] == ["a"]
    assert workers.asked[0].markets == (Market.SPOT,)
    refused = await http.get("/api/fleet/streams?market=usdm", headers=AUTHORIZED)
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("path", "status", "named"),
    [
        ("streams?market=nyse", 404, "market: 'nyse' is not carried here; there are spot, usdm"),
        ("streams?sort=size", 400, "sort: 'size'; there are rate, bytes, lag, age, name"),
        ("streams?limit=0", 400, "limit: '0' is not a number from 1 to 500"),
        ("streams?limit=1e3", 400, "limit: '1e3'"),
        ("streams?Market=spot", 400, "unknown parameter 'Market'; allowed: connection, limit, market, q, sort, token"),
        ("events?after=x", 400, "after: not what an answer had as `after`"),
        ("?limit=3", 400, "unknown parameter 'limit'; allowed: token"),
    ],
)
async def test_what_makes_no_sense_is_named(http: httpx.AsyncClient, path: str, status: int, named: str) -> None:
    reply = await http.get(f"/api/fleet/{path}")
    assert (reply.status_code, named in reply.json()["detail"]) == (status, True), reply.text


async def test_what_happened_comes_once_to_each_who_goes_on(
    house: Named, http: httpx.AsyncClient, clock: HandClock
) -> None:
    journal = Journal(clock.time_ns)
    answering(house.bus, EVENTS_REQUEST, lambda question: journal.answer("ingest-spot-0", 7, question, "spot"))
    journal.note(Kind.LOST, connection="ingest-spot-0-0", reason="cut")
    await clock.advance(1)
    first = (await http.get("/api/fleet/events")).json()
    assert first["events"] == [
        {
            **{"id": "ingest-spot-0:1000000:1", "program": "ingest-spot-0", "market": "spot", "at": 1_000_000},
            **{"kind": "lost", "reason": "cut", "connection": "ingest-spot-0-0"},
        }
    ]
    journal.note(Kind.CONNECTED, connection="ingest-spot-0-0")
    await clock.advance(1)
    again = (await http.get("/api/fleet/events", params={"after": first["after"]})).json()
    assert [event["kind"] for event in again["events"]] == ["connected"]
    assert again["missed"] == 0
    assert len((await http.get("/api/fleet/events")).json()["events"]) == 2


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
