import json

from fsnats.binance.streams import Market
from tests.workers.simulator.worlds import BTC, NOW, make_world
from workers.simulator.instruments import DAY

WORLD = make_world()
DERIVED = WORLD.derived
HOUR = 3_600_000


def test_mark_and_index_stay_near_the_price() -> None:
    bitcoin = BTC[Market.USDM]
    price = WORLD.model.price(bitcoin, NOW) * 10**7
    assert abs(DERIVED.mark(bitcoin, NOW) / price - 1) < 0.01
    assert abs(DERIVED.index(bitcoin, NOW) / price - 1) < 0.01


def test_funding_comes_every_eight_hours() -> None:
    row = json.loads(DERIVED.mark_row(BTC[Market.USDM], NOW))
    assert row["T"] % (8 * HOUR) == 0
    assert NOW < row["T"] <= NOW + 8 * HOUR


def test_a_symbol_has_at_most_one_liquidation_a_second() -> None:
    for second in range(100):
        now = NOW // 1000 * 1000 + second * 1000
        said = [json.loads(event)["o"] for event in DERIVED.liquidations(WORLD.exchange.trading(Market.USDM), now)]
        assert len({order["s"] for order in said}) == len(said)
        assert all(now - 1000 <= order["T"] < now for order in said)


def test_block_trades_have_ids_of_their_own() -> None:
    said = [
        json.loads(event)
        for second in range(600)
        for event in DERIVED.block_trades(BTC[Market.SPOT], NOW + second * 1000)
    ]
    ids = [event["t"] for event in said]
    assert len(ids) > 5
    assert ids == sorted(ids)


def test_stock_markets_have_four_sessions_a_day_and_rest_at_weekends() -> None:
    friday = NOW // DAY * DAY
    names = [json.loads(DERIVED.sessions(friday + hour * HOUR)[0]) for hour in range(24)]
    assert {event["S"] for event in names} == {"PRE_MARKET", "REGULAR", "AFTER_MARKET", "OVERNIGHT"}
    assert all(event["t"] <= event["E"] < event["T"] for event in names[1:])
    assert json.loads(DERIVED.sessions(friday + DAY)[0])["S"] == "NO_TRADING"
