import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.logs.redaction import Redactor


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("via socks5://user:pass@host:1080 now", "via socks5://***@host:1080 now"),
        ("nats://token@host", "nats://***@host"),
        ("GET /ws?token=abcdef&x=1", "GET /ws?token=***&x=1"),
        ("/api?apiKey=abc&signature=def", "/api?apiKey=***&signature=***"),
        ("postgresql://host/db?password=abc", "postgresql://host/db?password=***"),
        ("host=db password=abc dbname=x", "host=db password=*** dbname=x"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("{'authorization': 'Basic abcdef=='}", "{'authorization': '***'}"),
        ("sent Bearer abcdefgh12 to", "sent Bearer *** to"),
        ('{"token": "abc", "name": "x"}', '{"token": "***", "name": "x"}'),
        # These are none.
        ("wss://stream.binance.com/ws/btcusdt@trade", "wss://stream.binance.com/ws/btcusdt@trade"),
        ("wss://h/stream?streams=btcusdt@trade/ethusdt@trade", "wss://h/stream?streams=btcusdt@trade/ethusdt@trade"),
        ("key=spot.3 tokens=4 monkey=x", "key=spot.3 tokens=4 monkey=x"),
        ("the basic information, at user@host", "the basic information, at user@host"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(written: str, shown: str) -> None:
    assert Redactor().text(written) == shown


def test_fields_that_are_called_like_a_secret_are_not_shown() -> None:
    entry = {"time": "t", "message": "m", "token": "abc", "deep": {"password": "abc", "list": ["abc"]}, "tokens": 3}
    assert Redactor().entry(entry) == {
        "time": "t",
        "message": "m",
        "token": "***",
        "deep": {"password": "***", "list": ["abc"]},
        "tokens": 3,
    }


@given(st.text(min_size=4), st.text(), st.text())
def test_a_known_secret_is_found_wherever_it_stands(secret: str, before: str, after: str) -> None:
    redactor = Redactor([secret, secret + "longer"])
    entry = redactor.entry({"message": before + secret + after, "list": [{"a": secret + "longer" + after}]})
    known = {"message": redactor.text(before + "***" + after), "list": [{"a": redactor.text("***" + after)}]}
    assert entry == known or secret in "***" + before + after or secret not in str(entry)


def test_a_short_word_is_no_secret_to_look_for() -> None:
    assert Redactor(["abc", ""]).text("abcd") == "abcd"
