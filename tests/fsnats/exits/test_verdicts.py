import pytest

from fsnats.errors import ExchangeUnavailable
from fsnats.exits.verdicts import BAN_MOST, REACTIONS, Verdict, asked_to_wait, verdict_on, wants_login


@pytest.mark.parametrize(
    ("stage", "status", "verdict"),
    [
        ("tcp", None, Verdict.UNREACHABLE),
        ("dns", None, Verdict.UNREACHABLE),
        ("tls", None, Verdict.UNREACHABLE),
        ("http", None, Verdict.UNREACHABLE),
        ("proxy", None, Verdict.UNREACHABLE),
        ("proxy", 502, Verdict.UNREACHABLE),
        ("proxy", 407, Verdict.LOGIN),
        ("proxy", 401, Verdict.LOGIN),
        ("proxy", 403, Verdict.BARRED),
        ("proxy", 405, Verdict.BARRED),
        ("proxy", 451, Verdict.UNREACHABLE),
        ("http", 403, Verdict.FORBIDDEN),
        ("http", 418, Verdict.BANNED),
        ("http", 429, Verdict.LIMITED),
        ("http", 451, Verdict.UNSERVED),
        ("http", 503, None),
        ("http", 404, None),
        ("json", None, None),
    ],
)
def test_what_a_failure_says_of_its_exit(stage: str, status: int | None, verdict: Verdict | None) -> None:
    assert verdict_on(ExchangeUnavailable(stage, "…", status=status)) is verdict


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ([], None),
        (["7"], 7.0),
        (["5", "9"], 9.0),
        (["Wed, 21 Oct 2026 07:28:00 GMT", "3"], 3.0),
        (["0"], None),  # whoever is banned does not come back at once for that
        (["-1", "1.5", "²", "٣", ""], None),
        (["9" * 400], BAN_MOST),
    ],
)
def test_only_whole_seconds_are_heeded_and_nobody_stays_away_for_ever(told: list[str], seconds: float | None) -> None:
    assert asked_to_wait(told) == seconds


def test_every_verdict_has_its_reaction() -> None:
    assert REACTIONS.keys() == set(Verdict)
    assert all(0 < reaction.first <= reaction.most for reaction in REACTIONS.values())


@pytest.mark.parametrize(
    ("words", "login"),
    [
        ("Username and password authentication failure", True),
        ("No acceptable authentication methods were offered", True),
        ("Invalid username/password", True),
        ("Requested NO AUTH from proxy server, but got NO ACCEPTABLE METHODS.", True),
        ("Connection refused by destination host", False),
        ("Proxy Server could not connect: Host unreachable.", False),
    ],
)
def test_libraries_words_for_a_refused_login_are_known(words: str, login: bool) -> None:
    assert wants_login(words) is login
