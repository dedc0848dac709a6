"""Who is let in."""

from http import HTTPStatus

import pytest
from websockets.datastructures import Headers

from gateway.admission.door import Door
from gateway.admission.grants import EVERYTHING
from gateway.admission.tokens import Pass, Tokens, read
from gateway.protocol.paths import Refusal

TOKEN = "s3cr3t/s3cr3t+s3cr3t"
TOKENS = read(f"[[token]]\nname = 'bot'\ntoken = '{TOKEN}'\nconnections = 2\n")


def door(tokens: Tokens | None = TOKENS) -> Door:
    return Door(lambda: tokens)


def admit(door: Door, target: str = "/", **headers: str) -> Pass | Refusal:
    return door.admit(target, Headers({name.replace("_", "-"): value for name, value in headers.items()}))


def test_without_tokens_everybody_is_let_in_whatever_they_show() -> None:
    assert admit(door(None)) == Pass(EVERYTHING, b"")
    assert admit(door(None), "/?token=x", Authorization="Bearer y") == Pass(EVERYTHING, b"")


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
    found = admit(door(), target, **({"Authorization": header} if header else {}))
    assert isinstance(found, Pass)
    assert found.grant.name == "bot"


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
    refusal = admit(door(), target, **({"Authorization": header} if header else {}))
    assert isinstance(refusal, Refusal)
    assert refusal.status is HTTPStatus.UNAUTHORIZED
    assert reason in refusal.reason
    assert "wrong" not in refusal.reason


def test_a_token_has_as_many_connections_as_it_may() -> None:
    it = door()
    passes = []
    for _ in range(2):
        pass_ = admit(it, f"/?token={TOKEN}")
        assert isinstance(pass_, Pass)
        it.entered(pass_)
        passes.append(pass_)
    assert it.inside == {"bot": 2}

    assert admit(it, f"/?token={TOKEN}") == Refusal(
        HTTPStatus.TOO_MANY_REQUESTS, "'bot' has 2 connections, and may not have more"
    )
    it.left(passes[0])
    assert isinstance(admit(it, f"/?token={TOKEN}"), Pass)
    it.left(passes[1])
    assert it.inside == {}
