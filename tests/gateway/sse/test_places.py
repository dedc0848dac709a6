import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sse.places import Line, Place, read

NUMBERS = st.integers(0, 2**63 - 1)
PLACES = st.tuples(st.sampled_from([1, 2, 2**63 - 1]) | NUMBERS, NUMBERS)


def written(places: list[Place | None]) -> str:
    return str(Line(places))


def test_streams_of_one_worker_share_its_epoch() -> None:
    places: list[Place | None] = [(1795174351645151000, 42), (1795174351645151000, 7), None, (36, 0), (36, 35)]

    assert written(places) == "dn007459at5k.16,7,,10.0,z"
    assert read(written(places), 5) == places


@given(st.lists(st.none() | PLACES, min_size=1, max_size=20))
def test_what_is_written_can_be_read(places: list[Place | None]) -> None:
    line = written(places)

    assert read(line, len(places)) == places
    assert read(line, len(places) + 1) is None
    assert line.isascii()
    assert line.isprintable()


@given(st.lists(st.none() | PLACES, min_size=1, max_size=6), st.lists(st.tuples(st.integers(0, 5), PLACES)))
def test_one_place_after_the_other_leads_to_the_same_line_as_all_at_once(
    places: list[Place | None], steps: list[tuple[int, Place]]
) -> None:
    line = Line(places)
    for at, place in steps:
        places[at % len(places)] = place
        line.put(at % len(places), place)

        assert str(line) == written(places)


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "1",
        ".",
        "1.",
        ".1",
        "1.2.3",
        "1.-2",
        "1.2,",
        "1.2, 3",
        "é.1",
        "1_0.1",
        "9" * 9000,
        "1y2p0ij32e8e8.1",
        "1.1y2p0ij32e8e8",
    ],
)
def test_what_was_not_written_so_is_not_read(line: str) -> None:
    assert read(line, 1) is None


@given(st.text(max_size=30), st.integers(1, 3))
def test_any_line_is_read_or_not(line: str, count: int) -> None:
    found = read(line, count)
    assert found is None or len(found) == count
