import json

import pytest

from fsnats.binance.parameters import Query, RestError
from fsnats.binance.streams import Market
from tests.workers.simulator.worlds import NOW, make_world
from workers.simulator.instruments import Instrument
from workers.simulator.selection import contracts, named, one_or_all

EXCHANGE = make_world().exchange


def row(instrument: Instrument, _now: int) -> str:
    return f'"{instrument.symbol}"'


@pytest.mark.parametrize(
    ("market", "query", "code"),
    [
        (Market.SPOT, {}, -1102),
        (Market.SPOT, {"symbol": "btcusdt"}, -1100),
        (Market.USDM, {"symbol": "NOPE"}, -1121),
    ],
)
def test_what_is_none_is_refused_in_the_exchanges_words(market: Market, query: Query, code: int) -> None:
    with pytest.raises(RestError) as refused:
        named(EXCHANGE, market, query)
    assert json.loads(refused.value.body)["code"] == code


def test_one_comes_alone_and_several_in_their_order() -> None:
    assert one_or_all(EXCHANGE, Market.SPOT, {"symbol": "BTCUSDT"}, row, NOW) == b'"BTCUSDT"'
    assert one_or_all(EXCHANGE, Market.COINM, {"symbol": "BTCUSD_PERP"}, row, NOW) == b'["BTCUSD_PERP"]'
    several = one_or_all(EXCHANGE, Market.SPOT, {"symbols": '["ETHUSDT","BTCUSDT"]'}, row, NOW)
    assert json.loads(several) == ["ETHUSDT", "BTCUSDT"]


def test_a_pair_has_its_contracts() -> None:
    found = [each.symbol for each in contracts(EXCHANGE, Market.COINM, {"pair": "BTCUSD"})]
    assert found == ["BTCUSD_PERP", "BTCUSD_261225", "BTCUSD_270326"]
    assert json.loads(one_or_all(EXCHANGE, Market.COINM, {"pair": "BTCUSD"}, row, NOW)) == found
    with pytest.raises(RestError):
        contracts(EXCHANGE, Market.USDM, {"pair": "NOPE"})
