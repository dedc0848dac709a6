"""Connections to the exchange as the store keeps them, read from what workers answer to a status request.  Pure."""

from collections.abc import Iterable, Iterator

import msgspec

from fsnats.status import Status
from fsnats.store import ConnectionRecord


class _Connection(msgspec.Struct):
    id: str
    streams: list[str] = []
    status: str = "?"
    message_count: int = 0


class _Worker(msgspec.Struct):
    program: str
    epoch: int
    connections: list[_Connection] = []


def records(answers: Iterable[Status], seen_ms: int) -> Iterator[ConnectionRecord]:
    """A record of each connection of each worker that answered; what makes no sense is passed over."""
    for answer in answers:
        if answer.get("kind") != "ingest":
            continue
        try:
            worker = msgspec.convert(answer, _Worker)
        except msgspec.ValidationError:
            continue  # of another version
        for each in worker.connections:
            yield ConnectionRecord(
                worker.program, worker.epoch, each.id, each.streams, each.status, each.message_count, seen_ms
            )
