from bisect import bisect_left, bisect_right

from hypothesis import given
from hypothesis import strategies as st

from fsnats.frames import Key
from fsnats.seek import NEAR, Place, Seek


def sought(places: list[Place], wanted: Key) -> tuple[int, int]:
    """Where a search ends, and how much it asked."""
    seek, asked = Seek(wanted, places[-1]), 0
    positions = [place.position for place in places]
    while (probe := seek.probe()) is not None:
        asked += 1
        seek.found(probe, places[bisect_left(positions, probe)])
    return seek.start, asked


@given(
    st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 3), st.booleans()), min_size=2, max_size=300),
    st.integers(0, 4),
    st.integers(0, 400),
)
def test_it_finds_where_to_read_from_wherever_frames_lie(
    steps: list[tuple[int, int, bool]], epoch_wanted: int, seq_wanted: int
) -> None:
    places: list[Place] = []
    position, epoch, seq = 0, 1, 0
    for apart, more, restarted in steps:
        position += apart
        epoch, seq = (epoch + 1, 1) if restarted else (epoch, seq + more)
        places.append(Place(position, (epoch, seq)))
    wanted = (epoch_wanted, seq_wanted)
    keys = [place.key for place in places]
    if keys[-1] <= wanted:
        return
    start, asked = sought(places, wanted)

    first = bisect_left([place.position for place in places], start)
    assert bisect_right(keys, wanted) - NEAR <= first <= bisect_right(keys, wanted)
    assert asked <= 50


def test_in_a_steady_stream_a_few_questions_are_enough() -> None:
    places = [Place(number * 10, (1, number)) for number in range(1, 100_001)]

    for seq in (99_990, 99_000, 60_000, 1_000, 0):
        start, asked = sought(places, (1, seq))
        assert seq * 10 - NEAR * 10 <= start <= (seq + 1) * 10
        assert asked <= 10


def test_what_lies_just_before_the_newest_frame_is_found_at_once() -> None:
    assert sought([Place(1_000, (1, 7)), Place(1_100, (1, 8))], (1, 7)) == (1_001, 1)
