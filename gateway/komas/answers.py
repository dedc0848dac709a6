"""What the Komas interface answers.  Values only."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Milliseconds = Annotated[int, Meta(description="Milliseconds since 1970.")]
State = Literal["connected", "disconnected"]
Ticker = Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/ticker"})]


class Status(msgspec.Struct):
    """How a session is, and the connections to the exchange, whoever they are for."""

    state: State
    connected: bool
    session: str
    subscriptions: int
    streams: list[str]
    reconnect_count: int
    last_message: Milliseconds | None
    sse_clients: int
    cached_prices: int
    connections: list[dict[str, Any]]


class Switched(msgspec.Struct):
    """A session's streams are held, or held no more."""

    success: bool
    state: State
    session: str


class Told(msgspec.Struct):
    """A pinned stream."""

    stream_id: str
    symbol: str
    stream_type: str
    market: str
    since: Milliseconds
    interval: str | UnsetType = UNSET


class Pinned(msgspec.Struct):
    """These streams are wanted now."""

    success: bool
    session: str
    streams: list[Told]


class Started(Pinned):
    """The same, and where their events are."""

    sse_url: str


class Unpinned(msgspec.Struct):
    """These streams, by Binance's names, are wanted no more."""

    success: bool
    session: str
    unsubscribed: list[str]


class Streams(msgspec.Struct):
    """What a session has pinned."""

    session: str
    count: int
    streams: list[Told]


class Prices(msgspec.Struct):
    """The newest ticker of each symbol whose tickers flow here."""

    count: int
    prices: dict[str, Ticker]
