import json

import pytest

from fsnats.binance.rest import Answer
from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.clock import SystemClock
from fsnats.config import Config
from fsnats.errors import ExchangeUnavailable
from fsnats.exits.client import Exits
from fsnats.supervisor.lists import asking, read_listing, replaying
from tests.fsnats.supervisor.exchange import running_exchange


def answer(*names: str, status: str = "TRADING", simulated: bool = False) -> Answer:
    rows = [{"symbol": name, "status": status, "contractStatus": status} for name in names]
    return Answer(json.dumps({"symbols": rows}).encode(), simulated, None)


def test_a_reply_says_what_it_is_of() -> None:
    read = read_listing(Market.COINM, answer("BTCUSD_PERP", simulated=True), 17)

    assert (read.market, read.taken_ms, read.simulated, read.trading) == (
        *(Market.COINM, 17, True),
        frozenset({"BTCUSD_PERP"}),
    )


@pytest.mark.parametrize(
    "reply",
    [
        answer(),
        answer("BTCUSDT", status="BREAK"),
        Answer(b"<html>", False, None),
        Answer(b"", False, None),
        Answer(b'{"symbols":[{"symbol":"\xb1\xd2USDT","status":"TRADING"}]}', False, None),  # not UTF-8
        Answer(b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", False, None),
    ],
)
def test_a_reply_that_would_empty_the_catalogue_is_not_believed(reply: Answer) -> None:
    with pytest.raises(ExchangeUnavailable, match="spot") as error:
        read_listing(Market.SPOT, reply, 0)
    assert error.value.stage == "json"


async def test_a_capture_is_believed_even_where_it_holds_no_symbol() -> None:
    ask = replaying({Market.USDM: answer().body})
    read = read_listing(Market.USDM, await ask(Market.USDM), 0)
    assert (read.trading, read.simulated, read.replayed) == (frozenset(), True, True)


async def test_binance_is_asked_for_what_is_needed() -> None:
    with running_exchange() as exchange:
        exchange.listed["/api"] = ["BTCUSDT"]
        exchange.listed["/dapi"] = ["BTCUSD_PERP"]
        config = Config(spot_rest_url=exchange.url, coinm_rest_url=exchange.url)
        ask = asking(config, Exits(config, MemoryBus(), "test", SystemClock()))

        assert read_listing(Market.SPOT, await ask(Market.SPOT), 0).trading == {"BTCUSDT"}
        assert read_listing(Market.COINM, await ask(Market.COINM), 0).trading == {"BTCUSD_PERP"}

    assert exchange.requests == ["/api/v3/exchangeInfo?showPermissionSets=false", "/dapi/v1/exchangeInfo"]
