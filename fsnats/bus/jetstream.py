"""JetStream's API over the ordinary bus: a request on `$JS.API.…`, answered with one JSON object."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from fsnats.bus import Answer, Bus
from fsnats.errors import UNREADABLE, BusUnavailable

NO_CONSUMER, NO_STREAM, STREAM_EXISTS = 10014, 10059, 10058  # error codes; the last: with other settings

_TIMEOUT = 5.0  # seconds for one request; a put to disk takes milliseconds
_NO_MESSAGE, _END = "404", "204"


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


async def held(bus: Bus, where: str, question: bytes, most: int, timeout: float = _TIMEOUT) -> Sequence[Answer]:
    """The messages that a stream holds, by direct get (NATS ADR-31): `where` is the stream, or `<stream>.<subject>` for
    the newest one of a subject; `most` answers end it, the one that says that it was all included.

    Raises BusUnavailable, also for a question that the server refuses: more than 1,024 subjects of `multi_last`.
    """
    answers = await bus.collect(f"$JS.API.DIRECT.GET.{where}", question, timeout, most)
    status = answers[-1].status
    if status not in ("", _NO_MESSAGE, _END):
        line = answers[-1].head.partition(b"\r\n")[0].decode(errors="replace")
        raise BusUnavailable(f"{where.partition('.')[0]} answers {line}")
    return answers[:-1] if status else answers


def field(answer: Answer, name: str) -> str:
    """What a message's header says of it.  Raises BusUnavailable where it does not."""
    _, found, rest = answer.head.partition(b"\r\n%b:" % name.encode())
    if not found:
        raise BusUnavailable(f"JetStream does not tell {name}")
    return rest.partition(b"\r\n")[0].decode(errors="replace").strip()


def number(answer: Answer, name: str) -> int:
    """The same of a number."""
    text = field(answer, name)
    try:
        return int(text)
    except ValueError:
        raise BusUnavailable(f"JetStream tells '{text[:40]}' for {name}") from None


def _read(answer: bytes, kind: type[R], fine: int = 0) -> R:
    try:
        reply = msgspec.json.decode(answer, type=kind)
    except UNREADABLE as problem:
        raise BusUnavailable(f"JetStream answered what we cannot read: {problem}") from problem
    if reply.error is not None and reply.error.err_code != fine:
        raise BusUnavailable(f"JetStream refused: {reply.error.description} ({reply.error.err_code})")
    return reply
