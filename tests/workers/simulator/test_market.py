from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from tests.workers.simulator.worlds import BTC, NOW, instruments, minutes
from workers.simulator.instruments import Instrument
from workers.simulator.market import Model

MODEL = Model(1)


@given(instruments, minutes)
def test_two_models_of_one_seed_agree(instrument: Instrument, number: int) -> None:
    assert Model(1).minute(instrument, number).bar() == MODEL.minute(instrument, number).bar()


def test_another_seed_is_another_market() -> None:
    bitcoin = BTC[Market.SPOT]
    assert Model(2).minute(bitcoin, NOW // 60_000).bar() != MODEL.minute(bitcoin, NOW // 60_000).bar()


@given(instruments, minutes)
def test_the_opening_price_of_a_minute_needs_no_minute(instrument: Instrument, number: int) -> None:
    assert MODEL.open_price(instrument, number) == MODEL.minute(instrument, number).bar().open


@given(instruments, minutes)
def test_the_price_of_an_hour_needs_no_hour(instrument: Instrument, number: int) -> None:
    assert MODEL.hour_price(instrument, number // 60) == MODEL.open_price(instrument, number // 60 * 60)


@given(instruments, minutes, st.integers(0, 200))
@settings(max_examples=30)
def test_volumes_add_up_without_looking_at_each_minute(instrument: Instrument, first: int, count: int) -> None:
    each = sum(MODEL.minute(instrument, number).bar().volume for number in range(first, first + count))
    assert MODEL.volume(instrument, first, first + count) == each


def test_spot_and_futures_of_one_coin_move_together() -> None:
    ratios = [
        MODEL.price(BTC[Market.SPOT], time) / MODEL.price(BTC[Market.USDM], time)
        for time in range(NOW - 86_400_000, NOW, 3_600_000)
    ]
    assert max(ratios) / min(ratios) < 1.001


def test_memory_is_bounded() -> None:
    model = Model(1)
    for hour in range(5000):
        model.hour(BTC[Market.SPOT], hour)
    assert len(model._hours) <= 4096
