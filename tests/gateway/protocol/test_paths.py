"""Which dialect each path means that unmodified clients open."""

from http import HTTPStatus
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from gateway.effects import Delivery, OnSlow
from gateway.protocol.forms import Envelope
from gateway.protocol.paths import BinancePath, NativePath, Refusal, read_path
from tests.gateway.protocol.worlds import COINM, EVERY, SPOT, USDM

RAW, COMBINED = False, True


@pytest.mark.parametrize(
    ("target", "market"),
    [("/", SPOT), ("", SPOT), ("//", SPOT), ("/?x=1", SPOT), ("/spot", SPOT), ("/usdm", USDM), ("/coinm/", COINM)],
)
def test_native_at_the_root_and_at_a_bare_market(target: str, market: Market) -> None:
    assert read_path(target, EVERY) == NativePath(market, Envelope.TYPED)


def test_default_market_is_the_first_one_carried() -> None:
    assert read_path("/", (USDM, SPOT)) == NativePath(USDM, Envelope.TYPED)
    assert read_path("/ws", (USDM, SPOT)) == BinancePath(USDM, RAW, (), False)


@pytest.mark.parametrize(
    ("target", "market", "combined", "streams"),
    [
        ("/ws", SPOT, RAW, ()),
        ("/ws/", SPOT, RAW, ()),
        ("/ws/btcusdt@trade", SPOT, RAW, ("btcusdt@trade",)),
        ("/ws/btcusdt@trade/", SPOT, RAW, ("btcusdt@trade",)),
        ("/ws/a@trade/b@trade/c@trade", SPOT, RAW, ("a@trade", "b@trade", "c@trade")),
        ("/ws/btcusdt%40trade", SPOT, RAW, ("btcusdt@trade",)),
        ("/ws/%21miniTicker%40arr", SPOT, RAW, ("!miniTicker@arr",)),
        ("/ws/a%40trade%2Fb%40trade", SPOT, RAW, ("a@trade", "b@trade")),
        ("/ws/0", SPOT, RAW, ()),
        ("/spot/stream/ws/0", SPOT, RAW, ()),
        ("/ws/17", SPOT, RAW, ()),
        ("/ws/stream", SPOT, RAW, ()),
        ("/ws/stream?streams=a@trade", SPOT, RAW, ("a@trade",)),
        ("/stream", SPOT, COMBINED, ()),
        ("/stream/", SPOT, COMBINED, ()),
        ("/stream?streams=", SPOT, COMBINED, ()),
        ("/stream?streams=a@trade/b@depth20@100ms", SPOT, COMBINED, ("a@trade", "b@depth20@100ms")),
        ("/stream?streams=a@trade/", SPOT, COMBINED, ("a@trade",)),
        ("/stream?streams=a%40trade%2Fb%40trade", SPOT, COMBINED, ("a@trade", "b@trade")),
        ("/stream?streams=a@kline_1d@+08:00", SPOT, COMBINED, ("a@kline_1d@+08:00",)),
        ("/stream?streams=a@kline_1d@%2B08:00", SPOT, COMBINED, ("a@kline_1d@+08:00",)),
        ("/stream?streams=a@trade&timeUnit=millisecond", SPOT, COMBINED, ("a@trade",)),
        ("/stream?timeUnit=MILLISECOND&streams=a@trade", SPOT, COMBINED, ("a@trade",)),
        ("/spot/ws/btcusdt@trade", SPOT, RAW, ("btcusdt@trade",)),
        ("/usdm/ws/0", USDM, RAW, ()),
        ("/usdm/stream?streams=btcusdt@markPrice@1s", USDM, COMBINED, ("btcusdt@markPrice@1s",)),
        ("/coinm/ws/btcusd_perp@kline_1m", COINM, RAW, ("btcusd_perp@kline_1m",)),
        ("/usdm/public/ws/0", USDM, RAW, ()),
        ("/usdm/market/ws/2", USDM, RAW, ()),
        ("/public/ws/0", USDM, RAW, ()),
        ("/market/stream?streams=", USDM, COMBINED, ()),
        ("/market/stream?streams=btcusdt@depth", USDM, COMBINED, ("btcusdt@depth",)),
        ("/usdm/stream?timeUnit=MICROSECOND", USDM, COMBINED, ()),  # the futures hosts ignore it
    ],
)
def test_binance_path(target: str, market: Market, combined: bool, streams: tuple[str, ...]) -> None:
    assert read_path(target, EVERY) == BinancePath(market, combined, streams, silent=False)


@pytest.mark.parametrize("target", ["/private/ws/key", "/usdm/private/ws/key", "/private/ws?listenKey=key&events=a/b"])
def test_private_socket_is_silent(target: str) -> None:
    path = read_path(target, EVERY)
    assert isinstance(path, BinancePath)
    assert path.silent
    assert path.market is USDM


@pytest.mark.parametrize(
    "target",
    ["/nope", "/wss", "/WS", "/spot/market/ws", "/coinm/public/stream", "/public", "/usdm/private", "/stream/a"],
)
def test_unknown_path_is_not_found(target: str) -> None:
    path = read_path(target, EVERY)
    assert isinstance(path, Refusal)
    assert path.status == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("target", ["/usdm", "/usdm/ws", "/market/ws"])
def test_market_that_is_not_carried_is_not_found(target: str) -> None:
    path = read_path(target, (SPOT,))
    assert path == Refusal(HTTPStatus.NOT_FOUND, "usdm is not carried here; allowed: spot")


@pytest.mark.parametrize(
    "target",
    ["/ws/a@trade?timeUnit=MICROSECOND", "/stream?streams=a@trade&timeUnit=microsecond", "/?timeUnit=MICROSECOND"],
)
def test_milliseconds_are_never_served_as_microseconds(target: str) -> None:
    path = read_path(target, EVERY)
    assert isinstance(path, Refusal)
    assert path.status == HTTPStatus.BAD_REQUEST
    assert "MICROSECOND" in path.reason


def test_envelope_is_an_option_of_native_paths() -> None:
    assert read_path("/usdm?envelope=combined", EVERY) == NativePath(USDM, Envelope.COMBINED)
    assert read_path("/?envelope=typed", EVERY) == NativePath(SPOT, Envelope.TYPED)
    refused = read_path("/?envelope=xml", EVERY)
    assert refused == Refusal(
        HTTPStatus.BAD_REQUEST, "unknown envelope 'xml'; allowed: typed, combined, normalised, exact"
    )


def test_normalised_is_a_path_of_its_own_with_numbers_or_strings() -> None:
    assert read_path("/normalised", EVERY) == NativePath(Market.SPOT, Envelope.NORMALISED)
    assert read_path("/usdm/normalised?decimal=string", EVERY) == NativePath(Market.USDM, Envelope.EXACT)
    assert read_path("/normalised?decimal=float", EVERY) == Refusal(
        HTTPStatus.BAD_REQUEST, "unknown decimal 'float'; allowed: number, string"
    )
    assert isinstance(read_path("/normalised/ws", EVERY), Refusal)


def test_what_to_do_with_a_slow_client_is_an_option_of_native_paths() -> None:
    assert read_path("/?onSlow=disconnect", EVERY) == NativePath(SPOT, Envelope.TYPED, Delivery(OnSlow.DISCONNECT))
    refused = read_path("/?onSlow=wait", EVERY)
    assert refused == Refusal(HTTPStatus.BAD_REQUEST, "unknown onSlow 'wait'; allowed: gap, disconnect")


def test_a_thousand_streams_in_one_url() -> None:
    names = tuple(f"s{number}usdt@kline_1m" for number in range(1000))
    path = read_path("/stream?streams=" + "/".join(names), EVERY)
    assert path == BinancePath(SPOT, COMBINED, names, silent=False)


def test_names_outside_ascii_are_utf8_however_they_arrive() -> None:
    name = "我踏马来了usdt@trade"
    undecoded = name.encode().decode("ascii", "surrogateescape")  # as HTTP parsers hand over raw bytes
    for spelled in (quote(name), undecoded):
        assert read_path("/ws/" + spelled, EVERY) == BinancePath(SPOT, RAW, (name,), silent=False)


@given(st.text() | st.text("/ws?&=%stream+@!01"))
def test_any_target_is_answered(target: str) -> None:
    read_path(target, EVERY)
    read_path("/" + target, EVERY)
