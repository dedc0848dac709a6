from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from tests.workers.simulator.worlds import INSTRUMENTS, NOW, instruments
from workers.simulator.instruments import DAY, Instrument, fixed, split, universe


def names(market: Market, **sizes: int) -> list[str]:
    made = universe(1, NOW, history_days=60, **sizes)
    return [each.symbol for each in made if each.market is market and each.trading]


def test_the_default_universe_has_the_names_that_examples_use() -> None:
    assert {"BTCUSDT", "ETHUSDT", "BNBUSDT", "ETHBTC", "币安人生USDT"} <= set(names(Market.SPOT))
    assert {"BTCUSDT", "BTCUSDT_261225", "TSLAUSDT", "1000SHIBUSDT", "人生K线USDT"} <= set(names(Market.USDM))
    assert {"BTCUSD_PERP", "BTCUSD_261225"} <= set(names(Market.COINM))


def test_a_full_exchange_is_made_on_request() -> None:
    assert len(set(names(Market.SPOT, spot=1300))) == 1300
    assert len(set(names(Market.USDM, usdm=800))) == 800
    assert sum(not name.isascii() for name in names(Market.USDM, usdm=800)) >= 5


def test_a_small_exchange_begins_with_bitcoin() -> None:
    assert names(Market.SPOT, spot=2) == ["BTCUSDT", "ETHUSDT"]


def test_every_market_lists_something_that_does_not_trade() -> None:
    resting = Counter(each.market for each in INSTRUMENTS if not each.trading)
    assert set(resting) == set(Market)


def test_the_same_seed_makes_the_same_exchange() -> None:
    def made() -> list[Instrument]:
        return list(universe(7, NOW, history_days=60, spot=100, usdm=100))

    assert made() == made()
    assert made() != list(universe(8, NOW, history_days=60, spot=100, usdm=100))


@given(instruments)
def test_an_instrument_has_room_to_move_and_eight_decimals_at_most(instrument: Instrument) -> None:
    assert instrument.level >= 1000
    assert instrument.tick_digits + instrument.lot_digits <= 8
    assert instrument.aggregates % 8 == 0
    assert instrument.aggregates // 8 >= 3
    assert NOW - 61 * DAY < instrument.listed <= NOW


@given(instruments, st.integers(0, 10**12))
def test_spot_writes_eight_decimals_and_futures_as_many_as_the_tick(instrument: Instrument, value: int) -> None:
    price = instrument.price(value)
    decimals = len(price.partition(".")[2])
    expected = {Market.SPOT: 8, Market.USDM: max(2, instrument.tick_digits), Market.COINM: instrument.tick_digits}
    assert decimals == expected[instrument.market]
    if instrument.market is Market.SPOT:
        assert len(instrument.quantity(value).partition(".")[2]) == 8
        assert len(instrument.turnover(value).partition(".")[2]) == 8


@given(st.integers(-(10**15), 10**15), st.integers(0, 8))
def test_a_fixed_decimal_reads_back_as_the_number(value: int, digits: int) -> None:
    text = fixed(value, digits)
    assert int(text.replace(".", "")) == value
    assert len(text.partition(".")[2]) == digits


@pytest.mark.parametrize(
    ("market", "symbol", "parts"),
    [
        (Market.SPOT, "ETHBTC", ("ETH", "BTC")),
        (Market.USDM, "BTCUSDT_261225", ("BTC", "USDT")),
        (Market.COINM, "BTCUSD_PERP", ("BTC", "USD")),
    ],
)
def test_a_name_says_base_and_quote(market: Market, symbol: str, parts: tuple[str, str]) -> None:
    assert split(market, symbol) == parts
