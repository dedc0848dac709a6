import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.logs.names import FileName, crowded_out, outdated, slot

DAYS = st.dates().map(str)
NAMES = st.builds(FileName, DAYS, st.integers(0, 10**6 - 1), st.sampled_from(["gateway", "gateway~2", "ingest-spot-0"]))


@given(NAMES)
def test_names_are_read_as_they_are_written(name: FileName) -> None:
    assert FileName.read(str(name)) == name


def test_the_first_of_a_day_has_no_number() -> None:
    assert str(FileName("2026-11-20", 0, "ingest-spot-0")) == "ingest-spot-0.2026-11-20.jsonl"
    assert str(FileName("2026-11-20", 2, "gateway~2")) == "gateway~2.2026-11-20.2.jsonl"
    assert FileName("2026-11-20", 2, "gateway~2").program == "gateway"


@pytest.mark.parametrize("text", ["x.jsonl", "../x.2026-11-20.jsonl", "x.2026-11-20.jsonl.gz", "a b.2026-11-20.jsonl"])
def test_other_files_are_none_of_ours(text: str) -> None:
    assert FileName.read(text) is None


@given(st.text(), st.integers(1, 64))
def test_any_program_has_a_name_for_its_files(program: str, number: int) -> None:
    name = FileName("2026-11-20", 0, slot(program, number))
    assert FileName.read(str(name)) == name


def test_days_are_kept_and_those_before_them_are_not() -> None:
    names = [FileName(day, 0, "x") for day in ("2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03")]
    assert outdated(names, "2026-11-02", 2) == names[:1]
    assert outdated(names, "2026-11-02", 1) == names[:2]


@given(st.lists(st.integers(0, 100), min_size=1), st.integers(0, 300))
def test_what_is_left_of_a_day_is_no_more_than_it_may_be_and_the_newest(sizes: list[int], most: int) -> None:
    files = [(FileName("2026-11-20", part, "x"), size) for part, size in enumerate(sizes)]
    gone = crowded_out(files, most)
    left = [(name, size) for name, size in files if name not in gone]
    assert left == files[len(gone) :]
    assert left
    assert sum(size for _, size in left) <= most or len(left) == 1
