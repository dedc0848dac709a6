"""What the Komas interface refuses; over real processes it is tried in tests/e2e/test_komas.py."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from fsnats.bus import Answer
from fsnats.config import Config
from fsnats.pins import ALL, BUCKET
from fsnats.rollcall import answering
from fsnats.subjects import STATUS_REQUEST
from gateway.admission.pace import Paces
from gateway.komas import api
from gateway.komas.api import Komas
from gateway.komas.keeper import Keeper
from tests.conftest import eventually
from tests.gateway.rest.test_facade import House


class Listened(House):
    readers = 0
    looks = 0  # at the status of everybody
    read = False  # the bucket was

    def told(self) -> bytes:
        self.looks += 1
        return b'{"program":"ingest-spot-0","kind":"ingest","pid":1,"connections":[{"id":"c","dials":3}]}'


@pytest.fixture
def house() -> Listened:
    return Listened()


@pytest.fixture
async def http(house: Listened) -> AsyncIterator[httpx.AsyncClient]:

    def taken(_subject: str, reply: str, _value: bytes) -> None:
        house.bus.publish(reply, b"{}")

    def empty(_subject: str, reply: str, _question: bytes) -> None:
        house.read = True
        house.bus.answer(reply, Answer(b"", b"NATS/1.0 404 Message Not Found\r\n\r\n", "404"))

    house.config = Config(gateway_requests=1000.0)
    house.bus.subscribe(ALL, taken)
    answering(house.bus, STATUS_REQUEST, lambda _: house.told())
    house.bus.subscribe(f"$JS.API.DIRECT.GET.KV_{BUCKET}", empty)
    keeper = Keeper(house.bus, house.hub)
    transport = httpx.ASGITransport(Komas(house, house.bus, keeper, Paces()))
    async with asyncio.TaskGroup() as tasks, httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        running = tasks.create_task(keeper.run())
        await eventually(lambda: house.read, "the keeper listens")
        yield http
        running.cancel()


async def test_many_who_look_have_the_workers_asked_once(house: Listened, http: httpx.AsyncClient) -> None:
    replies = await asyncio.gather(*(http.get("/api/ws/status") for _ in range(5)))
    assert [reply.json()["connections"] for reply in replies] == [[{"id": "c", "dials": 3}]] * 5
    assert replies[0].json()["reconnect_count"] == 2
    assert house.looks == 1


async def test_made_up_sessions_do_not_fill_what_all_gateways_keep(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "VALUES_MOST", 3)
    body = {"symbols": ["BTCUSDT"]}
    assert (await http.post("/api/ws/subscribe?session=one", json=body)).status_code == 200
    assert (await http.post("/api/ws/disconnect?session=two")).status_code == 200
    for path in ("connect?session=three", "disconnect?session=three", "quick/stop?session=three"):
        refused = await http.post(f"/api/ws/{path}")
        assert refused.status_code == 429
        assert refused.json()["detail"] == "all sessions together have 3 pins, and may have 3"
    assert (await http.post("/api/ws/subscribe?session=two", json=body)).status_code == 429
    assert (await http.post("/api/ws/disconnect?session=one")).status_code == 200
    assert (await http.post("/api/ws/subscribe?session=one", json=body)).status_code == 200
    assert (await http.post("/api/ws/unsubscribe-all?session=one")).status_code == 200
    assert (await http.post("/api/ws/subscribe?session=two", json=body)).status_code == 200
