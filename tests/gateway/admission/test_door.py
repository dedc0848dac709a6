"""Who is let in."""

from http import HTTPStatus

import pytest
from websockets.datastructures import Headers

from gateway.admission.addresses import Proxies
from gateway.admission.door import NOBODY, Door, Guest, Rules
from gateway.admission.tokens import Pass, Tokens, read
from gateway.protocol.paths import Refusal

TOKEN = "s3cr3t/s3cr3t+s3cr3t"
TOKENS = read(f"[[token]]\nname = 'bot'\ntoken = '{TOKEN}'\nconnections = 2\n")
HOME = "203.0.113.9"


def door(rules: Rules | None = None, tokens: Tokens | None = None) -> Door:
    return Door(rules or Rules(), lambda: tokens)


def admit(door: Door, target: str = "/", *, peer: str = HOME, **headers: str) -> Guest | Refusal:
    return door.admit(target, Headers({name.replace("_", "-"): value for name, value in headers.items()}), peer)


def enter(door: Door, target: str = "/", *, peer: str = HOME, **headers: str) -> Guest:
    guest = admit(door, target, peer=peer, **headers)
    assert isinstance(guest, Guest), guest
    door.entered(guest)
    return guest


def test_without_rules_and_tokens_everybody_is_let_in_whatever_they_show() -> None:
    assert admit(door()) == NOBODY
    assert admit(door(), "/?token=x", Authorization="Bearer y", Origin="https://evil.example") == NOBODY


@pytest.mark.parametrize(
    ("target", "header"),
    [
        ("/", f"Bearer {TOKEN}"),
        ("/", f"bearer  {TOKEN} "),
        ("/ws/btcusdt@trade?token=s3cr3t/s3cr3t+s3cr3t", None),
        ("/?token=s3cr3t%2Fs3cr3t%2Bs3cr3t&x=1", None),
        ("/?token=wrong", f"Bearer {TOKEN}"),
        (f"/?token={TOKEN}", "Basic abc"),
    ],
)
def test_a_token_may_be_in_the_header_or_in_the_url_and_the_header_wins(target: str, header: str | None) -> None:
    guest = enter(door(tokens=TOKENS), target, **({"Authorization": header} if header else {}))
    assert isinstance(guest.pass_, Pass)
    assert guest.pass_.grant.name == "bot"


@pytest.mark.parametrize(
    ("target", "header", "reason"),
    [
        ("/", None, "a token is needed"),
        ("/?token", "Basic abc", "not valid"),
        ("/?token=", None, "not valid"),
        (f"/?token={TOKEN}", "Bearer wrong", "not valid"),
        ("/?token=wrong", None, "not valid"),
    ],
)
def test_without_a_valid_token_nobody_is_let_in(target: str, header: str | None, reason: str) -> None:
    refusal = admit(door(tokens=TOKENS), target, **({"Authorization": header} if header else {}))
    assert isinstance(refusal, Refusal)
    assert refusal.status is HTTPStatus.UNAUTHORIZED
    assert reason in refusal.reason
    assert "wrong" not in refusal.reason


def test_a_token_has_as_many_connections_as_it_may() -> None:
    it = door(tokens=TOKENS)
    first, second = enter(it, f"/?token={TOKEN}"), enter(it, f"/?token={TOKEN}")
    assert it.names == {"bot": 2}

    assert admit(it, f"/?token={TOKEN}") == Refusal(
        HTTPStatus.TOO_MANY_REQUESTS, "'bot' has 2 connections, and may not have more"
    )
    it.left(first)
    assert isinstance(admit(it, f"/?token={TOKEN}"), Guest)
    it.left(second)
    assert it.names == {}


def test_a_full_gateway_refuses_until_somebody_leaves() -> None:
    it = door(Rules(connections=2))
    guest = enter(it)
    enter(it, peer="198.51.100.1")

    assert admit(it) == Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "this gateway is full: 2 connections")
    it.left(guest)
    enter(it)


def test_an_address_has_as_many_connections_as_it_may_and_another_is_not_hurt() -> None:
    it = door(Rules(connections_per_address=1))
    guest = enter(it)

    reason = "1 connections from 203.0.113.9, and there may not be more"
    assert admit(it) == Refusal(HTTPStatus.TOO_MANY_REQUESTS, reason)
    enter(it, peer="198.51.100.1")
    it.left(guest)
    enter(it)


def test_behind_a_trusted_proxy_the_clients_own_address_counts() -> None:
    it = door(Rules(connections_per_address=1, proxies=Proxies(["127.0.0.1"])))
    enter(it, peer="127.0.0.1", X_Forwarded_For="6.6.6.6, 1.2.3.4")

    assert isinstance(admit(it, peer="127.0.0.1", X_Forwarded_For="7.7.7.7, 1.2.3.4"), Refusal)
    assert isinstance(admit(it, peer="127.0.0.1", X_Forwarded_For="1.2.3.5"), Guest)


def test_pages_of_other_origins_are_refused_and_programs_have_none() -> None:
    it = door(Rules(origins=["https://app.example.com/", "http://localhost:3000"]))
    for origin in ("https://app.example.com", "https://APP.example.com", "http://localhost:3000"):
        enter(it, Origin=origin)
    enter(it)

    for origin in ("http://app.example.com", "https://example.com", "https://app.example.com.evil.example", "null"):
        assert admit(it, Origin=origin) == Refusal(HTTPStatus.FORBIDDEN, f"pages of '{origin}' may not read here")


def test_a_visit_takes_no_place_and_needs_none_but_shows_its_token() -> None:
    full = door(Rules(connections=1, connections_per_address=1), TOKENS)
    enter(full, f"/?token={TOKEN}")
    assert isinstance(full.visit("/", Headers({"Authorization": f"Bearer {TOKEN}"}), HOME), Guest)
    refused = full.visit("/", Headers(), HOME)
    assert isinstance(refused, Refusal)
    assert refused.status == HTTPStatus.UNAUTHORIZED
    assert full.names == {"bot": 1}
