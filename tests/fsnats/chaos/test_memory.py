import pytest

from fsnats.chaos.memory import LOOKS_LEAST, Memory, Process

MB = 2**20


def process(*sizes: float, program: str = "ingest-usdm-0", looks: int = 60) -> Process:
    """One that had these sizes, in MB, for the same time each."""
    return Process(program, 1, [int(size * MB) for size in sizes for _ in range(looks // len(sizes))])


def test_what_a_program_takes_at_first_is_its_own_affair() -> None:
    grown = process(40, 60, 60, 60)
    assert (grown.early, grown.late, grown.verdict) == (60 * MB, 60 * MB, "flat")


@pytest.mark.parametrize(("late", "verdict"), [(62, "flat"), (63.5, "grew"), (50, "flat")])
def test_from_the_second_third_on_it_may_grow_by_a_little(late: float, verdict: str) -> None:
    assert process(60, 60, late).verdict == verdict


def test_one_in_twenty_is_allowed_to_large_ones() -> None:
    assert process(200, 200, 209).verdict == "flat"
    assert process(200, 200, 211).verdict == "grew"


def test_a_peak_is_no_growth() -> None:
    peaks = process(60)
    peaks.sizes[30] = peaks.sizes[-1] = 100 * MB
    assert peaks.verdict == "flat"


def test_of_a_short_life_nothing_is_said() -> None:
    short = process(40, 80)
    del short.sizes[LOOKS_LEAST - 1 :]
    assert (short.verdict, short.grows) == ("too short a life", False)


def test_what_keeps_everything_by_its_nature_is_not_judged() -> None:
    tool = process(40, 80, 120, program="simulator")
    assert (tool.verdict, tool.grows) == ("not judged", False)


def test_a_program_that_was_killed_on_the_way_is_two_processes() -> None:
    memory = Memory()
    for _ in range(2):
        memory.look({("ingest-spot-0", 1): MB, ("history", 2): MB})
    memory.look({("ingest-spot-0", 3): MB, ("history", 2): 2 * MB})
    assert [(each.program, len(each.sizes)) for each in memory.processes] == [
        ("ingest-spot-0", 2),
        ("history", 3),
        ("ingest-spot-0", 1),
    ]


def test_what_grew_is_named_with_its_numbers() -> None:
    memory = Memory([process(60, 60, 60), process(60, 60, 72, program="history")])
    assert memory.problems == ["memory of history grew from 60.0 to 72.0 MB"]
