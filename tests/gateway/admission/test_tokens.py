"""What may stand in a tokens file, and that no token is ever in an error."""

import pytest

from fsnats.binance.streams import Market
from gateway.admission.grants import Grant
from gateway.admission.tokens import BadTokens, Pass, read

SECRET = "s3cr3t-s3cr3t-s3cr3t"
OTHER = "0th3r-0th3r-0th3r"


def entry(token: str = SECRET, **fields: object) -> str:
    lines = [f"{name} = {value!r}" for name, value in {"token": token, "name": "research", **fields}.items()]
    return "\n".join(["[[token]]", *lines, ""])


def test_a_token_allows_what_its_entry_says() -> None:
    tokens = read(entry(markets=["spot"], types=["kline"], connections=2, streams=3, requests=4) + entry(OTHER))

    found = tokens.find(SECRET)
    assert found is not None
    assert found.grant == Grant(
        name="research",
        markets=frozenset({Market.SPOT}),
        types=frozenset({"kline"}),
        connections=2,
        streams=3,
        requests=4,
    )
    assert tokens.grant_of(found) == found.grant
    other = tokens.find(OTHER)
    assert other is not None
    assert other.grant == Grant(name="research")


@pytest.mark.parametrize("shown", ["", SECRET[:-1], SECRET + "x", SECRET.upper(), "é", "\udcff", "x" * 100_000])
def test_anything_else_is_not_found(shown: str) -> None:
    assert read(entry()).find(shown) is None


@pytest.mark.parametrize("shown", [SECRET, OTHER, "x"])
def test_every_token_is_compared_and_in_constant_time(monkeypatch: pytest.MonkeyPatch, shown: str) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("gateway.admission.tokens.hmac.compare_digest", compare)
    assert (read(entry() + entry(OTHER)).find(shown) is None) == (shown == "x")
    assert len(compared) == 2
    assert all(len(one) == len(other) == 32 and shown.encode() not in other for one, other in compared)


def test_a_pass_of_a_token_that_is_gone_is_worth_nothing() -> None:
    pass_ = read(entry()).find(SECRET)
    assert pass_ is not None
    assert read(entry(OTHER)).grant_of(pass_) is None
    assert read(entry()).grant_of(Pass(pass_.grant, b"")) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "missing required field `token`"),
        ("token = []", "length >= 1"),
        (f"[[token]]\ntoken = {SECRET}", "not TOML: Invalid value"),
        (f'[[token]]\n"{SECRET}" = 1', "a field other than token, name, markets, types"),
        (f"[[token]]\ntoken = '{SECRET}'", "missing required field `name`"),
        (entry(markets=["forex"]), "Invalid enum value 'forex'"),
        (entry(types=["klines"]), "the token of 'research' names unknown types: klines; there are aggTrade, "),
        (entry(types=[]), "length >= 1"),
        (entry(connections=0), ">= 1"),
        (entry("short"), "the token of 'research' must have at least 16 characters"),
        (entry("with a space in it"), "holds a space"),
        (entry("über-s3cr3t-s3cr3t"), "printable ASCII"),
        (entry() + entry(name="backup"), "the token of 'backup' is that of 'research' too"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_without_its_tokens(text: str, says: str) -> None:
    with pytest.raises(BadTokens) as error:
        read(text)
    assert says in str(error.value)
    assert "s3cr3t" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None
