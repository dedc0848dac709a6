"""What clients send, from bytes to whole messages: RFC 6455 section 5, without I/O."""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from fsnats.errors import Unusable
from fsnats.websocket.deflate import TooLong, Unreadable, inflate


class Opcode(IntEnum):
    """What a frame is."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Item(NamedTuple):
    """One message or control frame.  `data` of TEXT is UTF-8; of CLOSE it is valid.

    CONTINUATION is a fragment, without its data, after which more of the message is to come.
    """

    opcode: Opcode
    data: bytes


_FRAGMENT = Item(Opcode.CONTINUATION, b"")


class Broken(Unusable):
    """The client broke the protocol: the connection is closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


PROTOCOL_ERROR = 1002
INVALID_DATA = 1007
TOO_BIG = 1009

_FIN = 0x80
_RSV = 0x70
_RSV1 = 0x40  # with permessage-deflate: this message is compressed
_MASKED = 0x80
_CONTROL = 0x08
_CONTROL_BYTES = 125
_OPCODES = {opcode.value: opcode for opcode in Opcode}
# Section 7.4: codes that may be sent.
_CODES = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, *range(3000, 5000)})


class Reader:
    """Cuts frames out of what arrives, in whatever pieces, and joins fragments.  After Broken it is of no more use."""

    __slots__ = ("_is_deflated", "_kind", "_message", "_most", "_need", "_waiting", "deflates")

    def __init__(self, message_bytes_max: int) -> None:
        """Longer messages are Broken, with TOO_BIG, as soon as their length is known."""
        self._most = message_bytes_max
        self._waiting: bytearray | None = None  # the beginning of a frame whose rest has not arrived
        self._need = 0  # bytes that `_waiting` must have before a look at it is worth while
        self._message: bytearray | None = None  # of a message whose last fragment has not arrived
        self._kind = Opcode.TEXT  # that message's
        self._is_deflated = False  # likewise
        self.deflates = False  # the client may send compressed messages

    def feed(self, data: bytes) -> Iterator[Item]:
        """What is complete with these bytes.  Raises Broken."""
        if self._waiting is not None:
            self._waiting += data
            if len(self._waiting) < self._need:
                return
            data, self._waiting = bytes(self._waiting), None
        at, end = 0, len(data)
        while True:
            start, length = self._header(data, at, end)
            if not start or end - start < length:
                if at < end:
                    self._waiting = bytearray(data[at:])
                    self._need = start - at + length if start else len(self._waiting) + 1
                return
            payload = _unmasked(data[start : start + length], data[start - 4 : start])
            first, at = data[at], start + length
            yield self._take(_OPCODES[first & 0x0F], first, payload)

    def _header(self, data: bytes, at: int, end: int) -> tuple[int, int]:
        """Where the payload of the frame at `at` starts, and its length; zeros where too little has arrived to say."""
        if end - at < 2:
            return 0, 0
        first, second = data[at], data[at + 1]
        opcode, length = first & 0x0F, second & 0x7F
        if first & _RSV and not (first & _RSV == _RSV1 and self.deflates and opcode in (Opcode.TEXT, Opcode.BINARY)):
            raise Broken(PROTOCOL_ERROR, "reserved bits are set")
        if opcode not in _OPCODES:
            raise Broken(PROTOCOL_ERROR, f"unknown opcode {opcode}")
        if not second & _MASKED:
            raise Broken(PROTOCOL_ERROR, "a client must mask its frames")
        start = at + 6
        if opcode & _CONTROL:
            if length > _CONTROL_BYTES or not first & _FIN:
                raise Broken(PROTOCOL_ERROR, "a control frame is too long, or fragmented")
            return (start, length) if start <= end else (0, 0)
        if (opcode == Opcode.CONTINUATION) != (self._message is not None):
            raise Broken(PROTOCOL_ERROR, "a fragment does not follow, or does not belong")
        if length >= 126:
            size = 2 if length == 126 else 8
            if end < at + 2 + size:
                return 0, 0
            length, start = int.from_bytes(data[at + 2 : at + 2 + size]), start + size
        before = len(self._message) if self._message is not None else 0
        if before + length > self._most:
            raise Broken(TOO_BIG, f"longer than {self._most} bytes")
        return (start, length) if start <= end else (0, 0)

    def _take(self, opcode: Opcode, first: int, payload: bytes) -> Item:
        if opcode & _CONTROL:
            if opcode is Opcode.CLOSE:
                _check_close(payload)
            return Item(opcode, payload)
        if opcode is not Opcode.CONTINUATION:
            self._kind, self._is_deflated = opcode, bool(first & _RSV1)
            if first & _FIN:  # nearly every message
                return self._whole(payload)
            self._message = bytearray(payload)
            return _FRAGMENT
        assert self._message is not None
        self._message += payload
        if not first & _FIN:
            return _FRAGMENT
        payload, self._message = bytes(self._message), None
        return self._whole(payload)

    def _whole(self, payload: bytes) -> Item:
        if self._is_deflated:
            try:
                payload = inflate(payload, self._most)
            except Unreadable as error:
                raise Broken(INVALID_DATA, str(error)) from error
            except TooLong as error:
                raise Broken(TOO_BIG, str(error)) from error
        if self._kind is Opcode.TEXT and not payload.isascii():
            _check_utf8(payload)
        return Item(self._kind, payload)


def _unmasked(payload: bytes, key: bytes) -> bytes:
    size = len(payload)
    mask = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(mask)).to_bytes(size)


def _check_close(payload: bytes) -> None:
    if not payload:
        return
    _check_utf8(payload[2:])
    if len(payload) == 1 or int.from_bytes(payload[:2]) not in _CODES:
        raise Broken(PROTOCOL_ERROR, "not a close code")


def _check_utf8(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError:
        raise Broken(INVALID_DATA, "Invalid UTF-8") from None
