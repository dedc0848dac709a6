"""In which order captures are played.  Pure.

A capture is in the order in which its messages arrived, which among streams is not quite the one in which they were
received.  Played, they go by the time at which they were received, while those of one stream keep the order they have.
"""

import heapq
from collections.abc import Iterable, Iterator
from itertools import count

import msgspec

from fsnats.binance.streams import Market
from fsnats.captures.lines import Message

HELD = 5_000  # messages within which two may change places


def in_order(messages: Iterable[Message], held: int = HELD) -> Iterator[Message]:
    """The messages of one capture, by `due_ns`."""
    waiting: list[tuple[int, int, Message]] = []
    newest: dict[tuple[Market, str], int] = {}
    sent = 0
    number = count()
    for message in messages:
        key = (message.market, message.stream)
        due = newest[key] = max(message.received_ns, newest.get(key, 0))
        heapq.heappush(waiting, (due, next(number), message))
        if len(waiting) > held:
            due, _, message = heapq.heappop(waiting)
            sent = max(sent, due)
            yield _due(message, sent)
    while waiting:
        due, _, message = heapq.heappop(waiting)
        sent = max(sent, due)
        yield _due(message, sent)


def merged(captures: Iterable[Iterable[Message]]) -> Iterator[Message]:
    """Several captures as one, by `due_ns`; where these are equal, in the order in which the captures were named."""
    return heapq.merge(*map(in_order, captures), key=lambda message: message.due_ns)


def _due(message: Message, due: int) -> Message:
    return message if message.due_ns == due else msgspec.structs.replace(message, due_ns=due)
