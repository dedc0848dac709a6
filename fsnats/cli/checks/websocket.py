"""The WebSocket stage: a handshake and one question, over a connection that is already there."""

import asyncio
import contextlib
from typing import TypeVar

from websockets.client import ClientProtocol
from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from fsnats.binance.commands import list_subscriptions
from fsnats.cli.checks.finding import Section, Trouble
from fsnats.cli.checks.line import LIMIT, Line

_Event = TypeVar("_Event")

_LEAVE_LIMIT = 1.0  # seconds for the other side to close too
_CUT = "something on the way does not let WebSockets through: use another exit"


async def converse(line: Line, url: str, section: Section) -> tuple[int, dict[bytes, bytes], bytes]:
    """Shake hands, ask what is subscribed, and wait for the answer: some proxies pass the handshake and nothing more.

    Returns status, headers and body of the handshake.  Raises Trouble.
    """
    protocol = ClientProtocol(parse_uri(url))
    protocol.send_request(protocol.connect())
    response = await _next(line, protocol, Response, "the handshake")
    headers = {name.lower().encode(): value.encode() for name, value in response.headers.raw_items()}
    if response.status_code != 101:
        return response.status_code, headers, bytes(response.body or b"")
    if protocol.handshake_exc is not None:
        raise Trouble("WebSocket", f"the handshake is wrong: {protocol.handshake_exc}", _CUT)
    protocol.send_text(list_subscriptions(1))
    while True:
        frame = await _next(line, protocol, Frame, "a question")
        if frame.opcode is Opcode.TEXT:
            section.good("WebSocket", "connected, and questions are answered")
            await _take_leave(line, protocol)
            return 101, headers, b""
        if frame.opcode is Opcode.CLOSE:
            raise Trouble("WebSocket", f"closed at once: {protocol.close_exc}", _CUT)


async def _next(line: Line, protocol: ClientProtocol, kind: type[_Event], what: str) -> _Event:
    """The next event of this kind."""
    try:
        async with asyncio.timeout(2 * LIMIT):
            while True:
                line.writer.write(b"".join(protocol.data_to_send()))
                for event in protocol.events_received():
                    if isinstance(event, kind):
                        return event
                data = await line.reader.read(64 * 1024)
                if not data:
                    raise Trouble("WebSocket", f"the connection was cut instead of answering {what}", _CUT)
                protocol.receive_data(data)
    except TimeoutError:
        raise Trouble("WebSocket", f"no answer to {what} within {2 * LIMIT:g} s", _CUT) from None
    except (OSError, WebSocketException) as error:
        raise Trouble("WebSocket", f"no answer to {what}: {error}", _CUT) from error


async def _take_leave(line: Line, protocol: ClientProtocol) -> None:
    """Close as the protocol wants it; whether the other side does too is not our question."""
    protocol.send_close(1000)
    line.writer.write(b"".join(protocol.data_to_send()))
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_LEAVE_LIMIT):
            while await line.reader.read(64 * 1024):
                pass
