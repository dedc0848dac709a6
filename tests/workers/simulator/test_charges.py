import pytest

from fsnats.binance.methods import METHODS
from fsnats.binance.streams import Market
from fsnats.binance.weights import weight_of
from workers.simulator.charges import charge

QUERIES: list[dict[str, str]] = [
    {},
    {"symbol": "BTCUSDT"},
    {"symbols": '["BTCUSDT","ETHUSDT"]'},
    {"symbols": ",".join(["X"] * 60)},
    *({"symbol": "BTCUSDT", "limit": str(limit)} for limit in (1, 5, 99, 101, 499, 501, 1000, 1500, 5000)),
]


@pytest.mark.parametrize("market", Market)
def test_nothing_costs_more_than_the_product_believes(market: Market) -> None:
    for method, (needs, takes) in METHODS[market].items():
        for query in QUERIES:
            if query.keys() <= {*needs, *takes}:
                assert charge(market, method, query) <= weight_of(market, method, query), (method, query)
