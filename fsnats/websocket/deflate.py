"""permessage-deflate (RFC 7692) without context takeover: a message is compressed once, for all who agreed to it.

Each message is compressed by itself, so that everybody can read it, whatever they have read before.  What clients send
is read likewise, and never inflated to more than a message may have.
"""

import re
import zlib
from collections.abc import Iterable

from fsnats.errors import Unusable
from fsnats.websocket.frames import text_header

# Python's websockets library asks for no more; 4 KB are many times the distance at which market data repeats itself.
WINDOW_BITS = 12
BYTES_MIN = 150  # of a message: shorter ones hardly shrink

_NAME = "permessage-deflate"
_ANSWER = f"{_NAME}; server_no_context_takeover; client_no_context_takeover"
_TAIL = b"\x00\x00\xff\xff"  # RFC 7692, section 7.2.1: left out by who sends, put back by who reads
_COMPRESSED = 0x40  # RSV1
_LEVEL, _MEMORY = 1, 5  # level 6 takes a third more time for a hundredth of the size


class Unreadable(Unusable):
    """What a client sent is not deflated data."""


class TooLong(Unusable):
    """It is more than a message may have."""


def agree(offers: Iterable[str]) -> str | None:
    """What to answer to the values of Sec-WebSocket-Extensions; None where there is nothing to agree to."""
    for offer in ",".join(offers).split(","):
        name, *parameters = [part.strip() for part in offer.split(";")]
        if name.lower() != _NAME:
            continue
        answer = _answer(parameters)
        if answer is not None:
            return answer
    return None


def _answer(parameters: list[str]) -> str | None:
    """The answer to one offer; None for one that cannot be met, or is in bad form."""
    seen: dict[str, str] = {}
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        if name in seen:
            return None
        seen[name] = value
    for name, value in seen.items():
        if name in ("server_no_context_takeover", "client_no_context_takeover"):
            if value:
                return None
        elif name == "server_max_window_bits":
            if not _is_bits(value) or int(value) < WINDOW_BITS:
                return None
        elif name != "client_max_window_bits" or not (value == "" or _is_bits(value)):
            return None
    return f"{_ANSWER}; server_max_window_bits={WINDOW_BITS}" if "server_max_window_bits" in seen else _ANSWER


def _is_bits(value: str) -> bool:
    return re.fullmatch(r"[89]|1[0-5]", value) is not None


class Deflater:
    """Makes finished frames of messages for all who agreed."""

    __slots__ = ("_compress",)

    def __init__(self) -> None:
        self._compress: zlib._Compress | None = None  # until the first message: most gateways may never need it

    def text(self, message: bytes) -> bytes:
        """A text message, compressed where that makes it shorter."""
        if len(message) >= BYTES_MIN:
            if self._compress is None:
                self._compress = zlib.compressobj(_LEVEL, zlib.DEFLATED, -WINDOW_BITS, _MEMORY)
            # A full flush forgets everything: no message refers to one before.
            data = self._compress.compress(message) + self._compress.flush(zlib.Z_FULL_FLUSH)
            if len(data) - len(_TAIL) < len(message):
                data = data[: -len(_TAIL)]
                header = text_header(len(data))
                return bytes((header[0] | _COMPRESSED,)) + header[1:] + data
        return text_header(len(message)) + message


def inflate(data: bytes, most: int) -> bytes:
    """The message in a client's compressed payload.  Raises Unreadable, and TooLong for more than `most` bytes."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        message = inflater.decompress(data + _TAIL, most + 1)
    except zlib.error as error:
        raise Unreadable("not deflated data") from error
    if len(message) > most:
        raise TooLong(f"longer than {most} bytes")
    return message
