import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.errors import Unusable
from fsnats.logs.cursor import read, written
from fsnats.logs.names import FileName

NAMES = st.builds(FileName, st.dates().map(str), st.integers(0, 99), st.sampled_from(["gateway", "gateway~2", "nats"]))


@given(st.dictionaries(NAMES, st.integers(0, 2**40), max_size=20))
def test_a_cursor_is_read_as_it_was_written(ends: dict[FileName, int]) -> None:
    assert read(written(ends)) == ends


@given(st.text() | st.binary().map(lambda data: data.hex()))
def test_any_other_text_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(Unusable, match="no cursor"):
        read(text + "!")


@pytest.mark.parametrize(
    "told", ['{"../../etc/passwd":0}', '{"/etc/x.2026-11-20.jsonl":0}', '{"x.2026-11-20.jsonl":-1}']
)
def test_a_cursor_leads_nowhere_else(told: str) -> None:
    from base64 import urlsafe_b64encode

    with pytest.raises(Unusable):
        read(urlsafe_b64encode(told.encode()).decode())
