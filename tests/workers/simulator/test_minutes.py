from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from tests.workers.simulator.worlds import instruments, minutes
from workers.simulator.instruments import Instrument
from workers.simulator.market import Model
from workers.simulator.minutes import Bar, Minute, Trade

MODEL = Model(1)
some_minutes = st.builds(MODEL.minute, instruments, minutes)


def trades(minute: Minute) -> list[Trade]:
    return [minute.trade(index) for index in range(minute.pattern.aggregates)]


def built(minute: Minute) -> Bar:
    """The candle that a reader of the aggregate trades would build."""
    seen = trades(minute)
    bought = [trade for trade in seen if not trade.maker]
    return Bar(
        seen[0].price,
        max(trade.price for trade in seen),
        min(trade.price for trade in seen),
        seen[-1].price,
        sum(trade.quantity for trade in seen),
        sum(trade.quantity * trade.price for trade in seen),
        seen[-1].last - seen[0].first + 1,
        sum(trade.quantity for trade in bought),
        sum(trade.quantity * trade.price for trade in bought),
        seen[0].first,
        seen[-1].last,
    )


@given(some_minutes)
def test_a_bar_is_what_its_trades_add_up_to(minute: Minute) -> None:
    expected = built(minute)
    bar = minute.bar()
    if minute.instrument.market is Market.COINM:  # volumes in the base asset, which trades do not show
        bar.quote, bar.buy_quote = expected.quote, expected.buy_quote
    assert bar == expected


@given(some_minutes, st.data())
def test_a_bar_is_made_of_its_parts(minute: Minute, data: st.DataObject) -> None:
    size = minute.pattern.aggregates
    cut = data.draw(st.integers(0, size))
    joined = minute.part(0, cut).then(minute.part(cut, size))
    if minute.instrument.market is Market.COINM:  # rounded once per part
        assert abs(joined.quote - minute.bar().quote) <= 16
    else:
        assert joined == minute.bar()
    assert minute.part(0, size) == minute.bar()


@given(some_minutes)
def test_a_part_without_trades_stands_where_the_price_stood(minute: Minute) -> None:
    for index in range(1, minute.pattern.aggregates):
        price = minute.trade(index - 1).price
        assert minute.part(index, index) == Bar(price, price, price, price)


@given(some_minutes)
def test_trades_are_in_order_and_within_their_minute(minute: Minute) -> None:
    seen = trades(minute)
    times = [trade.time for trade in seen]
    assert times == sorted(times)
    assert minute.start <= times[0]
    assert times[-1] < minute.start + 60_000


@given(some_minutes)
def test_ids_are_consecutive_within_a_minute_and_into_the_next(minute: Minute) -> None:
    following = MODEL.minute(minute.instrument, minute.number + 1)
    seen = [*trades(minute), following.trade(0)]
    for before, after in pairwise(seen):
        assert after.id == before.id + 1
        assert after.first == before.last + 1


@given(some_minutes)
def test_the_fills_of_an_aggregate_add_up_to_it(minute: Minute) -> None:
    for index, trade in enumerate(trades(minute)):
        fills = minute.fills(index)
        assert [trade_id for trade_id, _ in fills] == list(range(trade.first, trade.last + 1))
        assert sum(quantity for _, quantity in fills) == trade.quantity
        assert all(quantity > 0 for _, quantity in fills)


@given(some_minutes)
def test_a_minute_closes_where_the_next_one_opens(minute: Minute) -> None:
    following = MODEL.minute(minute.instrument, minute.number + 1)
    assert minute.bar().close == following.bar().open


@given(some_minutes, st.integers(0, 59_999))
def test_trades_happen_at_the_best_prices_of_their_moment(minute: Minute, offset: int) -> None:
    count = minute.count_at(minute.start + offset)
    bid = minute.level_at(minute.start + offset)
    if count:
        trade = minute.trade(count - 1)
        assert trade.price == (bid if trade.maker else bid + 1)
        assert trade.time <= minute.start + offset


@given(instruments, minutes)
def test_prices_are_positive(instrument: Instrument, number: int) -> None:
    assert min(MODEL.minute(instrument, number).levels) > 0
