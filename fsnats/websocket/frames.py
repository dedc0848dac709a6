"""Finished WebSocket frames: encoded once, then written to any number of server-side transports as they are."""

import struct

_pack_short = struct.Struct("!BBH").pack
_pack_long = struct.Struct("!BBQ").pack

_TEXT = 0x81  # FIN + opcode 1, RFC 6455 section 5.2
_PING = 0x89


def text_header(length: int) -> bytes:
    """The header of an unmasked text message of `length` bytes."""
    if length < 126:
        return bytes((_TEXT, length))
    if length < 65536:
        return _pack_short(_TEXT, 126, length)
    return _pack_long(_TEXT, 127, length)


def text(payload: bytes) -> bytes:
    """A whole text message."""
    return text_header(len(payload)) + payload


def ping(payload: bytes) -> bytes:
    """A ping with up to 125 bytes of payload."""
    if len(payload) > 125:
        raise ValueError("a ping carries at most 125 bytes")
    return bytes((_PING, len(payload))) + payload
