"""What a WebSocket server must do with what a client may send, case by case: an echo server is expected.

The cases are those of RFC 6455 that the Autobahn test suite made the field's common measure, under its numbers
(that suite itself runs on Python 2 only).  Each is data: frames to send, in pieces of a size, what comes back, and how
the connection ends.
"""

import struct
from collections.abc import Iterator

import msgspec

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x37\xfa\x21\x3d"  # RFC 6455, section 5.7

Message = tuple[int, bytes]


class Case(msgspec.Struct, frozen=True):
    """`ends` holds the close codes that are right; empty where the client closes with 1000 afterwards."""

    number: str
    what: str
    sent: list[bytes]
    back: list[Message] = []
    ends: frozenset[int] = frozenset()
    piece: int = 0  # bytes written at once; 0 is everything
    overtaken: bool = False  # the close may overtake the answers: how an implementation closes is its own affair


PROTOCOL_ERROR = frozenset({1002})
NOT_UTF8 = frozenset({1007})


def frame(opcode: int, data: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """A masked frame, legal or not."""
    head = bytes([fin << 7 | rsv << 4 | opcode])
    if len(data) < 126:
        head += bytes([0x80 | len(data)])
    elif len(data) < 65536:
        head += struct.pack("!BH", 0x80 | 126, len(data))
    else:
        head += struct.pack("!BQ", 0x80 | 127, len(data))
    key = int.from_bytes((MASK * (len(data) // 4 + 1))[: len(data)])
    return head + MASK + (int.from_bytes(data) ^ key).to_bytes(len(data))


def closing(code: int, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


def fragments(opcode: int, data: bytes, size: int) -> list[bytes]:
    """One message in several frames."""
    parts = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
    return [
        frame(opcode if number == 0 else CONT, part, fin=number == len(parts) - 1) for number, part in enumerate(parts)
    ]


def framing() -> Iterator[Case]:
    for section, opcode, unit in ((1, TEXT, b"*"), (2, BINARY, b"\xfe")):
        for number, size in enumerate((0, 125, 126, 127, 128, 65535, 65536), start=1):
            data = unit * size
            yield Case(f"1.{section}.{number}", f"{size} bytes", [frame(opcode, data)], [(opcode, data)])
        data = unit * 65536
        yield Case(f"1.{section}.8", "65536 bytes in pieces", [frame(opcode, data)], [(opcode, data)], piece=997)


def pings() -> Iterator[Case]:
    yield Case("2.1", "an empty ping", [frame(PING)], [(PONG, b"")])
    yield Case("2.2", "a ping with text", [frame(PING, b"Hello, world!")], [(PONG, b"Hello, world!")])
    data = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
    yield Case("2.3", "a ping with bytes", [frame(PING, data)], [(PONG, data)])
    data = b"\xfe" * 125
    yield Case("2.4", "the longest ping", [frame(PING, data)], [(PONG, data)])
    yield Case("2.5", "a ping that is too long", [frame(PING, b"\xfe" * 126)], ends=PROTOCOL_ERROR)
    yield Case("2.6", "the longest ping, byte by byte", [frame(PING, data)], [(PONG, data)], piece=1)
    yield Case("2.7", "a pong that nobody asked for", [frame(PONG)])
    yield Case("2.8", "such a pong with a payload", [frame(PONG, b"unasked")])
    yield Case("2.9", "such a pong, then a ping", [frame(PONG, b"unasked"), frame(PING, b"ping")], [(PONG, b"ping")])
    ten = [b"payload-%d" % number for number in range(10)]
    for number, piece in (("2.10", 0), ("2.11", 1)):
        yield Case(
            number, "ten pings", [frame(PING, each) for each in ten], [(PONG, each) for each in ten], piece=piece
        )


def reserved() -> Iterator[Case]:
    hello, ping = frame(TEXT, b"Hello, world!"), frame(PING)
    echo = [(TEXT, b"Hello, world!")]
    yield Case("3.1", "bit 1 with text", [frame(TEXT, b"Hello, world!", rsv=4)], ends=PROTOCOL_ERROR)
    for number, piece in (("3.2", 0), ("3.3", 10_000), ("3.4", 1)):
        sent = [hello, frame(TEXT, b"Hello, world!", rsv=2), ping]
        yield Case(number, "bit 2 in the second message", sent, echo, PROTOCOL_ERROR, piece)
    yield Case("3.5", "bits 1 and 3 with bytes", [frame(BINARY, b"\xff\x00", rsv=5)], ends=PROTOCOL_ERROR)
    yield Case("3.6", "bits in a ping", [frame(PING, b"ping", rsv=6)], ends=PROTOCOL_ERROR)
    yield Case("3.7", "bits in a close", [frame(CLOSE, b"\x03\xe8", rsv=7)], ends=PROTOCOL_ERROR)


def opcodes() -> Iterator[Case]:
    hello, echo = frame(TEXT, b"Hello"), [(TEXT, b"Hello")]
    for section, unknown in ((1, (3, 4, 5, 6, 7)), (2, (11, 12, 13, 14, 15))):
        for number, opcode in enumerate(unknown, start=1):
            data = b"" if number % 2 else b"payload"
            first = [hello] if number > 2 else []
            yield Case(
                f"4.{section}.{number}",
                f"opcode {opcode}",
                [*first, frame(opcode, data), frame(PING)],
                echo if first else [],
                PROTOCOL_ERROR,
                piece=1 if number == 5 else 0,
            )


def fragmentation() -> Iterator[Case]:
    first, second = b"fragment1", b"fragment2"
    begin, end = frame(TEXT, first, fin=False), frame(CONT, second)
    whole = (TEXT, first + second)
    lost, on = frame(CONT, b"nothing to continue"), frame(CONT, b"nothing to continue", fin=False)
    hello = frame(TEXT, b"Hello")
    yield Case("5.1", "a ping in two", [frame(PING, first, fin=False), end], ends=PROTOCOL_ERROR)
    yield Case("5.2", "a pong in two", [frame(PONG, first, fin=False), end], ends=PROTOCOL_ERROR)
    for number, piece in (("5.3", 0), ("5.4", 16), ("5.5", 1)):
        yield Case(number, "a text in two", [begin, end], [whole], piece=piece)
    for number, piece in (("5.6", 0), ("5.7", 16), ("5.8", 1)):
        sent = [begin, frame(PING, b"ping"), end]
        yield Case(number, "a ping between two fragments", sent, [(PONG, b"ping"), whole], piece=piece)
    for number, piece, stray in (
        ("5.9", 0, lost),
        ("5.10", 16, lost),
        ("5.11", 1, lost),
        ("5.12", 0, on),
        ("5.13", 16, on),
        ("5.14", 1, on),
    ):
        yield Case(number, "a continuation of nothing", [stray, hello], ends=PROTOCOL_ERROR, piece=piece)
    yield Case("5.15", "another one after a message", [begin, end, on, hello], [whole], PROTOCOL_ERROR)
    for number, stray in (("5.16", on), ("5.17", lost)):
        yield Case(number, "a continuation of nothing, again and again", [stray, begin, end] * 2, ends=PROTOCOL_ERROR)
    yield Case("5.18", "a text inside a text", [begin, frame(TEXT, second)], ends=PROTOCOL_ERROR)
    five = [b"fragment%d" % number for number in range(1, 6)]
    for number, piece in (("5.19", 0), ("5.20", 64)):
        sent = [
            frame(TEXT, five[0], fin=False),
            frame(CONT, five[1], fin=False),
            frame(PING, b"one"),
            frame(CONT, five[2], fin=False),
            frame(CONT, five[3], fin=False),
            frame(PING, b"two"),
            frame(CONT, five[4]),
        ]
        yield Case(
            number,
            "five fragments and two pings",
            sent,
            [(PONG, b"one"), (PONG, b"two"), (TEXT, b"".join(five))],
            piece=piece,
        )


GOOD = "Hello-µ@ßöäüàá-UTF-8!!".encode()
BAD = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"  # a surrogate in the middle

# Markus Kuhn's stress test of UTF-8, by Autobahn's sections.
VALID = {
    "6.5": ["ce ba e1 bd b9 cf 83 ce bc ce b5"],
    "6.6": ["ce ba", "ce ba e1 bd b9", "ce ba e1 bd b9 cf 83", "ce ba e1 bd b9 cf 83 ce bc"],
    "6.7": ["00", "c2 80", "e0 a0 80", "f0 90 80 80"],
    "6.9": ["7f", "df bf", "ef bf bf", "f4 8f bf bf"],
    "6.11": ["ed 9f bf", "ee 80 80", "ef bf bd", "f4 8f bf bf"],
    "6.22": ["ef bf be", "ef bf bf", "f0 9f bf be", "f0 9f bf bf", "f0 af bf be", "f3 bf bf bf", "f4 8f bf be"],
    "6.23": ["ef bf b9", "ef bf ba", "ef bf bb", "ef bf bc", "ef bf bd"],
}
INVALID = {
    "6.6 cut": ["ce", "ce ba e1", "ce ba e1 bd", "ce ba e1 bd b9 cf", "ce ba e1 bd b9 cf 83 ce bc ce"],
    "6.8": ["f8 88 80 80 80", "fc 84 80 80 80 80"],
    "6.10": ["f7 bf bf bf", "fb bf bf bf bf", "fd bf bf bf bf bf"],
    "6.11 beyond": ["f4 90 80 80"],
    "6.12": ["80", "bf", "80 bf", "80 bf 80", "80 bf 80 bf", "80 bf 80 bf 80", "80 bf 80 bf 80 bf"],
    "6.13": ["c0 20 c1 20 df 20", "e0 20 e1 20 ef 20", "f0 20 f1 20 f7 20", "f8 20 fb 20", "fc 20 fd 20"],
    "6.14": ["c0", "e0 80", "f0 80 80", "f8 80 80 80", "df", "ef bf", "f7 bf bf"],
    "6.15": ["c0 e0 80 f0 80 80 f8 80 80 80 fc 80 80 80 80 df ef bf f7 bf bf"],
    "6.16": ["fe", "ff", "fe fe ff ff"],
    "6.17": ["c0 af", "e0 80 af", "f0 80 80 af", "f8 80 80 80 af"],
    "6.18": ["c1 bf", "e0 9f bf", "f0 8f bf bf", "f8 87 bf bf bf"],
    "6.19": ["c0 80", "e0 80 80", "f0 80 80 80"],
    "6.20": ["ed a0 80", "ed ad bf", "ed ae 80", "ed af bf", "ed b0 80", "ed be 80", "ed bf bf"],
    "6.21": ["ed a0 80 ed b0 80", "ed a0 80 ed bf bf", "ed ad bf ed b0 80", "ed af bf ed bf bf"],
}


def utf8() -> Iterator[Case]:
    yield Case("6.1.1", "an empty text", [frame(TEXT)], [(TEXT, b"")])
    yield Case(
        "6.1.2",
        "three empty fragments",
        [frame(TEXT, fin=False), frame(CONT, fin=False), frame(CONT)],
        [(TEXT, b"")],
    )
    yield Case(
        "6.1.3",
        "a text between two empty fragments",
        [frame(TEXT, fin=False), frame(CONT, b"middle", fin=False), frame(CONT)],
        [(TEXT, b"middle")],
    )
    yield Case("6.2.1", "letters beyond ASCII", [frame(TEXT, GOOD)], [(TEXT, GOOD)])
    yield Case("6.2.2", "in two, between letters", fragments(TEXT, GOOD, 12), [(TEXT, GOOD)])
    yield Case("6.2.3", "in fragments of a byte, letters cut in two", fragments(TEXT, GOOD, 1), [(TEXT, GOOD)])
    yield Case("6.3.1", "not UTF-8", [frame(TEXT, BAD)], ends=NOT_UTF8)
    yield Case("6.3.2", "not UTF-8, in fragments of a byte", fragments(TEXT, BAD, 1), ends=NOT_UTF8)
    for section, texts in VALID.items():
        for number, text in enumerate(texts, start=1):
            data = bytes.fromhex(text)
            yield Case(f"{section}.{number}", text, [frame(TEXT, data)], [(TEXT, data)])
    for section, texts in INVALID.items():
        for number, text in enumerate(texts, start=1):
            yield Case(f"{section}.{number}", f"not UTF-8: {text}", [frame(TEXT, bytes.fromhex(text))], ends=NOT_UTF8)


def ends() -> Iterator[Case]:
    hello, echo = frame(TEXT, b"Hello World!"), [(TEXT, b"Hello World!")]
    done, normal = closing(1000), frozenset({1000})
    yield Case("7.1.1", "a message, then a close", [hello, done], echo, normal, overtaken=True)
    yield Case("7.1.2", "two closes", [done, done], [], normal)
    yield Case("7.1.3", "a ping after the close", [done, frame(PING)], [], normal)
    yield Case("7.1.4", "a text after the close", [done, hello], [], normal)
    yield Case(
        "7.1.5",
        "a close inside a message",
        [frame(TEXT, b"fragment1", fin=False), done, frame(CONT, b"fragment2")],
        [],
        normal | PROTOCOL_ERROR,
    )
    large = b"BAsd7&jh23" * 26_000
    yield Case(
        "7.1.6",
        "a long message, a close and a ping",
        [frame(TEXT, large), done, frame(PING)],
        [(TEXT, large)],
        normal,
        overtaken=True,
    )
    yield Case("7.3.1", "a close without a code", [frame(CLOSE)], [], frozenset({1000, 1005}))
    yield Case("7.3.2", "half a code", [frame(CLOSE, b"\x03")], [], PROTOCOL_ERROR)
    yield Case("7.3.3", "a code", [closing(1000)], [], normal)
    yield Case("7.3.4", "a code and a reason", [closing(1000, b"Hello World!")], [], normal)
    yield Case("7.3.5", "the longest reason", [closing(1000, b"*" * 123)], [], normal)
    yield Case("7.3.6", "a reason that is too long", [closing(1000, b"*" * 124)], [], PROTOCOL_ERROR)
    yield Case("7.5.1", "a reason that is not UTF-8", [closing(1000, BAD)], [], NOT_UTF8 | PROTOCOL_ERROR)
    valid = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
    for number, code in enumerate(valid, start=1):
        yield Case(f"7.7.{number}", f"code {code}", [closing(code)], [], frozenset({code}))
    for number, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), start=1):
        yield Case(f"7.9.{number}", f"code {code}, which must not be sent", [closing(code)], [], PROTOCOL_ERROR)
    for number, code in enumerate((5000, 65535), start=1):
        yield Case(f"7.13.{number}", f"code {code}, beyond all ranges", [closing(code)], [], PROTOCOL_ERROR | {code})


def limits() -> Iterator[Case]:
    kilo = 1024
    for section, opcode, unit in ((1, TEXT, b"*"), (2, BINARY, b"\xfe")):
        for number, size in enumerate((64, 256, 1024, 4096, 8192, 16384), start=1):
            data = unit * size * kilo
            yield Case(f"9.{section}.{number}", f"{size} kB", [frame(opcode, data)], [(opcode, data)])
    for section, opcode, unit in ((3, TEXT, b"*"), (4, BINARY, b"\xfe")):
        data = unit * 4 * kilo * kilo
        for number, size in enumerate((256, 1024, 4096, 16384, 65536, 262_144, 1_048_576, 4_194_304), start=1):
            yield Case(
                f"9.{section}.{number}", f"4 MB in fragments of {size}", fragments(opcode, data, size), [(opcode, data)]
            )
    for section, opcode, unit in ((5, TEXT, b"*"), (6, BINARY, b"\xfe")):
        data = unit * kilo * kilo
        for number, size in enumerate((512, 1024, 2048), start=1):
            yield Case(
                f"9.{section}.{number}",
                f"1 MB written in pieces of {size}",
                [frame(opcode, data)],
                [(opcode, data)],
                piece=size,
            )
    for section, opcode in ((7, TEXT), (8, BINARY)):
        for number, size in enumerate((0, 16, 64, 256, 1024, 4096), start=1):
            data = b"*" * size
            yield Case(
                f"9.{section}.{number}",
                f"1000 messages of {size}",
                [frame(opcode, data)] * 1000,
                [(opcode, data)] * 1000,
            )
    data = b"*" * 65536
    yield Case("10.1.1", "64 kB in fragments of 1300", fragments(TEXT, data, 1300), [(TEXT, data)])


CASES = [*framing(), *pings(), *reserved(), *opcodes(), *fragmentation(), *utf8(), *ends(), *limits()]
