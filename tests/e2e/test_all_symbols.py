"""Every symbol of two whole markets, through one client."""

import json
import time

from fsnats.binance.streams import Market
from tests.e2e.client import Client, until
from tests.e2e.conftest import Measure, StartFleet
from tests.e2e.fleet import Fleet, get

SPOT, USDM = 1300, 800


def trading(fleet: Fleet, market: Market, path: str) -> set[str]:
    """The symbols that the exchange says trade."""
    status, text = get(f"http://127.0.0.1:{fleet.simulator_port}/{market}/{path}")
    assert status == 200
    rows = json.loads(text)["symbols"]
    return {row["symbol"] for row in rows if row["status"] == "TRADING"}


async def test_all_symbols_of_two_markets_are_delivered_and_subscribed_once(
    start_fleet: StartFleet, measure: Measure
) -> None:
    fleet = start_fleet(
        simulator=("--spot-symbols", str(SPOT), "--usdm-symbols", str(USDM)),
        symbols_per_worker=1000,
    )
    listed = {
        Market.SPOT: trading(fleet, Market.SPOT, "api/v3/exchangeInfo"),
        Market.USDM: trading(fleet, Market.USDM, "fapi/v1/exchangeInfo"),
    }
    assert {market: len(symbols) for market, symbols in listed.items()} == {Market.SPOT: SPOT, Market.USDM: USDM}
    wanted = {(market, symbol) for market, symbols in listed.items() for symbol in symbols}
    async with Client(f"{fleet.ws}/") as client:
        begun = time.monotonic()
        for market in listed:
            request = {"streamType": "kline", "symbols": ["ALL"], "options": {"interval": "1m"}, "market": market}
            await client.ask({"type": "subscribe", **request}, "subscribed")
        seen: set[tuple[Market, str]] = set()
        read = 0

        def complete() -> bool:
            nonlocal read
            new, read = client.messages[read:], len(client.messages)
            for each in new:
                if each["type"] == "kline":
                    assert each["data"]["k"]["i"] == "1m"
                    seen.add((Market(each.get("market", "spot")), each["data"]["s"]))
            return seen >= wanted

        try:
            await until(complete, "every symbol is delivered", within=60)
        except AssertionError:
            missing = sorted(wanted - seen)
            raise AssertionError(f"{len(missing)} are not delivered: {missing[:20]}") from None
        measure(f"all {len(wanted)} symbols delivered {time.monotonic() - begun:.1f} s after the subscription")
        assert seen == wanted
        assert (await client.ask({"type": "listSubscriptions"}, "subscriptions"))["total"] == len(wanted)
        for market, symbols in listed.items():
            assert fleet.subscribed(market) == sorted(f"{symbol.lower()}@kline_1m" for symbol in symbols)
        assert fleet.ledger()["violations"] == []
        assert client.is_open
