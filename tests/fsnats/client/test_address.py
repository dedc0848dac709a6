import pytest

from fsnats.client.address import Address, address_of, headers_of
from fsnats.errors import Unusable


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ws://h:8080", Address("ws://h:8080/?seq=1", "http://h:8080", "h:8080")),
        ("http://h:8080/", Address("ws://h:8080/?seq=1", "http://h:8080", "h:8080")),
        ("wss://h", Address("wss://h/?seq=1", "https://h", "h")),
        ("https://h/data/", Address("wss://h/data/?seq=1", "https://h/data", "h/data")),
        ("ws://h/usdm", Address("ws://h/?seq=1", "http://h", "h")),
        ("ws://h/data/spot/", Address("ws://h/data/?seq=1", "http://h/data", "h/data")),
        ("ws://u:p@h", Address("ws://u:p@h/?seq=1", "http://u:p@h", "h")),
        ("ws://[::1]:8080", Address("ws://[::1]:8080/?seq=1", "http://[::1]:8080", "[::1]:8080")),
    ],
)
def test_one_url_leads_to_streams_and_candles(url: str, address: Address) -> None:
    assert address_of(url) == address


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://x", "'ftp://x': not a ws://"),
        ("localhost:8080", "'localhost:8080': not a ws://"),
        ("", "'': not a ws://"),
        ("ws://", "not a ws://"),
        ("ws://h:0", "not a ws://"),
        ("ws://h:99999", "its host or its port"),
        ("ws://h:x", "its host or its port"),
        ("ws://h?token=secret", "a token is the argument 'token'"),
        ("ftp://u:secret@h?token=secret", "'h': not a ws://"),
        ("ws://h/ws", "without '/ws'"),
        ("ws://h/usdm/stream", "without '/stream'"),
        ("ws://h/normalised", "without '/normalised'"),
    ],
)
def test_what_is_no_gateways_url_is_refused_without_its_secrets(url: str, said: str) -> None:
    with pytest.raises(Unusable, match=said) as refused:
        address_of(url)
    assert "secret" not in str(refused.value)


def test_a_token_is_shown_as_it_is_or_refused_without_being_repeated() -> None:
    assert headers_of("") == {}
    assert headers_of("0123456789abcdef") == {"Authorization": "Bearer 0123456789abcdef"}
    for wrong in ("secret\n", "sécret"):
        with pytest.raises(Unusable, match="'token' is none") as refused:
            headers_of(wrong)
        assert "cret" not in str(refused.value)
