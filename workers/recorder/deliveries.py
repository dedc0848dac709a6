"""What JetStream says with each message of a consumer, and what it is asked.  Pure.

A message's reply subject says which one it is (NATS ADR-15):

    $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>
    $JS.ACK.<domain>.<account>.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>[.<token>]
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from fsnats.binance.streams import Market

ACK = b"+ACK"
_PREFIX = "$JS.ACK."
_SHORT, _LONG = 9, 11  # tokens of the two forms; the long one may have more


class Delivery(NamedTuple):
    """A frame that is to be stored: its position in its market's window, and where to acknowledge it.

    `generation` counts the consumers that this process made: each one acknowledges its own deliveries only.
    """

    market: Market
    generation: int
    position: int
    reply: str
    data: bytes


def place(reply: str) -> tuple[int, int] | None:
    """The position of a message in its stream, and how many more the consumer has; None for what is no message."""
    if not reply.startswith(_PREFIX):
        return None
    tokens = reply.split(".")
    if len(tokens) != _SHORT and len(tokens) < _LONG:
        return None
    at = 5 if len(tokens) == _SHORT else 7
    try:
        return int(tokens[at]), int(tokens[at + 3])
    except ValueError:
        return None


def consumer(stream: str, name: str, filters: Sequence[str], start: int, unacknowledged: int, idle: float) -> bytes:
    """The request that makes a durable consumer which begins at a position; 0: with everything there is.

    It delivers at most `unacknowledged` messages ahead of what is acknowledged, and ends after `idle` seconds in which
    nobody asks it.  An acknowledgement is one of everything before it, too.  What was delivered is not delivered again
    by itself for as long: whoever lost it makes the consumer anew.
    """
    config: dict[str, object] = {
        "durable_name": name,
        "name": name,
        "ack_policy": "all",
        "ack_wait": int(idle * 1e9),
        "max_ack_pending": unacknowledged,
        "filter_subjects": list(filters),
        "deliver_policy": "all",
        "inactive_threshold": int(idle * 1e9),
        "mem_storage": True,
        "num_replicas": 1,
    }
    if start:
        config |= {"deliver_policy": "by_start_sequence", "opt_start_seq": start}
    return msgspec.json.encode({"stream_name": stream, "config": config})


def pull(count: int, expires: float) -> bytes:
    """The request for `count` messages, to be answered for `expires` seconds."""
    return msgspec.json.encode({"batch": count, "expires": int(expires * 1e9)})
