"""REST at the gateway, with history workers that say what the test wants."""

import gzip
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from websockets.datastructures import Headers

from fsnats.binance.streams import Market, parse
from fsnats.bus.memory import MemoryBus
from fsnats.config import Config
from fsnats.frames import VERSION, Frame, encode
from fsnats.history import RestReply, RestRequest
from fsnats.subjects import REST
from fsnats.symbols import Listing, Symbol
from gateway.admission.door import Door, Guest, Rules
from gateway.admission.pace import Paces
from gateway.admission.tokens import Tokens, read
from gateway.fanout.hub import Hub
from gateway.fanout.joining import Joining
from gateway.fanout.tally import Tally
from gateway.rest.facade import Facade
from tests.clock import HandClock

TOKENS = read("""
[[token]]
name = 'bot'
token = 's3cr3t-s3cr3t-s3cr3t'
markets = ['spot']
types = ['kline']
requests = 3
connections = 1
""")
AUTHORIZED = {"Authorization": "Bearer s3cr3t-s3cr3t-s3cr3t"}
KLINES = "/api/v3/klines?symbol=BTCUSDT&interval=1m"


class House:
    """A gateway, and the history workers behind it."""

    name = "gateway-here-1"

    def __init__(self) -> None:
        self.config = Config(gateway_requests=5.0)
        self.tokens: Tokens | None = None
        self.door = Door(Rules(), lambda: self.tokens)
        self.tally = Tally()
        self.hub = Hub(lambda _: None, lambda _: None, self.tally)
        symbols = [Symbol("BTCUSDT", "BTCUSDT", "", "TRADING")]
        self.listings = {market: Listing(market, 0, False, symbols) for market in self.config.markets}
        self.missing: str | None = None
        self.bus = MemoryBus()
        self.asked: list[RestRequest] = []
        self.answer = RestReply(200, b'[[1, "0.10"]]', 7)
        self.clock = HandClock()
        self.facade = Facade(self, self.bus, self.clock, lambda seconds, call: None, Paces())

    def unready(self) -> str | None:
        return self.missing

    def work(self) -> None:
        """Start the history worker."""
        self.bus.subscribe(REST, self._ask, "history")

    def _ask(self, _subject: str, reply: str, payload: bytes) -> None:
        self.asked.append(msgspec.json.decode(payload, type=RestRequest))
        self.bus.publish(reply, msgspec.msgpack.encode(self.answer))


@pytest.fixture
def house() -> House:
    house = House()
    house.work()
    return house


@pytest.fixture
async def http(house: House) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(house.facade)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        yield http


async def test_a_question_goes_to_the_history_workers_and_their_answer_back(
    house: House, http: httpx.AsyncClient
) -> None:
    reply = await http.get("/spot" + KLINES)
    assert house.asked == [RestRequest(Market.SPOT, "klines", {"symbol": "BTCUSDT", "interval": "1m"})]
    assert (reply.status_code, reply.content) == (200, b'[[1, "0.10"]]')
    assert reply.headers["X-MBX-USED-WEIGHT-1M"] == "7"
    assert reply.headers["content-type"] == "application/json;charset=UTF-8"
    assert "x-fsnats-simulated" not in reply.headers
    assert house.tally.rest == {200: 1}


async def test_a_weight_that_is_not_known_is_not_told(house: House, http: httpx.AsyncClient) -> None:
    house.answer = RestReply(200, b"{}")
    assert "X-MBX-USED-WEIGHT-1M" not in (await http.get("/api/v3/ping")).headers


async def test_simulated_data_says_so(house: House, http: httpx.AsyncClient) -> None:
    house.listings[Market.SPOT] = Listing(Market.SPOT, 0, True, [])
    assert (await http.get("/api/v3/ping")).headers["x-fsnats-simulated"] == "true"


@pytest.mark.parametrize("accepted", ["gzip, deflate", "identity", "identity, gzip;q=0"])
async def test_a_packed_body_is_unpacked_for_who_cannot(house: House, http: httpx.AsyncClient, accepted: str) -> None:
    house.answer = RestReply(200, gzip.compress(b'{"symbols":[]}'), packed=True)
    reply = await http.get("/api/v3/exchangeInfo", headers={"Accept-Encoding": accepted})
    assert reply.content == b'{"symbols":[]}'
    assert reply.headers.get("content-encoding") == ("gzip" if accepted.startswith("gzip") else None)


async def test_an_empty_budget_is_told_in_seconds(house: House, http: httpx.AsyncClient) -> None:
    house.answer = RestReply(429, b'{"code":-1003,"msg":"x"}', 6000, 12.2)
    reply = await http.get("/api/v3/time")
    assert (reply.status_code, reply.headers["Retry-After"], reply.json()["code"]) == (429, "13", -1003)


async def test_without_history_workers_it_is_said_at_once() -> None:
    house = House()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(house.facade), base_url="http://gateway") as http:
        reply = await http.get("/api/v3/time")
    assert (reply.status_code, reply.json()["code"], reply.headers["Retry-After"]) == (503, -1001, "1")
    assert "history worker" in reply.json()["msg"]


async def test_what_is_refused_here_asks_nobody(house: House, http: httpx.AsyncClient) -> None:
    unknown = await http.get("/api/v3/klines?symbol=NOPE&interval=1m")
    order = await http.post("/api/v3/order", params={"symbol": "BTCUSDT"})
    assert (unknown.status_code, unknown.content) == (400, b'{"code":-1121,"msg":"Invalid symbol."}')
    assert (order.status_code, order.json()["code"]) == (403, -1002)
    assert house.asked == []


async def test_a_gateway_that_is_not_ready_says_so(house: House, http: httpx.AsyncClient) -> None:
    house.missing = "stopping"
    reply = await http.get("/api/v3/time")
    assert (reply.status_code, reply.json()) == (503, {"code": -1001, "msg": "stopping"})
    assert reply.headers["Retry-After"] == "1"


async def test_other_methods_are_told_which_there_are(http: httpx.AsyncClient) -> None:
    reply = await http.put("/api/v3/klines?symbol=BTCUSDT&interval=1m")
    assert (reply.status_code, reply.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


async def test_a_token_opens_what_it_allows_also_where_its_connections_are_all_taken(
    house: House, http: httpx.AsyncClient
) -> None:
    house.tokens = TOKENS
    guest = house.door.visit("/?token=s3cr3t-s3cr3t-s3cr3t", Headers(), "")
    assert isinstance(guest, Guest)
    house.door.entered(guest)
    nobody = await http.get(KLINES)
    bot = await http.get(KLINES, headers=AUTHORIZED)
    in_url = await http.get(f"{KLINES}&token=s3cr3t-s3cr3t-s3cr3t")
    other_type = await http.get("/api/v3/depth?symbol=BTCUSDT", headers=AUTHORIZED)

    assert (nobody.status_code, nobody.json()["code"]) == (401, -1002)
    assert [bot.status_code, in_url.status_code] == [200, 200]
    assert (other_type.status_code, other_type.json()["msg"]) == (403, "this token may not read depth; allowed: kline")
    assert all("s3cr3t" not in str(asked) for asked in house.asked)

    await house.clock.advance(60)
    other_market = await http.get("/fapi/v1/time", headers=AUTHORIZED)
    assert other_market.status_code == 403


async def test_who_asks_too_fast_is_told_and_may_soon_ask_again(house: House, http: httpx.AsyncClient) -> None:
    statuses = [(await http.get("/api/v3/time")).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert house.tally.requests_refused == 1
    await house.clock.advance(1)
    assert (await http.get("/api/v3/time")).status_code == 200


async def test_head_is_answered_as_get_without_a_body(house: House, http: httpx.AsyncClient) -> None:
    get, head = await http.get(KLINES), await http.head(KLINES)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == get.headers
    assert (await http.head("/api/v3/account")).status_code == 403


async def test_browsers_are_told_what_pages_may_ask_without_a_token(house: House, http: httpx.AsyncClient) -> None:
    house.tokens = TOKENS
    reply = await http.options(KLINES, headers={"Origin": "https://x.example", "Access-Control-Request-Method": "GET"})
    assert (reply.status_code, reply.content) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert house.asked == []


async def test_pages_of_other_origins_are_turned_away_where_origins_are_named(
    house: House, http: httpx.AsyncClient
) -> None:
    house.config = Config(gateway_origins=("https://mine.example",))
    house.door = Door(Rules(origins=house.config.gateway_origins), lambda: None)
    mine, theirs = [await http.get(KLINES, headers={"Origin": f"https://{who}.example"}) for who in ("mine", "theirs")]
    assert (mine.status_code, mine.headers["access-control-allow-origin"]) == (200, "https://mine.example")
    assert theirs.status_code == 403
    assert "access-control-allow-origin" not in theirs.headers


async def test_a_header_that_comes_twice_is_refused_and_not_an_error(http: httpx.AsyncClient) -> None:
    reply = await http.get("/api/v3/time", headers=[("X-MBX-TIME-UNIT", "MICROSECOND")] * 2)
    assert reply.status_code == 400


async def test_polling_is_answered_by_a_stream_and_says_so(house: House, http: httpx.AsyncClient) -> None:
    house.answer = RestReply(200, b'{"symbol":"BTCUSDT"}', 7, source="exchange")
    path = "/api/v3/ticker/bookTicker?symbol=BTCUSDT"
    asked = [await http.get(path) for _ in range(2)]
    assert {(reply.headers["x-fsnats-source"], reply.headers.get("x-fsnats-age")) for reply in asked} == {
        ("exchange", None)
    }
    (channel,) = house.hub
    await house.clock.advance(0.1)
    payload = b'{"u":7,"s":"BTCUSDT","b":"1","B":"2","a":"3","A":"4"}'
    channel.receive("", "", encode(Frame(VERSION, channel.stream.name, house.clock.time_ns(), 1, 1, 0, payload)))
    await house.clock.advance(0.25)

    streamed = await http.get(path)
    assert streamed.json() == {"symbol": "BTCUSDT", "bidPrice": "1", "bidQty": "2", "askPrice": "3", "askQty": "4"}
    assert (streamed.headers["x-fsnats-source"], streamed.headers["x-fsnats-age"]) == ("stream", "0.250")
    assert "X-MBX-USED-WEIGHT-1M" not in streamed.headers
    assert (len(house.asked), house.tally.rest_by_streams) == (2, 1)

    fresh = await http.get(path, headers={"Cache-Control": "no-cache"})
    assert fresh.headers["x-fsnats-source"] == "exchange"
    assert house.asked[-1].fresh


async def test_a_book_whose_changes_are_listened_to_comes_from_the_exchange(
    house: House, http: httpx.AsyncClient
) -> None:
    joining = Joining()
    stream = parse(Market.SPOT, "btcusdt@depth@100ms")
    house.hub.hold(stream, joining)
    (channel,) = house.hub
    channel.receive("", "", encode(Frame(VERSION, stream.name, house.clock.time_ns(), 1, 1, 0, b"{}")))
    for _ in range(3):
        await http.get("/api/v3/depth?symbol=BTCUSDT&limit=5")
    assert len(house.asked) == 3
    assert [channel.stream.name for channel in house.hub] == [stream.name]
