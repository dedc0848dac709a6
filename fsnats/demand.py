"""What gateways tell workers: the streams that somebody wants now.

Published on `subjects.demand(market)` as JSON.  It is soft state: a gateway announces the first and the last listener
of a stream at once (`add`, `drop`) and its whole set every few seconds (`whole`, in pages, so that no message grows
beyond what NATS takes).  A gateway that falls silent is forgotten; one that hears a request on
`subjects.DEMAND_REQUEST` announces its whole set at once.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

import msgspec

from fsnats.binance.streams import Market

WHOLE_EVERY = 3.0  # seconds between two announcements of the whole set
FORGET_AFTER = 10.0  # seconds of silence after which a gateway's wishes are forgotten: three announcements missed
STREAMS_PER_PAGE = 5000  # about 150 KB; NATS takes 1 MiB by default


class Announcement(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message: `gateway` wants (`add`), no longer wants (`drop`) or wants exactly (`whole`) these streams.

    The pages of one whole set share a `round`; the set is complete when the last of `pages` is there.
    """

    gateway: str
    market: Market
    kind: Literal["add", "drop", "whole"]
    streams: list[str]
    round: int = 0
    page: int = 0
    pages: int = 1


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Announcement).decode


def whole(gateway: str, market: Market, streams: Iterable[str], round_number: int) -> Iterator[Announcement]:
    """The announcements that tell a gateway's whole set; at least one, also for an empty set."""
    names = iter(streams)
    chunks: list[list[str]] = []
    while chunk := list(islice(names, STREAMS_PER_PAGE)):
        chunks.append(chunk)
    chunks = chunks or [[]]
    for page, chunk in enumerate(chunks):
        yield Announcement(gateway, market, "whole", chunk, round_number, page, len(chunks))
