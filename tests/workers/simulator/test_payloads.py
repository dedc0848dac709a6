"""Every event type has the keys, in the order, that the exchange writes."""

import json
from pathlib import Path
from typing import Any

import pytest

from fsnats.binance.streams import Market, parse
from tests.workers.simulator.worlds import NOW, make_world
from workers.simulator import payloads
from workers.simulator.streams import build

KLINE = "t,T,s,i,f,L,o,c,h,l,v,n,x,q,V,Q,B"
EXPECTED = {
    (Market.SPOT, "btcusdt@aggTrade"): "e,E,s,a,p,q,f,l,T,m,M",
    (Market.SPOT, "btcusdt@trade"): "e,E,s,t,p,q,T,m,M",
    (Market.SPOT, "btcusdt@kline_1m"): "e,E,s,k",
    (Market.SPOT, "btcusdt@miniTicker"): "e,E,s,c,o,h,l,v,q",
    (Market.SPOT, "btcusdt@ticker"): "e,E,s,p,P,w,x,c,Q,b,B,a,A,o,h,l,v,q,O,C,F,L,n",
    (Market.SPOT, "btcusdt@ticker_1h"): "e,E,s,p,P,o,h,l,c,w,v,q,O,C,F,L,n",
    (Market.SPOT, "btcusdt@bookTicker"): "u,s,b,B,a,A",
    (Market.SPOT, "btcusdt@avgPrice"): "e,E,s,i,w,T",
    (Market.SPOT, "btcusdt@depth5"): "lastUpdateId,bids,asks",
    (Market.SPOT, "btcusdt@depth"): "e,E,s,U,u,b,a",
    (Market.SPOT, "btcusdt@referencePrice"): "e,s,r,t",
    (Market.USDM, "btcusdt@aggTrade"): "e,E,a,s,p,q,nq,f,l,T,m,st",
    (Market.USDM, "btcusdt@trade"): "e,E,T,s,t,p,q,X,m,st",
    (Market.USDM, "btcusdt@kline_1m"): "e,E,s,k",
    (Market.USDM, "btcusdt_perpetual@continuousKline_1m"): "e,E,ps,ct,k",
    (Market.USDM, "btcusdt@markPrice"): "e,E,s,p,ap,P,i,r,T,st",
    (Market.USDM, "btcusdt@miniTicker"): "e,E,s,ps,c,o,h,l,v,q,st",
    (Market.USDM, "btcusdt@ticker"): "e,E,s,ps,p,P,w,c,Q,o,h,l,v,q,O,C,F,L,n,st",
    (Market.USDM, "btcusdt@bookTicker"): "e,u,E,T,s,ps,b,B,a,A,st",
    (Market.USDM, "btcusdt@depth"): "e,E,T,s,ps,U,u,pu,b,a,st",
    (Market.USDM, "btcusdt@depth20"): "e,E,T,s,ps,U,u,pu,b,a,st",
    (Market.USDM, "defiusdt@compositeIndex"): "e,E,s,p,C,c",
    (Market.USDM, "btcusd@assetIndex"): "e,E,s,i,b,a,B,A,q,g,Q,G",
    (Market.USDM, "tradingSession"): "e,E,t,T,S",
    (Market.COINM, "btcusd_perp@aggTrade"): "e,E,a,s,p,q,f,l,T,m,st",
    (Market.COINM, "btcusd_perp@bookTicker"): "u,e,s,ps,b,B,a,A,T,E,st",
    (Market.COINM, "btcusd_perp@markPrice"): "e,E,s,p,P,i,r,T,st",
    (Market.COINM, "btcusd@indexPrice"): "e,E,i,p",
    (Market.COINM, "btcusd@indexPriceKline_1m"): "e,E,ps,k",
    (Market.COINM, "btcusd_perp@markPriceKline_1m"): "e,E,ps,k",
}


def first(market: Market, name: str) -> Any:
    """The first thing a stream says."""
    feed = build(make_world(), parse(market, name), NOW)
    assert feed is not None
    for _ in range(100):
        said = feed.produce(feed.due)
        if said:
            return json.loads(said[0])
    raise AssertionError(f"{name} says nothing")


@pytest.mark.parametrize(("market", "name"), EXPECTED, ids=str)
def test_keys(market: Market, name: str) -> None:
    event = first(market, name)
    assert ",".join(event) == EXPECTED[market, name]
    if "k" in event:
        assert ",".join(event["k"]) == (KLINE.replace("s,", "", 1) if "ct" in event else KLINE)


def test_a_liquidation_names_its_pair_where_its_market_does() -> None:
    usdm, coinm = first(Market.USDM, "!forceOrder@arr"), first(Market.COINM, "!forceOrder@arr")
    for event in (usdm, coinm):
        assert ",".join(event["o"]).replace("ps,", "") == "s,S,o,f,q,p,ap,X,l,z,T"
        assert ("ps" in event["o"]) == (event["st"] == 2)


def test_a_listing_is_told_without_brackets() -> None:
    world = make_world()
    bitcoin = world.exchange.get(Market.USDM, "BTCUSDT")
    assert bitcoin is not None
    assert ",".join(json.loads(payloads.contract_info(bitcoin, NOW))) == "e,E,s,ct,dt,ot,cs,st"


RECORDED_2026 = {
    "spot.kline.1": (Market.SPOT, "btcusdt@kline_1m"),
    "spot.miniTicker.1": (Market.SPOT, "btcusdt@miniTicker"),
    "spot.bookTicker.1": (Market.SPOT, "btcusdt@bookTicker"),
    "spot.trade.2": (Market.SPOT, "btcusdt@trade"),
    "usdm.aggTrade.1": (Market.USDM, "btcusdt@aggTrade"),
    "usdm.kline.1": (Market.USDM, "btcusdt@kline_1m"),
    "usdm.miniTicker.1": (Market.USDM, "btcusdt@miniTicker"),
    "usdm.markPriceUpdate.1": (Market.USDM, "btcusdt@markPrice"),
    "usdm.trade.1": (Market.USDM, "btcusdt@trade"),
    "coinm.miniTicker.1": (Market.COINM, "btcusd_perp@miniTicker"),
    "coinm.ticker.1": (Market.COINM, "btcusd_perp@ticker"),
}


@pytest.mark.recorded
@pytest.mark.parametrize("example", RECORDED_2026)
def test_keys_and_types_are_those_of_a_recorded_event(example: str, recordings: Path) -> None:
    recorded = json.loads((recordings / "examples" / f"{example}.json").read_text())
    recorded = recorded.get("data", recorded)
    market, name = RECORDED_2026[example]
    made = first(market, name)
    assert list(made) == list(recorded)
    assert {key: type(value) for key, value in made.items()} == {key: type(value) for key, value in recorded.items()}
    if "k" in recorded:
        assert {key: type(value) for key, value in made["k"].items()} == {
            key: type(value) for key, value in recorded["k"].items()
        }
