import pytest

from fsnats.errors import ExchangeUnavailable
from fsnats.exits.verdicts import REACTIONS, Verdict, verdict_on, wants_login


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
