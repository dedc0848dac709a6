from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from tests.workers.simulator.worlds import BTC, NOW, instruments
from workers.simulator.book import Book, Level, last_tick
from workers.simulator.instruments import Instrument
from workers.simulator.market import Model

MODEL = Model(1)
TICK = last_tick(NOW)
ticks = st.integers(TICK - 400_000, TICK)


def whole(book: Book, tick: int) -> tuple[dict[int, int], dict[int, int]]:
    bids, asks = book.top(tick, 100_000)
    return dict(bids), dict(asks)


def apply(side: dict[int, int], levels: list[Level]) -> None:
    for price, quantity in levels:
        if quantity:
            side[price] = quantity
        else:
            side.pop(price, None)


@given(instruments, ticks, st.lists(st.sampled_from([1, 2, 5, 10, 100]), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_a_snapshot_and_the_changes_since_are_the_book(instrument: Instrument, tick: int, steps: list[int]) -> None:
    book = Book(MODEL, instrument)
    bids, asks = whole(book, tick)
    for step in steps:
        change = book.change(tick, tick + step)
        apply(bids, change.bids)
        apply(asks, change.asks)
        tick += step
        assert max(bids) < min(asks)
    assert (bids, asks) == whole(book, tick)


def test_the_book_survives_the_edge_of_an_hour() -> None:
    book = Book(MODEL, BTC[Market.USDM])
    edge = last_tick(NOW // 3_600_000 * 3_600_000)
    bids, asks = whole(book, edge - 3)
    change = book.change(edge - 3, edge + 3)
    apply(bids, change.bids)
    apply(asks, change.asks)
    assert (bids, asks) == whole(book, edge + 3)


@given(instruments, ticks, st.integers(1, 20), st.integers(1, 20))
def test_ids_chain(instrument: Instrument, tick: int, one: int, two: int) -> None:
    book = Book(MODEL, instrument)
    first, second = book.change(tick, tick + one), book.change(tick + one, tick + one + two)
    assert first.first_id <= first.last_id
    assert second.previous_id == first.last_id
    if instrument.market is Market.SPOT:
        assert second.first_id == first.last_id + 1
    else:
        assert second.first_id > first.last_id + 1


@given(instruments, ticks, st.integers(1, 10), st.integers(0, 9))
def test_a_snapshot_fits_into_the_chain_of_any_speed(
    instrument: Instrument, tick: int, speed: int, within: int
) -> None:
    """The exchange's own rules for the first event to apply."""
    book = Book(MODEL, instrument)
    start = tick // speed * speed
    snapshot = book.id_at(start + within % speed + 1)
    change = book.ids(start, start + speed)
    if instrument.market is Market.SPOT:
        assert change.first_id <= snapshot + 1
    else:
        assert change.first_id <= snapshot
    assert change.last_id >= snapshot


@given(instruments, ticks)
def test_levels_are_ordered_and_hold_something(instrument: Instrument, tick: int) -> None:
    bids, asks = Book(MODEL, instrument).top(tick, 20)
    assert len(bids) == len(asks) == 20
    assert [price for price, _ in bids] == sorted((price for price, _ in bids), reverse=True)
    assert [price for price, _ in asks] == sorted(price for price, _ in asks)
    assert all(quantity > 0 for _, quantity in bids + asks)
    assert (bids[0], asks[0]) == Book(MODEL, instrument).best(tick)


@given(instruments, ticks, st.integers(1, 50))
def test_best_prices_that_have_not_changed_are_the_same(instrument: Instrument, tick: int, step: int) -> None:
    book = Book(MODEL, instrument)
    if not book.best_changed(tick, tick + step):
        assert book.best(tick) == book.best(tick + step)
