"""A page of a hole: the request that brings it, and what the answer says of it.  Values only."""

import msgspec

from fsnats.history import Method
from workers.ingest.track import Missing

PAGE = 1000  # rows of one request, on every market


class Fill(msgspec.Struct, frozen=True):
    """A REST request: the method and its parameters."""

    method: Method
    parameters: dict[str, str | int]


class Answer(msgspec.Struct, frozen=True):
    """What rows say about a page: the payloads that came, by number in growing order; what REST does not have; and
    the rest, of which the rows say nothing: the stream may be ahead of REST."""

    come: list[tuple[int, bytes]]
    absent: list[Missing]
    rest: Missing | None
