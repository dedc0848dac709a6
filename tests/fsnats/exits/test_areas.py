import pytest

from fsnats.exits.areas import EVERYTHING, HANDSHAKES, needed, ruled_out
from fsnats.exits.pool import FUTURES, SPOT
from fsnats.exits.verdicts import Verdict

STREAMS, REST = "stream.binance.com", "api.binance.com"


@pytest.mark.parametrize(
    ("verdict", "of_handshake", "of_rest"),
    [
        (Verdict.UNREACHABLE, STREAMS, REST),
        (Verdict.LOGIN, EVERYTHING, EVERYTHING),
        (Verdict.BARRED, STREAMS, REST),
        (Verdict.FORBIDDEN, HANDSHAKES, "REST of api.binance.com"),
        (Verdict.LIMITED, HANDSHAKES, "REST of spot"),
        (Verdict.BANNED, EVERYTHING, "REST of spot"),
        (Verdict.UNSERVED, STREAMS, REST),
    ],
)
def test_what_a_failure_rules_out(verdict: Verdict, of_handshake: str, of_rest: str) -> None:
    assert ruled_out(verdict, STREAMS, "") == of_handshake
    assert ruled_out(verdict, REST, SPOT) == of_rest


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("scope", ["", SPOT, FUTURES])
def test_whoever_failed_does_not_try_the_same_again(verdict: Verdict, scope: str) -> None:
    assert ruled_out(verdict, "h", scope) in needed("h", scope)


@pytest.mark.parametrize("verdict", [Verdict.LIMITED, Verdict.BANNED, Verdict.FORBIDDEN])
def test_what_rest_earned_is_not_the_handshakes_even_on_one_host(verdict: Verdict) -> None:
    assert ruled_out(verdict, "h", SPOT) not in needed("h", "")


def test_a_ban_from_handshakes_is_a_ban_from_all() -> None:
    for scope in ("", SPOT, FUTURES):
        assert ruled_out(Verdict.BANNED, "h", "") in needed("another", scope)


def test_spot_and_futures_have_limits_of_their_own() -> None:
    assert ruled_out(Verdict.LIMITED, "h", SPOT) not in needed("h", FUTURES)
