"""The dashboard's files, as a browser gets them: `/` is its page, `/dashboard/…` all that it loads.

There is nothing in them that a visitor without a token must not have.
"""

import gzip
import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from fsnats.websocket.handshake import Headers
from gateway.rest.accepted import takes_gzip
from gateway.rest.visits import Receive, Scope, Send, answer, headers_of, path_of

PREFIX = "/dashboard"
FOLDER = Path(__file__).parent / "static"
_INDEX = "index.html"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}

# What a page may load and whom it may ask: this gateway, and nobody else.  The page itself holds no script or style.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
FIELDS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # a page's address may name what somebody trades
    "cache-control": "no-cache",  # kept, but asked for each time: a new version is seen at once
    "vary": "accept-encoding",
}


class File(NamedTuple):
    """One file: its bytes, the same compressed, its type and what tells this version from any other."""

    body: bytes
    compressed: bytes
    content_type: str
    version: str


def read(folder: Path) -> dict[str, File]:
    """All files below a folder that a browser may want, by their path in it."""
    files = {}
    for path in sorted(folder.rglob("*")):
        content_type = TYPES.get(path.suffix)
        if content_type is not None:
            body = path.read_bytes()
            # The same bytes each time: several gateways behind one address must not have a version each.
            compressed = gzip.compress(body, mtime=0)
            version = hashlib.sha256(body).hexdigest()[:16]
            files[path.relative_to(folder).as_posix()] = File(body, compressed, content_type, version)
    return files


class Dashboard:
    """An ASGI application."""

    def __init__(self, files: dict[str, File]) -> None:
        """`files` by their paths below `/dashboard/`."""
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = path_of(scope)
        name = _INDEX if path in ("/", PREFIX, f"{PREFIX}/") else path.removeprefix(f"{PREFIX}/")
        file = self._files.get(name)
        method = scope["method"]
        if method not in ("GET", "HEAD"):
            await _say(send, HTTPStatus.METHOD_NOT_ALLOWED, f"{method} {path}; allowed: GET, HEAD", allow="GET, HEAD")
        elif file is None:
            await _say(send, HTTPStatus.NOT_FOUND, f"nothing at {path[:200]}")
        else:
            headers = headers_of(scope)
            packed = takes_gzip(headers.get_all("Accept-Encoding"))
            tag = f'"{file.version}{"-gzip" if packed else ""}"'
            fields = FIELDS | {"etag": tag}
            if tag in _tags(headers):
                await answer(send, HTTPStatus.NOT_MODIFIED, fields)
                return
            body = file.compressed if packed else file.body
            fields |= {"content-type": file.content_type, "content-length": str(len(body))}
            fields |= {"content-encoding": "gzip"} if packed else {}
            await answer(send, HTTPStatus.OK, fields, b"" if method == "HEAD" else body)


async def _say(send: Send, status: HTTPStatus, text: str, **fields: str) -> None:
    body = f"{text}\n".encode("utf-8", "replace")
    told = {"content-type": TYPES[".txt"], "content-length": str(len(body)), **fields}
    await answer(send, status, told, body)


def _tags(headers: Headers) -> list[str]:
    """The versions that the browser has."""
    told = ",".join(headers.get_all("If-None-Match"))
    return [each.strip().removeprefix("W/") for each in told.split(",")]
