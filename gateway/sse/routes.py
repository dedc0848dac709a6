"""The paths of server-sent events: by this table they are dispatched and described."""

from fsnats.binance.endpoints import SIMULATED_HEADER
from fsnats.normalised import TYPES
from gateway.komas.requests import INTERVAL_DEFAULT, INTERVALS, SYMBOLS_DEFAULT
from gateway.openapi.normalised import message_or_notice
from gateway.openapi.parts import EVENTS, Answer, Content, Operation, Parameter, choice, text
from gateway.openapi.problems import ASKING, problems
from gateway.sse.places import STREAMS_MOST

PREFIX = "/api/ws/sse/"

_GROUP = "Events"
_TEXT = (
    "Each message's `id` says where the reader is in all of its streams; who shows it again (`Last-Event-ID`, as "
    "browsers do) gets exactly what was missed. What is no data has a name: `gap`, `resumed`, `goodbye`, `close`. A "
    "comment comes every 15 s. The answer ends when the connection does."
)
_COMMON = (
    Parameter("market", text("^(spot|usdm|coinm)$"), "The market; by default the first one carried."),
    Parameter("decimal", choice(["number", "string"], "number"), "Numbers as JSON numbers, or as the exact strings."),
    Parameter("lastEventId", text(), "The last `id`, where a header cannot be sent."),
    Parameter("Last-Event-ID", text(), "The last `id`. What is none of ours begins anew.", place="header"),
)
_SYMBOL = Parameter("symbol", text(minLength=1), "A symbol that the market trades.", required=True, example="BTCUSDT")


def _events(name: str, summary: str, message: Content, *parameters: Parameter) -> Operation:
    good = Answer(200, "Events, for as long as they are read.", {EVENTS: message}, (SIMULATED_HEADER,))
    refused = problems(400, 404, *ASKING)
    return Operation("GET", PREFIX + name, _GROUP, summary, (good, *refused), (*parameters, *_COMMON), _TEXT)


ROUTES = (
    _events(
        "prices",
        "Tickers",
        message_or_notice("ticker_message"),
        Parameter(
            "symbols",
            text(default=",".join(SYMBOLS_DEFAULT)),
            "Symbols, separated by commas.",
            example="BTCUSDT,ETHUSDT",
        ),
    ),
    _events(
        "klines",
        "Candles, the open one too",
        message_or_notice("kline_message"),
        _SYMBOL,
        Parameter("interval", choice(INTERVALS, INTERVAL_DEFAULT), "How long a candle is.", example=INTERVAL_DEFAULT),
    ),
    _events("trades", "Trades", message_or_notice("trade_message"), _SYMBOL),
    _events(
        "stream",
        f"Any streams, at most {STREAMS_MOST}",
        message_or_notice(*(f"{name}_message" for name in (*TYPES, "raw"))),
        Parameter(
            "streams",
            text(minLength=1),
            "Streams by Binance's names, separated by `/` or commas.",
            required=True,
            example="btcusdt@aggTrade/ethusdt@depth5",
        ),
        Parameter("format", choice(["normalised", "raw"], "normalised"), "`raw` are Binance's own payloads."),
    ),
)
