"""The list of symbols over HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest

from fsnats.binance.streams import Market
from fsnats.symbols import Listing, Symbol
from gateway.admission.pace import Paces
from gateway.rest.symbols import PATH, Symbols
from tests.gateway.rest.test_facade import AUTHORIZED, TOKENS, House


@pytest.fixture
def house() -> House:
    house = House()
    symbols = [Symbol("BTCUSDT", "BTCUSDT", "PERPETUAL", "TRADING"), Symbol("币安人生USDT", "", "", "BREAK")]
    house.listings[Market.USDM] = Listing(Market.USDM, 17, False, symbols)
    return house


@pytest.fixture
async def http(house: House) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Symbols(house, Paces()))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        yield http


async def test_all_markets_tell_what_they_list(http: httpx.AsyncClient) -> None:
    reply = await http.get(PATH)
    told = {each["market"]: each for each in reply.json()["markets"]}
    assert list(told) == ["spot", "usdm"]
    assert told["usdm"] == {
        "market": "usdm",
        "taken": 17,
        "simulated": False,
        "replayed": False,
        "symbols": [
            {"symbol": "BTCUSDT", "pair": "BTCUSDT", "contract": "PERPETUAL", "status": "TRADING"},
            {"symbol": "币安人生USDT", "pair": "", "contract": "", "status": "BREAK"},
        ],
    }


async def test_a_new_list_is_told_as_soon_as_it_is_there(house: House, http: httpx.AsyncClient) -> None:
    await http.get(PATH)
    house.listings[Market.SPOT] = Listing(Market.SPOT, 18, True, [])
    reply = await http.get(f"{PATH}?market=spot")
    assert [each["taken"] for each in reply.json()["markets"]] == [18]
    assert reply.headers["x-fsnats-simulated"] == "true"


async def test_a_long_list_is_compressed(house: House, http: httpx.AsyncClient) -> None:
    symbols = [Symbol(f"A{number}", "", "", "TRADING") for number in range(100)]
    house.listings[Market.SPOT] = Listing(Market.SPOT, 18, False, symbols)
    reply = await http.get(f"{PATH}?market=spot", headers={"Accept-Encoding": "gzip"})
    assert reply.headers["content-encoding"] == "gzip"
    assert len(reply.json()["markets"][0]["symbols"]) == 100
    for accepted in ("identity", "gzip;q=0"):
        plain = await http.get(f"{PATH}?market=spot", headers={"Accept-Encoding": accepted})
        assert "content-encoding" not in plain.headers
        assert plain.json() == reply.json()


async def test_a_token_sees_its_own_markets(house: House, http: httpx.AsyncClient) -> None:
    house.tokens = TOKENS
    assert (await http.get(PATH)).status_code == 401
    reply = await http.get(PATH, headers=AUTHORIZED)
    assert [each["market"] for each in reply.json()["markets"]] == ["spot"]
    refused = await http.get(f"{PATH}?market=usdm", headers=AUTHORIZED)
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")


async def test_what_cannot_be_told_is_said(house: House, http: httpx.AsyncClient) -> None:
    unknown = await http.get(f"{PATH}?market=margin")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "UNKNOWN_MARKET")
    assert "spot, usdm" in unknown.json()["detail"]
    assert (await http.post(PATH)).status_code == 405
    house.missing = "no list of symbols yet for spot"
    assert (await http.get(PATH)).status_code == 503


@pytest.mark.parametrize(
    ("query", "named"),
    [("markets=spot", "unknown parameter 'markets'; allowed: market, token"), ("market=spot&market=usdm", "2 times")],
)
async def test_what_is_unknown_or_said_twice_is_refused(http: httpx.AsyncClient, query: str, named: str) -> None:
    reply = await http.get(f"{PATH}?{query}")
    assert reply.status_code == 400
    assert named in reply.json()["detail"]


async def test_it_is_read_only(http: httpx.AsyncClient) -> None:
    reply = await http.post(PATH)
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
