"""Finished WebSocket frames: encoded once, then written to any number of server-side transports as they are."""

import struct

_pack_short = struct.Struct("!BBH").pack
_pack_long = struct.Struct("!BBQ").pack

_TEXT = 0x81  # FIN + opcode 1, RFC 6455 section 5.2
_FIN = 0x80
_CLOSE = 0x88
_PING = 0x89
_CONTROL_BYTES = 125


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
    return control(_PING, payload)


def control(opcode: int, payload: bytes) -> bytes:
    """A control frame with up to 125 bytes of payload."""
    if len(payload) > _CONTROL_BYTES:
        raise ValueError("a control frame carries at most 125 bytes")
    return bytes((_FIN | opcode, len(payload))) + payload


def close(code: int, reason: str) -> bytes:
    """A close frame; `reason` may have up to 123 bytes."""
    return control(_CLOSE, code.to_bytes(2) + reason.encode())
