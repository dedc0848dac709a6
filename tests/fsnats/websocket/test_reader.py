"""The reader against a library's: whatever the bytes and however they are cut, both understand the same."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame
from websockets.frames import Opcode as LibraryOpcode
from websockets.protocol import Protocol, Side, State

from fsnats.websocket import frames
from fsnats.websocket.reader import INVALID_DATA, PROTOCOL_ERROR, TOO_BIG, Broken, Opcode, Reader
from tests.fsnats.websocket.cases import CLOSE, CONT, PING, PONG, TEXT, closing, frame

Items = list[tuple[int, bytes]]

MOST = 300  # bytes of a message


def understood(pieces: list[bytes]) -> tuple[Items, int | None]:
    """What was complete before the end or a close, and the code of what broke the protocol."""
    reader = Reader(MOST)
    items: Items = []
    try:
        for piece in pieces:
            for opcode, data in reader.feed(piece):
                if opcode is not Opcode.CONTINUATION:
                    items.append((int(opcode), data))
                if opcode is Opcode.CLOSE:
                    return items, None
    except Broken as broken:
        return items, broken.code
    return items, None


def understood_by_the_library(data: bytes) -> tuple[Items, int | None]:
    protocol = Protocol(Side.SERVER, state=State.OPEN, max_size=MOST)
    protocol.receive_data(data)
    items: Items = []
    message, kind = b"", LibraryOpcode.TEXT
    for each in protocol.events_received():
        assert isinstance(each, Frame)
        if each.opcode in (LibraryOpcode.TEXT, LibraryOpcode.BINARY, LibraryOpcode.CONT):
            if each.opcode is not LibraryOpcode.CONT:
                message, kind = b"", each.opcode
            message += each.data
            if each.fin:
                if kind is LibraryOpcode.TEXT:
                    try:
                        message.decode()
                    except UnicodeDecodeError:
                        return items, INVALID_DATA
                items.append((int(kind), message))
        else:
            items.append((int(each.opcode), bytes(each.data)))
    sent = protocol.close_sent
    if sent is not None and sent.reason == "incomplete fragmented message":  # it minds a close inside one, we do not
        assert protocol.close_rcvd is not None
        code = b"" if protocol.close_rcvd.code == 1005 else protocol.close_rcvd.code.to_bytes(2)
        return [*items, (CLOSE, code + protocol.close_rcvd.reason.encode())], None
    return items, None if sent is None or protocol.close_rcvd_then_sent else int(sent.code)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


texts = st.text(max_size=150).map(str.encode)
good = st.one_of(
    st.builds(frame, st.sampled_from([TEXT, 2]), texts),
    st.builds(lambda parts: b"".join(_fragments(parts)), st.lists(texts, min_size=2, max_size=4)),
    st.builds(frame, st.sampled_from([PING, PONG]), st.binary(max_size=125)),
    st.builds(closing, st.sampled_from([1000, 1001, 3000, 4999]), st.text(max_size=20).map(str.encode)),
)
odd = st.builds(
    frame, st.integers(0, 15), st.binary(max_size=400), fin=st.booleans(), rsv=st.sampled_from([0, 0, 0, 1, 2, 4])
)
unmasked = st.builds(frames.text, texts)
streams = st.lists(st.one_of(good, good, good, good, odd, unmasked, st.binary(max_size=20)), max_size=8).map(b"".join)
places = st.lists(st.integers(0, 10_000), max_size=12)


def _fragments(parts: list[bytes]) -> list[bytes]:
    last = len(parts) - 1
    return [frame(TEXT if at == 0 else CONT, part, fin=at == last) for at, part in enumerate(parts)]


@given(streams, places)
@example(frame(TEXT, b"x" * 126) + frame(TEXT, b"y" * 125), [1, 2, 3, 4, 5, 6, 7, 8, 9])
def test_however_bytes_are_cut_the_same_is_understood(data: bytes, at: list[int]) -> None:
    assert understood(cut(data, at)) == understood([data])


@given(streams)
@example(frame(TEXT, b"a", fin=False) + frame(CLOSE))
@example(frame(TEXT, b"a", rsv=4))
@example(closing(1005))
@example(frame(TEXT, b"\xff", fin=False) + frame(CONT, b"x" * 400))
def test_the_library_understands_the_same(data: bytes) -> None:
    ours = understood([data])
    # Ours minds what is wrong with a frame as soon as its header says so, the library when it has come.
    theirs = understood_by_the_library(data + bytes(2 * MOST) if ours[1] else data)
    if TOO_BIG in (ours[1], theirs[1]):
        assert theirs[0] == ours[0]
        assert None not in (ours[1], theirs[1])  # of two faults in one frame either may be named
    else:
        assert ours == theirs


@given(st.binary(max_size=300), places)
def test_any_bytes_are_read_or_refused(data: bytes, at: list[int]) -> None:
    assert understood(cut(data, at)) == understood([data])


def test_a_message_that_is_too_long_is_refused_before_it_has_come() -> None:
    header = frame(TEXT, b"x" * (MOST + 1))[:4]
    assert understood([header]) == ([], TOO_BIG)
    begun = frame(TEXT, b"x" * MOST, fin=False)
    assert understood([begun + frame(CONT, b"y")[:2]]) == ([], TOO_BIG)
    assert understood([begun + frame(CONT)]) == ([(TEXT, b"x" * MOST)], None)


def test_a_length_beyond_all_memory_is_refused() -> None:
    assert understood([b"\x81\xff" + b"\xff" * 8]) == ([], TOO_BIG)


def deflated(message: bytes) -> bytes:
    return bytes(PerMessageDeflate(True, True, 15, 15).encode(Frame(LibraryOpcode.TEXT, message)).data)


def agreed(*pieces: bytes) -> tuple[Items, int | None]:
    reader = Reader(MOST)
    reader.deflates = True
    items: Items = []
    try:
        for piece in pieces:
            items += [(int(opcode), data) for opcode, data in reader.feed(piece) if opcode is not Opcode.CONTINUATION]
    except Broken as broken:
        return items, broken.code
    return items, None


def test_compressed_messages_are_read_whole_and_in_fragments_between_others() -> None:
    data = deflated(b"a message" * 20)
    fragments = frame(TEXT, data[:5], fin=False, rsv=4) + frame(PING) + frame(CONT, data[5:])
    plain = frame(TEXT, b"plain")
    whole = (TEXT, b"a message" * 20)
    assert agreed(frame(TEXT, data, rsv=4) + plain + fragments + plain) == (
        [whole, (TEXT, b"plain"), (PING, b""), whole, (TEXT, b"plain")],
        None,
    )


def test_what_is_compressed_in_the_wrong_way_is_refused() -> None:
    data = deflated(b"x" * 100)
    begun = frame(TEXT, data[:5], fin=False, rsv=4)
    assert agreed(frame(TEXT, data, rsv=6)) == ([], PROTOCOL_ERROR)
    assert agreed(begun + frame(CONT, data[5:], rsv=4)) == ([], PROTOCOL_ERROR)
    assert agreed(frame(PING, data, rsv=4)) == ([], PROTOCOL_ERROR)
    assert agreed(frame(TEXT, b"\xff" * 20, rsv=4)) == ([], INVALID_DATA)
    assert agreed(frame(TEXT, deflated(b"\xff" * 20), rsv=4)) == ([], INVALID_DATA)  # not UTF-8
    assert agreed(frame(TEXT, deflated(b"x" * (MOST + 1)), rsv=4)) == ([], TOO_BIG)
    assert understood([frame(TEXT, data, rsv=4)]) == ([], PROTOCOL_ERROR)  # nobody agreed to it


def test_fragments_are_told_as_they_come_also_empty_ones() -> None:
    begun = frame(TEXT, b"a", fin=False) + frame(CONT, b"", fin=False) * 2
    more = (Opcode.CONTINUATION, b"")
    assert list(Reader(MOST).feed(begun + frame(CONT, b"b"))) == [more, more, more, (Opcode.TEXT, b"ab")]
