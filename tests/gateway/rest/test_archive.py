"""Long ranges over HTTP, with history workers that say what the test wants."""

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from fsnats.binance.rows import Candle
from fsnats.bus.memory import MemoryBus
from fsnats.formats import writer as plain_writer
from fsnats.history import PAGE_ROWS, HistoryReply, KlinesRequest, Missing
from fsnats.subjects import KLINES
from fsnats.websocket.serve import listen, serving
from gateway.admission.pace import Paces
from gateway.http import build
from gateway.rest import archive as module
from gateway.rest.archive import AT_ONCE, PATIENCE, Archive
from gateway.rest.facade import Facade
from gateway.rest.ranges import PATHS
from tests.clock import HandClock
from tests.conftest import eventually
from tests.gateway.heard import no_numbers
from tests.gateway.rest.test_facade import AUTHORIZED, TOKENS, House

MINUTE = 60_000
START = 1_795_000_020_000
KLINES_PATH = f"/api/v1/klines?symbol=btcusdt&interval=1m&start={START}"


class Workers:
    """History workers with a line of `length` candles from START on."""

    def __init__(self, bus: MemoryBus, length: int, page: int = PAGE_ROWS) -> None:
        self.asked: list[KlinesRequest] = []
        self.length = length
        self.page = page
        self.refusals: dict[int, HistoryReply] = {}  # by the number of the question
        self.missing: list[Missing] = []
        self._bus = bus
        self._pages: dict[tuple[int, int], msgspec.Raw] = {}
        bus.subscribe(KLINES, self._ask, "history")

    def _ask(self, _subject: str, reply: str, payload: bytes) -> None:
        request = msgspec.json.decode(payload, type=KlinesRequest)
        self.asked.append(request)
        answer = self.refusals.get(len(self.asked)) or self._answer(request)
        # Not at once: a real worker answers in a later turn of the loop.
        asyncio.get_running_loop().call_soon(self._bus.publish, reply, msgspec.json.encode(answer))

    def _answer(self, request: KlinesRequest) -> HistoryReply:
        if request.survey:
            return HistoryReply(missing=self.missing)
        end = START + (self.length - 1) * MINUTE if request.end_ms is None else request.end_ms
        count = min(request.limit or PAGE_ROWS, self.page)
        if request.newest:
            last = (end - START) // MINUTE
            first = max(0, last - count + 1)
            goes_on = START + first * MINUTE - 1 if first else None
        else:
            first = -(-((request.start_ms or 0) - START) // MINUTE)
            last = min(first + count - 1, (end - START) // MINUTE, self.length - 1)
            goes_on = START + (last + 1) * MINUTE if last < self.length - 1 else None
        rows = self._pages.get((0, last - first)) if self.length > 100_000 else None
        if rows is None:
            rows = msgspec.Raw(msgspec.json.encode([bar(n) for n in range(first, last + 1)]))
            self._pages[0, last - first] = rows  # of a very long line all pages are alike: to make them would take long
        return HistoryReply(rows, goes_on, [one for one in self.missing if first == 0])


def bar(number: int) -> Candle:
    opens = START + number * MINUTE
    return Candle(opens, "1.10", "2.20", "0.90", "1.50", "7.0", opens + MINUTE - 1, "9.9", 3, "1.0", "1.1", "0")


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def archive(house: House, clock: HandClock) -> Archive:
    return Archive(house, house.bus, clock, Paces())


@pytest.fixture
async def http(archive: Archive) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(archive), base_url="http://gateway") as http:
        yield http


@contextlib.asynccontextmanager
async def served(house: House, archive: Archive) -> AsyncIterator[int]:
    """The gateway's HTTP side on a real port."""
    listener = listen("127.0.0.1", 0, "port")
    port = listener.getsockname()[1]
    facade = Facade(house, house.bus, HandClock(), lambda _seconds, _call: None, Paces())
    app = build(house.unready, no_numbers, facade, dict.fromkeys(PATHS, archive))
    async with serving(app, lambda _: pytest.fail("no WebSocket"), listener):
        yield port


async def test_a_long_range_comes_page_by_page_and_whole(house: House, http: httpx.AsyncClient) -> None:
    workers = Workers(house.bus, 4500)
    reply = await http.get(KLINES_PATH)
    body = reply.json()
    assert reply.headers["content-type"] == "application/json"
    assert [row[0] for row in body["klines"]] == [START + n * MINUTE for n in range(4500)]
    assert (body["symbol"], body["complete"], body["missing"]) == ("BTCUSDT", True, [])
    assert reply.headers["x-fsnats-complete"] == "true"
    assert [each.start_ms for each in workers.asked] == [START, START + 2000 * MINUTE, START + 4000 * MINUTE]
    assert all(each.bulk and each.closed for each in workers.asked)
    assert house.tally.rest == {200: 1}


async def test_a_limit_ends_it(house: House, http: httpx.AsyncClient) -> None:
    workers = Workers(house.bus, 4500)
    assert len((await http.get(f"{KLINES_PATH}&limit=2001")).json()["klines"]) == 2001
    assert [each.limit for each in workers.asked] == [2001, 1]


async def test_the_newest_come_oldest_first(house: House, http: httpx.AsyncClient) -> None:
    Workers(house.bus, 4500)
    reply = await http.get("/api/v1/klines?symbol=btcusdt&interval=1m&limit=3000")
    assert [row[0] for row in reply.json()["klines"]] == [START + n * MINUTE for n in range(1500, 4500)]


async def test_csv_is_what_its_accept_says(house: House, http: httpx.AsyncClient) -> None:
    Workers(house.bus, 3)
    reply = await http.get(KLINES_PATH, headers={"Accept": "text/csv"})
    assert reply.headers["content-type"].startswith("text/csv")
    assert len(reply.text.splitlines()) == 4


@pytest.mark.parametrize("form", ["arrow", "parquet"])
async def test_without_pyarrow_the_extra_is_named(
    house: House, http: httpx.AsyncClient, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Workers(house.bus, 3)
    monkeypatch.setitem(sys.modules, "fsnats.formats.arrow", None)
    monkeypatch.setattr(module, "writer", plain_writer)
    with contextlib.suppress(AttributeError):
        monkeypatch.delattr("fsnats.formats.arrow", raising=False)
    reply = await http.get(f"{KLINES_PATH}&format={form}")
    assert (reply.status_code, reply.headers["content-type"]) == (501, "application/problem+json")
    assert "pip install pyarrow" in reply.json()["detail"]


async def test_what_the_store_does_not_have_is_told_before_the_first_row_and_at_the_end(
    house: House, http: httpx.AsyncClient
) -> None:
    workers = Workers(house.bus, 4500)
    workers.missing = [Missing(START, START + 9 * MINUTE)]
    reply = await http.get(f"{KLINES_PATH}&source=store")
    assert reply.headers["x-fsnats-complete"] == "false"
    assert reply.headers["x-fsnats-missing"] == f"ms={START}-{START + 9 * MINUTE}"
    assert reply.json()["missing"] == [{"from": START, "to": START + 9 * MINUTE, "unit": "ms"}]
    assert [each.survey for each in workers.asked[:2]] == [False, True]


async def test_of_so_many_candles_only_what_is_missing_of_them_is_told(house: House, http: httpx.AsyncClient) -> None:
    workers = Workers(house.bus, 4500)
    await http.get(f"{KLINES_PATH}&source=store&limit=3000")
    assert workers.asked[1].survey
    assert workers.asked[1].end_ms == START + 2999 * MINUTE


async def test_a_refusal_before_the_first_row_is_a_problem(house: House, http: httpx.AsyncClient) -> None:
    workers = Workers(house.bus, 5)
    workers.refusals[1] = HistoryReply(code="HISTORY_UNAVAILABLE", message="no exit may be used", retry_after=12.2)
    reply = await http.get(KLINES_PATH)
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "13")
    assert (reply.json()["code"], reply.json()["detail"]) == ("HISTORY_UNAVAILABLE", "no exit may be used")


async def test_without_history_workers_it_is_said(http: httpx.AsyncClient) -> None:
    reply = await http.get(KLINES_PATH)
    assert (reply.status_code, reply.json()["code"]) == (503, "HISTORY_UNAVAILABLE")


async def test_weight_that_is_used_up_on_the_way_is_waited_for(
    house: House, http: httpx.AsyncClient, clock: HandClock
) -> None:
    workers = Workers(house.bus, 4500)
    workers.refusals[2] = HistoryReply(code="HISTORY_UNAVAILABLE", message="used up", retry_after=30.0)
    asking = asyncio.ensure_future(http.get(KLINES_PATH))
    await eventually(lambda: clock.slept == [30.0])
    await clock.advance(30.0)
    assert len((await asking).json()["klines"]) == 4500


async def test_what_cannot_be_finished_says_so(house: House, http: httpx.AsyncClient, clock: HandClock) -> None:
    workers = Workers(house.bus, 4500)
    gone = HistoryReply(code="HISTORY_UNAVAILABLE", message="the exchange is gone", retry_after=PATIENCE + 1)
    workers.refusals[2] = gone
    body = (await http.get(KLINES_PATH)).json()
    assert (body["complete"], body["error"], len(body["klines"])) == (False, "the exchange is gone", 2000)


async def test_a_form_without_room_for_that_is_cut_off(house: House, archive: Archive) -> None:
    workers = Workers(house.bus, 4500)
    workers.refusals[2] = HistoryReply(code="HISTORY_UNAVAILABLE", message="gone", retry_after=PATIENCE + 1)
    async with served(house, archive) as port, httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(f"http://127.0.0.1:{port}{KLINES_PATH}&format=csv")


async def test_a_million_rows_wait_for_a_slow_reader_at_the_history_workers(house: House, archive: Archive) -> None:
    rows = 1_000_000
    workers = Workers(house.bus, rows)
    page_bytes = len(msgspec.json.encode([bar(n) for n in range(PAGE_ROWS)]))
    async with served(house, archive) as port:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)  # else the kernel reads megabytes for it
        slow.connect(("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=slow, limit=64 * 1024)
        writer.write(f"GET {KLINES_PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        read = 0
        for stop in (1, 20, 100):  # pages after which it does not read for a while
            while read < stop * page_bytes:
                read += len(await reader.read(64 * 1024))
            before = -1
            while before != len(workers.asked):  # until nothing moves any more
                before = len(workers.asked)
                await asyncio.sleep(0.1)
            # What is on its way: the kernel's buffers, the transport's, and a page or two here.
            assert len(workers.asked) <= read / page_bytes + 6
        assert archive.downloads == 1
        tail = b""
        while data := await reader.read(1 << 20):
            read += len(data)
            tail = (tail + data)[-100:]
        writer.close()
    assert len(workers.asked) == rows / PAGE_ROWS
    assert b'"complete":true,"missing":[]}' in tail
    assert read > rows * page_bytes / PAGE_ROWS


async def test_a_client_that_leaves_ends_its_download(house: House, archive: Archive) -> None:
    workers = Workers(house.bus, 1_000_000)
    async with served(house, archive) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {KLINES_PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        assert archive.downloads == 1
        writer.transport.abort()
        await eventually(lambda: archive.downloads == 0)
    assert len(workers.asked) < 500


async def test_one_address_has_a_few_downloads_at_once(house: House, archive: Archive) -> None:
    house.bus.subscribe(KLINES, lambda _s, _r, _p: None)  # never answers
    async with httpx.AsyncClient(transport=httpx.ASGITransport(archive), base_url="http://gateway") as http:
        asking = [asyncio.ensure_future(http.get(KLINES_PATH)) for _ in range(AT_ONCE)]
        await eventually(lambda: archive.downloads == AT_ONCE)
        reply = await http.get(KLINES_PATH)
        assert (reply.status_code, reply.json()["code"]) == (429, "TOO_MANY_REQUESTS")
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    assert archive.downloads == 0


async def test_tokens_limits_and_origins_are_those_of_the_gateway(
    house: House, http: httpx.AsyncClient, clock: HandClock
) -> None:
    Workers(house.bus, 3)
    house.tokens = TOKENS
    nobody = await http.get(KLINES_PATH)
    bot = await http.get(KLINES_PATH, headers=AUTHORIZED)
    other = await http.get(f"{KLINES_PATH}&market=usdm", headers=AUTHORIZED)
    trades = await http.get(f"/api/v1/trades?symbol=btcusdt&start={START}", headers=AUTHORIZED)
    assert [each.status_code for each in (nobody, bot, other, trades)] == [401, 200, 403, 403]
    await clock.advance(60)
    statuses = [(await http.get(KLINES_PATH, headers=AUTHORIZED)).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


async def test_only_reading_is_done_here(house: House, http: httpx.AsyncClient) -> None:
    Workers(house.bus, 3)
    assert (await http.post(KLINES_PATH)).status_code == 405
    head = await http.head(KLINES_PATH)
    assert (head.status_code, head.content, head.headers["x-fsnats-complete"]) == (200, b"", "true")
    page = await http.options(KLINES_PATH, headers={"Origin": "https://x"})
    assert (page.status_code, page.headers["access-control-allow-origin"]) == (204, "*")


async def test_paths_beside_it_are_binances(house: House, archive: Archive) -> None:
    house.work()
    async with served(house, archive) as port, httpx.AsyncClient(trust_env=False) as http:
        own = await http.get(f"http://127.0.0.1:{port}/api/v1/klines")
        theirs = await http.get(f"http://127.0.0.1:{port}/api/v1/depth")
    assert json.loads(own.content)["code"] == "MISSING_FIELD"
    assert theirs.json()["code"] == -5000
