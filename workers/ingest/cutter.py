"""Cuts what a server sends into frames: whole text messages apart, everything else as it came.

websockets' parser, a generator over a stream reader, is nearly half of a worker's time; a server's text frames are
never masked and need a slice.  Pings, fragments, closings and errors stay websockets' job.  Pure.
"""

from collections.abc import Callable

_WHOLE_TEXT = 0x81  # FIN and opcode 1, RFC 6455 section 5.2
_LENGTH_16, _LENGTH_64 = 126, 127  # section 5.2: the length is in the next two or eight bytes


class Cutter:
    """Keeps the unfinished rest between two reads."""

    def __init__(self, limit: int) -> None:
        """`limit` is the longest frame, in bytes, that is cut here."""
        self._limit = limit
        self._rest = b""
        self._given_up = False

    def receive(self, data: bytes, text: Callable[[bytes], None], other: Callable[[bytes], None]) -> None:
        """Take what was read.  `text` gets the payload of each whole text message, `other` the bytes of other frames.

        From a frame that breaks the protocol, or the limit, on everything goes to `other`: websockets ends the
        connection with the code that fits.
        """
        if self._given_up:
            other(data)
            return
        buffer = self._rest + data if self._rest else data
        position, size = 0, len(buffer)
        while size - position >= 2:
            length = buffer[position + 1]
            start = position + 2
            if length >= _LENGTH_16:
                start += 2 if length == _LENGTH_16 else 8
                if start > size:
                    break
                # A mask bit, which no server may set, reads as a length of 128 and more.
                length = int.from_bytes(buffer[position + 2 : start]) if length <= _LENGTH_64 else self._limit + 1
            if length > self._limit:
                self._given_up = True
                self._rest = b""
                other(buffer[position:])
                return
            end = start + length
            if end > size:
                break
            if buffer[position] == _WHOLE_TEXT:
                text(buffer[start:end])
            else:
                other(buffer[position:end])
            position = end
        self._rest = buffer[position:]
