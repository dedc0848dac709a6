"""permessage-deflate, held to the library that most of its readers use."""

import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, PerMessageDeflate
from websockets.frames import Frame, Opcode

from fsnats.websocket.deflate import BYTES_MIN, Deflater, TooLong, Unreadable, agree, inflate
from fsnats.websocket.frames import text

PLAIN = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


@pytest.mark.parametrize(
    ("offers", "answer"),
    [
        (["permessage-deflate"], PLAIN),
        (["permessage-deflate; client_max_window_bits"], PLAIN),  # browsers
        (
            ["permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"],
            f"{PLAIN}; server_max_window_bits=12",
        ),
        (["Permessage-Deflate ; Client_No_Context_Takeover;server_no_context_takeover"], PLAIN),
        (['permessage-deflate; server_max_window_bits="15"'], f"{PLAIN}; server_max_window_bits=12"),
        (["permessage-deflate; server_max_window_bits=9, permessage-deflate"], PLAIN),
        (["x-webkit-deflate-frame", "permessage-deflate"], PLAIN),
        ([], None),
        ([""], None),
        (["permessage-bzip2"], None),
        (["permessage-deflate; server_max_window_bits=9"], None),
        (["permessage-deflate; server_max_window_bits"], None),
        (["permessage-deflate; server_max_window_bits=16"], None),
        (["permessage-deflate; server_max_window_bits=012"], None),
        (["permessage-deflate; client_max_window_bits=7"], None),
        (["permessage-deflate; client_no_context_takeover=1"], None),
        (["permessage-deflate; something_else"], None),
        (["permessage-deflate; client_max_window_bits; client_max_window_bits"], None),
    ],
)
def test_what_is_agreed(offers: list[str], answer: str | None) -> None:
    assert agree(offers) == answer


@given(st.lists(st.text(max_size=60), max_size=3))
def test_whatever_is_offered_something_is_answered_or_nothing(offers: list[str]) -> None:
    agree(offers)


@pytest.mark.parametrize("bits", [None, 12, 13, 15])
def test_the_library_takes_the_answer_to_its_own_offer(bits: int | None) -> None:
    factory = ClientPerMessageDeflateFactory(server_max_window_bits=bits, client_max_window_bits=bits or True)
    wanted = (f"{name}={value}" if value else name for name, value in factory.get_request_params())
    offer = "; ".join([factory.name, *wanted])
    answer = agree([offer])
    assert answer is not None
    _, *parameters = answer.split("; ")
    pairs = [(name, value or None) for name, _, value in (each.partition("=") for each in parameters)]
    assert factory.process_response_params(pairs, []).remote_no_context_takeover


def library() -> PerMessageDeflate:
    """The reading side of a client that agreed."""
    return PerMessageDeflate(True, True, 12, 15)


def body(frame: bytes) -> tuple[int, bytes]:
    """The first byte and the payload of a finished frame."""
    at = {126: 4, 127: 10}.get(frame[1], 2)
    return frame[0], frame[at:]


messages = st.binary(max_size=400) | st.text('{}[]:,"0123456789abc', max_size=3000).map(str.encode)


@given(st.lists(messages, max_size=5), st.data())
def test_every_message_can_be_read_by_whoever_reads_it_first(sent: list[bytes], data: st.DataObject) -> None:
    deflater = Deflater()
    frames = [(message, deflater.text(message)) for message in sent]
    for message, frame in data.draw(st.permutations(frames)):
        first, payload = body(frame)
        assert len(frame) <= len(text(message))
        if first == 0x81:
            assert payload == message
        else:
            assert first == 0xC1
            read = library().decode(Frame(Opcode.TEXT, payload, rsv1=True), max_size=10_000)
            assert read.data == message


def test_short_messages_and_those_that_do_not_shrink_are_sent_as_they_are() -> None:
    short, noise = b"x" * (BYTES_MIN - 1), bytes(range(256)) * 2
    for message in (b"", short, noise[:256]):
        assert Deflater().text(message) == text(message)


def test_market_data_shrinks() -> None:
    message = b'{"e":"aggTrade","s":"BTCUSDT","p":"16500.00000000","q":"0.01000000"}' * 5
    assert len(Deflater().text(message)) < len(message) / 2


def test_a_message_like_the_one_before_is_read_by_who_never_read_that() -> None:
    deflater = Deflater()
    for price in range(5):
        message = b'{"e":"aggTrade","s":"BTCUSDT","p":"1650%d.00000000","q":"0.01000000"}' % price * 3
        assert inflate(body(deflater.text(message))[1], 1000) == message


@given(messages)
def test_what_the_library_compresses_is_inflated(message: bytes) -> None:
    frame = PerMessageDeflate(True, True, 15, 15).encode(Frame(Opcode.TEXT, message))
    assert inflate(bytes(frame.data), 3000) == message


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    deflating = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = deflating.compress(b"x" * 50_000_000) + deflating.flush(zlib.Z_SYNC_FLUSH)
    tracemalloc.start()
    try:
        with pytest.raises(TooLong):
            inflate(bomb[:-4], 1000)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000  # bytes
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=200))
def test_any_bytes_are_inflated_or_refused(data: bytes) -> None:
    try:
        assert len(inflate(data, 500)) <= 500
    except (Unreadable, TooLong):
        pass
