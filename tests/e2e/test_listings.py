"""What the exchange lists, halts and delists while everything runs."""

from collections.abc import Iterator

import pytest

from fsnats.binance.streams import Market
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


def change(fleet: Fleet, market: Market, what: str, symbol: str, status: str = "") -> None:
    """Have the exchange list, delist or remove a symbol."""
    fleet.tell_simulator(f"{what}?market={market}&symbol={symbol}" + (f"&status={status}" if status else ""))


async def announced(fleet: Fleet, market: Market) -> None:
    """Return when the worker hears what the exchange announces."""
    if market is not Market.SPOT:
        await until(
            lambda: any("!contractInfo" in each["streams"] for each in fleet.ledger()["connections"]),
            "the lead worker listens",
        )


async def test_all_follows_listings_and_delistings(fleet: Fleet, market: Market) -> None:
    await announced(fleet, market)
    async with Client(f"{fleet.ws}/") as client:
        await client.ask({"type": "subscribe", **KLINE}, "subscribed")
        change(fleet, market, "list", "LATEUSDT")
        await client.reply(
            lambda each: each["type"] == "kline" and each["data"]["s"] == "LATEUSDT", "the new symbol delivers", SOON
        )
        assert "lateusdt@kline_1m" in fleet.subscribed(market)
        change(fleet, market, "delist", "LATEUSDT")
        await until(lambda: "lateusdt@kline_1m" not in fleet.subscribed(market), "the stream is left", SOON)
    assert fleet.ledger()["violations"] == []
