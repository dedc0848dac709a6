"""The opening handshake, server side: RFC 6455 section 4.2, without I/O.  Strict about form, free of surprises."""

import base64
import binascii
import hashlib
import re
from http import HTTPStatus
from typing import NamedTuple

# Clients put hundreds of stream names into the URL; Binance itself answers 414 only above 8,000 to 16,000 characters
# (UBWA#17, #19, #120).
TARGET_BYTES = 64 * 1024

END = b"\r\n\r\n"  # of a request's head

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
# RFC 9112: a request line, and fields without line folding.  Bytes above ASCII are let through, as servers do.
_HEAD = re.compile(
    rb"GET ([^\x00-\x20\x7f]+) HTTP/1\.1\r\n((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*)\r\n"
)
_NAMED = re.compile(r"(?:https?|wss?)://[^/?]*(.*)", re.IGNORECASE)
_ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "


class Headers:
    """The fields of a request, in order, by name in any case."""

    __slots__ = ("_fields",)

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, value in fields:
            self._fields.setdefault(name.lower(), []).append(value)

    def get_all(self, name: str) -> list[str]:
        """The values of all fields of this name."""
        return self._fields.get(name.lower(), [])

    def tokens(self, name: str) -> list[str]:
        """The members of a comma-separated list, in lower case."""
        values = self._fields.get(name)
        return [token.strip().lower() for token in ",".join(values).split(",")] if values else []


class Request(NamedTuple):
    """A GET.  `path` is the target as it was sent, with its query; bytes above ASCII are surrogates."""

    path: str
    headers: Headers


class Response(NamedTuple):
    """An answer to a handshake that opens no WebSocket."""

    status: HTTPStatus
    text: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def serialize(self) -> bytes:
        """The whole answer, as it is sent; the connection ends after it."""
        body = self.text.encode(errors="surrogateescape")  # it may name what was sent, which need not be text
        fields = (
            ("Connection", "close"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            *self.headers,
        )
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        return f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\n{head}\r\n".encode("latin-1") + body


def read(head: bytes) -> Request | None:
    """Read the head of a request, its END included; None for what is not an HTTP/1.1 GET in good form."""
    match = _HEAD.fullmatch(head)
    if match is None:
        return None
    fields = []
    for line in match[2].decode("ascii", "surrogateescape").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        fields.append((name, value.strip(" \t")))
    return Request(origin_form(match[1].decode("ascii", "surrogateescape")), Headers(fields))


def origin_form(target: str) -> str:
    """The path and query of a request target, also of one that names the server (RFC 9112, 3.2.2)."""
    named = None if target.startswith("/") else _NAMED.fullmatch(target)
    if named is None:
        return target
    return named[1] if named[1].startswith("/") else f"/{named[1]}"


def asks_for_websocket(request: Request) -> bool:
    """Whether the client wants to leave HTTP for this protocol."""
    return "websocket" in request.headers.tokens("upgrade") and "upgrade" in request.headers.tokens("connection")


def refusal(request: Request) -> Response | None:
    """What is wrong with a handshake; None where it can be accepted."""
    if len(request.path) > TARGET_BYTES:
        return Response(HTTPStatus.REQUEST_URI_TOO_LONG, f"the URL has more than {TARGET_BYTES} characters\n")
    headers = request.headers
    if headers.get_all("Sec-WebSocket-Version") != ["13"]:
        version = (("Sec-WebSocket-Version", "13"),)
        return Response(HTTPStatus.UPGRADE_REQUIRED, "Sec-WebSocket-Version must be 13\n", version)
    if not headers.get_all("Host"):
        return _bad("the Host header is missing")
    keys = headers.get_all("Sec-WebSocket-Key")
    if len(keys) != 1 or not _is_key(keys[0]):
        return _bad("Sec-WebSocket-Key must be 16 bytes in base64, once")
    if headers.get_all("Transfer-Encoding") or headers.get_all("Content-Length") not in ([], ["0"]):
        return _bad("a handshake has no body")
    return None


def acceptance(request: Request, headers: bytes = b"") -> bytes:
    """The answer that opens the WebSocket; `headers` are further lines, each with its end."""
    key = request.headers.get_all("Sec-WebSocket-Key")[0].encode()
    return b"%b%b\r\n%b\r\n" % (_ACCEPTED, base64.b64encode(hashlib.sha1(key + _GUID).digest()), headers)


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def _bad(text: str) -> Response:
    return Response(HTTPStatus.BAD_REQUEST, text + "\n")
