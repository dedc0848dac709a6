"""Which state of a candle stays.  (That the databases decide alike is part of the contract.)"""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.store import Origin
from fsnats.store.states import State, settled
from tests.fsnats.store.rows import candle

OPEN, CLOSED = candle(0, trades=3, closed=False), candle(0, trades=3)


@pytest.mark.parametrize("origin", Origin)
def test_a_closed_candle_is_never_open_again(origin: Origin) -> None:
    late = candle(0, trades=99, closed=False), origin
    assert settled(late, (CLOSED, Origin.MADE)) == (CLOSED, Origin.MADE)
    assert settled((CLOSED, origin), (OPEN, Origin.LIVE)) == (CLOSED, origin)


def test_of_two_open_ones_the_one_with_more_trades_stays_whatever_the_order() -> None:
    states = [(candle(0, trades=trades, closed=False), Origin.LIVE) for trades in (1, 2, 3)]
    for first, *rest in permutations(states):
        for state in rest:
            first = settled(state, first)
        assert first == states[-1]


@pytest.mark.parametrize("there", Origin)
@pytest.mark.parametrize("new", Origin)
def test_a_closed_one_is_corrected_by_the_exchange_and_a_made_one_by_anybody(new: Origin, there: Origin) -> None:
    old, correction = (CLOSED, there), (candle(0, trades=3, close="9"), new)
    assert settled(correction, old) == (correction if new is Origin.FETCHED or there is Origin.MADE else old)


def test_ids_that_a_stream_told_of_the_same_trades_are_not_forgotten() -> None:
    fetched = candle(0, trades=3, close="9", first_id=-1), Origin.FETCHED
    assert settled(fetched, (CLOSED, Origin.LIVE)) == (candle(0, trades=3, close="9"), Origin.FETCHED)
    other = candle(0, trades=4, close="9", first_id=-1), Origin.FETCHED
    assert settled(other, (CLOSED, Origin.LIVE)) == other


STATES = st.tuples(
    st.builds(candle, st.just(0), trades=st.integers(0, 3), closed=st.booleans(), close=st.sampled_from(["1", "2"])),
    st.sampled_from(Origin),
)


@given(STATES, STATES, STATES)
def test_it_does_not_matter_how_states_are_put_into_batches(a: State, b: State, c: State) -> None:
    assert settled(c, settled(b, a)) == settled(settled(c, b), a)
