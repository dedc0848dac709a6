import pytest

from fsnats.errors import Unusable
from fsnats.moments import moment, shown

NOW = 1_795_000_000_000


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("2026-11-01", 1_793_491_200_000),
        ("2026-11-01T12:30", 1_793_536_200_000),
        ("2026-11-01 12:30:00.250", 1_793_536_200_250),
        ("2026-11-01T12:30:00Z", 1_793_536_200_000),
        ("2026-11-01T14:30:00+02:00", 1_793_536_200_000),
        ("1793491200000", 1_793_491_200_000),
        ("30d", NOW - 30 * 86_400_000),
        ("90m", NOW - 90 * 60_000),
        ("now", NOW),
    ],
)
def test_a_moment_is_read_in_every_form(text: str, at_ms: int) -> None:
    assert moment(text, NOW) == at_ms


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "30", "30y", "1793491200", "-5d", "3000-01-01", "1e9"])
def test_what_is_no_moment_is_named(text: str) -> None:
    with pytest.raises(Unusable, match=f"'{text}'"):
        moment(text, NOW)


def test_a_moment_is_shown_without_the_zeros_at_its_end() -> None:
    assert shown(1_793_491_200_000) == "2026-11-01"
    assert shown(1_793_536_200_000) == "2026-11-01 12:30"
    assert shown(1_793_536_205_000) == "2026-11-01 12:30:05"
    assert shown(1_793_536_200_250) == "2026-11-01 12:30:00.250"
