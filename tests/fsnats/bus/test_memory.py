import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.bus.memory import MemoryBus, matches
from fsnats.errors import BusUnavailable


async def test_a_bus_that_is_down_takes_nothing() -> None:
    bus = MemoryBus()
    bus.is_connected = False

    assert bus.publish("a", b"") is False
    with pytest.raises(BusUnavailable):
        await bus.request("a", b"", 1)
    with pytest.raises(BusUnavailable):
        await bus.flush()


@given(st.lists(st.sampled_from("abc"), min_size=1))
def test_a_subject_matches_itself_its_stars_and_its_tails(tokens: list[str]) -> None:
    assert matches(tokens, tokens)
    assert matches(["*"] * len(tokens), tokens)
    assert matches([">"], tokens)
    assert not matches([*tokens, ">"], tokens)
    assert not matches([*tokens, "*"], tokens)
