import io

import pytest

from fsnats.colours import are_shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({}, True),
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),  # as https://no-color.org has it: not an empty string
        ({"TERM": "xterm", "NO_COLOR": "0"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "unknown"}, False),
    ],
)
def test_colours_are_for_terminals_that_have_them_and_people_who_want_them(
    environ: dict[str, str], shown: bool
) -> None:
    assert are_shown(Terminal(), environ) is shown
    assert not are_shown(io.StringIO(), environ)
