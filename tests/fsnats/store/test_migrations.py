"""The steps by which tables come about."""

import pytest

from fsnats.errors import ConfigError
from fsnats.store.migrations import Migration, due, migrations


@pytest.mark.parametrize("database", ["sqlite"])
def test_steps_are_numbered_without_a_hole_and_have_statements(database: str) -> None:
    steps = migrations("sqlite" if database == "sqlite" else "postgres")
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert all(step.name and step.statements for step in steps)
    assert all(statement.endswith(";") for step in steps for statement in step.statements)


STEPS = [Migration(number, f"step{number}", ("SELECT 1;",)) for number in (1, 2, 3)]


def test_what_was_not_taken_is_due_in_order() -> None:
    assert [step.number for step in due(STEPS, [(1, "step1")], "x")] == [2, 3]
    assert due(STEPS, [(number, "") for number in (3, 1, 2)], "x") == []


def test_a_database_that_is_newer_than_the_program_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"sqlite:///x: written by a newer fsnats .* '0004_columns'.* to 0003"):
        due(STEPS, [(1, "step1"), (4, "columns")], "sqlite:///x")
