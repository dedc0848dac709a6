"""JetStream's API over the ordinary bus: a request on `$JS.API.…`, answered with one JSON object."""

from typing import TypeVar

import msgspec

from fsnats.bus import Bus
from fsnats.errors import BusUnavailable

NO_CONSUMER, NO_STREAM, STREAM_EXISTS = 10014, 10059, 10058  # error codes; the last: with other settings

_TIMEOUT = 5.0  # seconds for one request; a put to disk takes milliseconds


class Error(msgspec.Struct):
    """Why it was not done."""

    err_code: int = 0
    description: str = ""


class Reply(msgspec.Struct, kw_only=True):
    """What is read of every answer; of some there is more to read."""

    error: Error | None = None


R = TypeVar("R", bound=Reply)


async def ask(bus: Bus, what: str, request: bytes = b"", *, kind: type[R], fine: int = 0) -> R:
    """The answer to `$JS.API.<what>`.  Raises BusUnavailable, also for an error that is not the one that is `fine`."""
    return _read(await bus.request(f"$JS.API.{what}", request, _TIMEOUT), kind, fine)


async def put(bus: Bus, subject: str, value: bytes) -> None:
    """Publish what a stream takes in, a key's value among them, and wait until it lies there.

    Raises BusUnavailable where it does not.
    """
    _read(await bus.request(subject, value, _TIMEOUT), Reply)


def _read(answer: bytes, kind: type[R], fine: int = 0) -> R:
    try:
        reply = msgspec.json.decode(answer, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise BusUnavailable(f"JetStream answered what we cannot read: {problem}") from problem
    if reply.error is not None and reply.error.err_code != fine:
        raise BusUnavailable(f"JetStream refused: {reply.error.description} ({reply.error.err_code})")
    return reply
