"""Every block of code of the seeds is run by a test, or it is said why not.  (Of our own documents: test_docs.py.)"""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.e2e.transcript import CLAIMS, TABLE, Row, blocks_of, claims_in, document

E2E = Path(__file__).resolve().parent / "e2e"

_RUN = [row for rows in TABLE.values() for row in rows if row.tests]


@cache
def _strings(file: str) -> dict[str, frozenset[str]]:
    """The string constants in and above each test function of a file."""
    tree = ast.parse((E2E / file).read_text())
    return {
        node.name: frozenset(
            each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        )
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }


@pytest.mark.parametrize("seed", [source for source in TABLE if source.isdigit()])
def test_every_block_of_a_seed_is_in_the_table_and_is_as_it_was(seed: str) -> None:
    assert [(row.heading, row.digest) for row in TABLE[seed]] == [
        (block.heading, block.digest) for block in blocks_of(document(seed))
    ]


@pytest.mark.parametrize("row", _RUN, ids=lambda row: row.name)
def test_the_tests_that_run_a_block_take_it_by_its_name(row: Row) -> None:
    for test in row.tests:
        file, _, function = test.partition("::")
        assert row.name in _strings(file)[function], test


def test_every_line_of_seed_003_has_its_test_or_says_why_not() -> None:
    assert [claim for claim, _ in CLAIMS] == claims_in(document("003"))
    for claim, test in CLAIMS:
        file, separator, function = test.partition("::")
        assert not separator or function in _strings(file), claim


def test_names_are_unique_and_what_is_not_run_says_why() -> None:
    names = [row.name for row in _RUN]
    assert len(set(names)) == len(names)
    assert all(row.why_not for rows in TABLE.values() for row in rows if not row.tests)


def test_a_block_begins_where_its_fence_stands_and_knows_its_heading() -> None:
    (inner,) = blocks_of("# A\n## B\n- x\n  ```js\n  a\n    b\n\n  ```\n# C\n")

    assert inner == ("B", "js", "a\n  b\n")
