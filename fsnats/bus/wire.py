"""The NATS client protocol without I/O: bytes in, events out, and the commands we send.

Only what fsnats uses.  Source: the NATS client protocol documentation (INFO, CONNECT, PUB, SUB, UNSUB, MSG, HMSG, PING,
PONG, -ERR).
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from fsnats.errors import UNREADABLE


class Message(msgspec.Struct, frozen=True, gc=False):
    """MSG or HMSG.  `head` is the header with its version line, empty for MSG."""

    sid: int
    subject: str
    reply: str
    payload: bytes
    head: bytes = b""

    @property
    def status(self) -> str:
        """The code of a status header ("503": no responders), else empty."""
        # "NATS/1.0 503\r\n\r\n"; a header without a status begins "NATS/1.0\r\n".
        return self.head[9:12].decode(errors="replace") if self.head[8:9] == b" " else ""


class Info(NamedTuple):
    """INFO: the server introduces itself."""

    fields: dict[str, object]


class Ping(NamedTuple):
    """PING: the server wants a PONG."""


class Pong(NamedTuple):
    """PONG: everything we sent before our PING has been processed."""


class ServerError(NamedTuple):
    """-ERR: nearly always followed by a disconnect."""

    text: str


Event = Message | Info | Ping | Pong | ServerError


class WireError(Exception):
    """Bytes that are not the NATS protocol."""


_MSG, _HMSG = ord("M"), ord("H")
_LINE_BYTES = 64 * 1024  # an INFO line of a large cluster stays far below it
_decode_json = msgspec.json.Decoder(dict[str, object]).decode


class Parser:
    """Cuts what the server sends into events; keeps the unfinished rest."""

    def __init__(self) -> None:
        self._rest = b""

    def receive(self, data: bytes) -> list[Event]:
        """Feed what was read from the socket.  Raises WireError."""
        buffer = self._rest + data if self._rest else data
        size = len(buffer)
        position = 0
        events: list[Event] = []
        while position < size:
            end = buffer.find(b"\r\n", position)
            if end < 0:
                if size - position > _LINE_BYTES:
                    raise WireError("a line without an end")
                break
            first = buffer[position]
            try:
                if first == _MSG:
                    arguments = buffer[position + 4 : end].split()
                    start = end + 2
                    stop = start + int(arguments[-1])
                    if stop + 2 > size:
                        break
                    reply = arguments[2].decode() if len(arguments) == 4 else ""
                    events.append(Message(int(arguments[1]), arguments[0].decode(), reply, buffer[start:stop]))
                    position = stop + 2
                elif first == _HMSG:
                    arguments = buffer[position + 5 : end].split()
                    start = end + 2
                    stop = start + int(arguments[-1])
                    if stop + 2 > size:
                        break
                    head = buffer[start : start + int(arguments[-2])]
                    reply = arguments[2].decode() if len(arguments) == 5 else ""
                    payload = buffer[start + len(head) : stop]
                    events.append(Message(int(arguments[1]), arguments[0].decode(), reply, payload, head))
                    position = stop + 2
                else:
                    events.append(_line(buffer[position:end]))
                    position = end + 2
            except (ValueError, IndexError, *UNREADABLE) as error:
                raise WireError(f"cannot read {buffer[position : min(end, position + 80)]!r}") from error
        self._rest = buffer[position:]
        return events


def _line(line: bytes) -> Event:
    if line == b"PING":
        return Ping()
    if line == b"PONG":
        return Pong()
    if line.startswith(b"INFO "):
        return Info(_decode_json(line[5:]))
    if line.startswith(b"-ERR"):
        return ServerError(line[4:].decode(errors="replace").strip(" '"))
    raise ValueError


PING = b"PING\r\n"
PONG = b"PONG\r\n"


def connect(options: dict[str, object]) -> bytes:
    """CONNECT with these options."""
    return b"CONNECT %b\r\n" % msgspec.json.encode(options)


def publish(subject: str, reply: str, payload: bytes) -> bytes:
    """PUB."""
    if reply:
        return b"PUB %b %b %d\r\n%b\r\n" % (subject.encode(), reply.encode(), len(payload), payload)
    return b"PUB %b %d\r\n%b\r\n" % (subject.encode(), len(payload), payload)


def published(commands: bytes) -> Iterator[tuple[str, bytes]]:
    """Subject and payload of every PUB among commands of ours."""
    position = 0
    while position < len(commands):
        end = commands.index(b"\r\n", position)
        arguments = commands[position:end].split(b" ")
        position = end + 2
        if arguments[0] == b"PUB":
            stop = position + int(arguments[-1])
            yield arguments[1].decode(), commands[position:stop]
            position = stop + 2


def subscribe(subject: str, queue: str, sid: int) -> bytes:
    """SUB."""
    return f"SUB {subject} {queue} {sid}\r\n".encode() if queue else f"SUB {subject} {sid}\r\n".encode()


def unsubscribe(sid: int) -> bytes:
    """UNSUB."""
    return f"UNSUB {sid}\r\n".encode()
