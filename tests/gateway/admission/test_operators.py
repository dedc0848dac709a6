import pytest
from websockets.datastructures import Headers

from gateway.admission.addresses import Proxies
from gateway.admission.grants import EVERYTHING, Grant
from gateway.admission.operators import Rule, why_not

NOBODY = Proxies(())
NGINX = Proxies(["127.0.0.1"])
HERE = [("Host", "localhost:8080")]


def allowed(
    peer: str, *fields: tuple[str, str], rule: Rule = "local", grant: Grant = EVERYTHING, proxies: Proxies = NOBODY
) -> bool:
    return why_not(rule, grant, peer, Headers([*HERE, *fields]), proxies) is None


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.1.1", "::1", "::ffff:127.0.0.1"])
def test_programs_of_this_machine_may(peer: str) -> None:
    assert allowed(peer)
    assert allowed(peer, ("Origin", "http://localhost:8080"), ("Sec-Fetch-Site", "same-origin"))


@pytest.mark.parametrize("peer", ["10.0.0.7", "2001:db8::1", "172.17.0.1", "", "somebody"])
def test_others_may_not_and_are_told_what_would_allow_it(peer: str) -> None:
    reason = why_not("local", EVERYTHING, peer, Headers(HERE), NOBODY)
    assert reason is not None
    assert "FSNATS_GATEWAY_LOGS" in reason
    assert allowed(peer, rule="all")


@pytest.mark.parametrize(
    "field",
    [
        ("X-Forwarded-For", "127.0.0.1"),
        ("Forwarded", "for=10.0.0.7"),
        ("X-Real-IP", "10.0.0.7"),
        ("Via", "1.1 nginx"),
        ("Origin", "https://evil.example"),
        ("Origin", "http://localhost:3000"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
    ],
)
def test_what_only_looks_like_this_machine_may_not(field: tuple[str, str]) -> None:
    assert not allowed("127.0.0.1", field)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "10.0.0.7", "localhost.evil.example", ""])
def test_a_name_that_was_made_to_lead_here_may_not(host: str) -> None:
    assert why_not("local", EVERYTHING, "127.0.0.1", Headers([("Host", host)]), NOBODY) is not None


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "[::1]:8080", "[::1]"])
def test_this_machine_has_several_names(host: str) -> None:
    assert why_not("local", EVERYTHING, "127.0.0.1", Headers([("Host", host)]), NOBODY) is None


def test_behind_a_trusted_proxy_it_counts_whom_that_one_names() -> None:
    assert not allowed("127.0.0.1", ("X-Forwarded-For", "10.0.0.7"), proxies=NGINX)
    assert not allowed("127.0.0.1", ("X-Forwarded-For", "127.0.0.1, 10.0.0.7"), proxies=NGINX)
    assert allowed("127.0.0.1", ("X-Forwarded-For", "127.0.0.1"), proxies=NGINX)
    assert allowed("127.0.0.1", proxies=NGINX)


def test_a_token_must_be_one_for_logs_from_wherever_it_comes() -> None:
    assert allowed("10.0.0.7", grant=Grant(name="operator", logs=True))
    assert not allowed("127.0.0.1", grant=Grant(name="bot"))
    assert not allowed("127.0.0.1", grant=Grant(name="bot"), rule="all")


def test_switched_off_nobody_may() -> None:
    assert not allowed("127.0.0.1", rule="off")
    assert not allowed("127.0.0.1", rule="off", grant=Grant(name="operator", logs=True))
