"""What the exchange lists, halts and delists while everything runs."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import nats
import pytest
from nats.aio.msg import Msg

from fsnats.binance.streams import CONTRACT_INFO, Market
from tests.e2e.client import Client, until
from tests.e2e.fleet import Fleet

SOON = 15.0  # seconds, on a machine that does much else; the poll of the futures list is an hour away
KLINE = {"streamType": "kline", "symbols": ["ALL"], "options": {"interval": "1m"}}


@pytest.fixture(scope="module", params=[Market.USDM, Market.SPOT])
def market(request: pytest.FixtureRequest) -> Market:
    """Futures announce what changes, spot must be asked."""
    return Market(request.param)


@pytest.fixture(scope="module")
def fleet(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    refresh = 1 if market is Market.SPOT else 3600
    with Fleet(
        tmp_path_factory.mktemp("listings"),
        markets=market,
        catalogue_refresh=refresh,
        linger=0,
        symbols_per_worker=1000,
    ) as fleet:
        yield fleet


@pytest.fixture
async def heard(fleet: Fleet, market: Market) -> AsyncIterator[list[Any]]:
    """What the supervisor tells on the bus."""
    heard: list[Any] = []

    async def keep(message: Msg) -> None:
        heard.append(json.loads(message.data))

    reader = await nats.connect(fleet.nats_url)
    await reader.subscribe(f"fsnats.symbols.{market}", cb=keep)
    await reader.flush()
    yield heard
    await reader.close()


def tells(messages: list[Any], what: str, symbol: str) -> bool:
    """Whether one of them says that of a symbol."""
    return any(symbol in each.get(what, ()) for each in messages)


async def test_what_is_listed_and_delisted_is_carried_left_and_told(
    fleet: Fleet, market: Market, heard: list[Any]
) -> None:
    if market is not Market.SPOT:
        await until(
            lambda: any(CONTRACT_INFO in each["streams"] for each in fleet.ledger()["connections"]),
            "the lead worker listens",
        )
    # A spot symbol that rests is listed still: it is gone when it leaves the list.
    ends = "halted" if market is Market.SPOT else "delisted"
    async with Client(f"{fleet.ws}/") as everything, Client(f"{fleet.ws}/") as named, Client(f"{fleet.ws}/") as asked:
        await everything.ask({"type": "subscribe", **KLINE}, "subscribed")
        await asked.ask({"type": "subscribe", "streamType": "symbols"}, "subscribed")
        fleet.tell_simulator(f"list?market={market}&symbol=LATEUSDT")
        await asked.reply(lambda each: "LATEUSDT" in each.get("listed", ()), "the listing is told", SOON)
        await everything.reply(
            lambda each: each["type"] == "kline" and each["data"]["s"] == "LATEUSDT", "the new symbol delivers", SOON
        )
        await named.ask({"type": "subscribe", "rawStreams": ["lateusdt@aggTrade"]}, "subscribed")
        await named.reply(lambda each: each.get("stream") == "lateusdt@aggTrade", "and to who names it", SOON)

        fleet.tell_simulator(f"delist?market={market}&symbol=LATEUSDT")
        await asked.reply(lambda each: "LATEUSDT" in each.get(ends, ()), "the end is told", SOON)
        gap = await named.reply(lambda each: each.get("type") == "gap", "and to who named it", SOON)
        assert (gap["data"]["stream"], gap["data"]["reason"]) == ("lateusdt@aggTrade", ends)
        await until(lambda: not any("lateusdt" in name for name in fleet.subscribed(market)), "the streams are left")
        if market is Market.SPOT:
            fleet.tell_simulator(f"remove?market={market}&symbol=LATEUSDT")
            await asked.reply(lambda each: "LATEUSDT" in each.get("delisted", ()), "its last trace is gone", SOON)
        await until(
            lambda: tells(heard, "listed", "LATEUSDT") and tells(heard, "delisted", "LATEUSDT"), "programs hear"
        )
        assert not any(each["type"] == "gap" for each in everything.messages)
    assert fleet.ledger()["violations"] == []
