"""What a gateway's messages say, for people.  Pure."""

from typing import Any

import msgspec

from fsnats.cli.pretty import clock, day_and_time, summary
from fsnats.errors import UNREADABLE


class Message(msgspec.Struct, rename="camel"):
    """Any message of a gateway; the fields of all types together."""

    type: str = ""
    id: int | None = None
    market: str = ""
    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()
    client_id: str = ""
    simulated: bool = False
    replayed: bool = False
    code: str = ""
    message: str = ""
    symbol: str = ""
    interval: str = ""
    klines: list[list[Any]] = []
    stream_type: str = ""
    streams: list[dict[str, Any]] = []
    symbols: list[str] = []
    raw_streams: list[str] = []
    listed: list[str] = []
    delisted: list[str] = []
    halted: list[str] = []
    resumed: list[str] = []


def read(text: str | bytes) -> Message | None:
    """A message; None for one that cannot be read."""
    try:
        return msgspec.json.decode(text, type=Message)
    except UNREADABLE:
        return None


def describe(message: Message, text: str | bytes, now_ms: float) -> str:
    """A message in words; one of a type that is not known here as it came, in `text`."""
    if bytes(message.data):
        where = " ".join(filter(None, [message.market, message.stream or message.type]))
        return f"{clock(now_ms)} {where}  {summary(_payload(message.data))}"
    match message.type:
        case "connection":
            mark = "  SIMULATED DATA: every price is made up" if message.simulated else ""
            mark = "  REPLAYED DATA: captured earlier" if message.replayed else mark
            return f"connected as {message.client_id}{mark}"
        case "subscribed" | "unsubscribed":
            return f"{message.type}: {', '.join(message.symbols or message.raw_streams or [message.stream_type])}"
        case "symbols":
            lists = {name: getattr(message, name) for name in ("listed", "delisted", "halted", "resumed")}
            words = "; ".join(f"{name} {', '.join(names)}" for name, names in lists.items() if names)
            return f"{clock(now_ms)} {message.market} symbols: {words}"
        case "subscriptions":
            rows = [f"  {row.get('market')}  {_name(row)}{_more(row)}" for row in message.streams]
            return "\n".join([f"subscribed to {len(rows)} streams and patterns", *rows])
        case "historicalKlines":
            rows = [f"  {_candle(row)}" for row in message.klines]
            return "\n".join([f"{len(rows)} candles of {message.symbol} {message.interval}", *rows])
        case "error":
            return f"error {message.code}: {message.message}"
    return text if isinstance(text, str) else text.decode(errors="replace")


def _payload(data: msgspec.Raw) -> bytes:
    """The exchange's payload, also from within the envelope that names its stream."""
    try:
        inner = msgspec.json.decode(data, type=Message)
    except UNREADABLE:
        return bytes(data)
    return bytes(inner.data) if inner.stream and bytes(inner.data) else bytes(data)


def _name(row: dict[str, Any]) -> str:
    return str(row.get("stream") or row.get("streamType"))


def _more(row: dict[str, Any]) -> str:
    count = row.get("streams")
    return f"  ({count} streams)" if count is not None else ""


def _candle(row: list[Any]) -> str:
    opened, first, high, low, last, volume = row[:6]
    return f"{day_and_time(opened)}  O {first}  H {high}  L {low}  C {last}  volume {volume}"
