import json
from typing import Any

import pytest

from fsnats.binance.parameters import RestError
from fsnats.binance.streams import Market
from tests.workers.simulator.worlds import BTC, NOW, make_world
from workers.simulator.feeds import Trades
from workers.simulator.tape import Tape

WORLD = make_world()


def told(market: Market, *, old: bool = False, **query: object) -> Any:
    return json.loads(Tape(WORLD).trades(BTC[market], {key: str(value) for key, value in query.items()}, NOW, old=old))


@pytest.mark.parametrize("market", Market)
def test_single_trades_are_those_of_the_stream(market: Market) -> None:
    feed = Trades(WORLD, BTC[market], NOW - 30_000, single=True, delay=0)
    said = [json.loads(payload) for payload in feed.produce(NOW)]
    rows = told(market, limit=len(said))
    assert [(row["id"], row["price"], row["qty"], row["time"], row["isBuyerMaker"]) for row in rows] == [
        (event["t"], event["p"], event["q"], event["T"], event["m"]) for event in said
    ]


def test_old_trades_can_be_read_on_by_their_ids() -> None:
    newest = told(Market.SPOT, limit=50)
    assert told(Market.SPOT, old=True, fromId=newest[10]["id"], limit=40) == newest[10:]


def test_futures_give_old_trades_only_to_those_with_a_key() -> None:
    with pytest.raises(RestError) as error:
        told(Market.USDM, old=True, fromId=1)
    assert error.value.status == 401


def test_what_was_traded_is_worth_its_price() -> None:
    (row,) = told(Market.SPOT, limit=1)
    assert float(row["quoteQty"]) == pytest.approx(float(row["price"]) * float(row["qty"]))
