"""Candles and trades of the past, and what there is to ask for.  Pure."""

from collections.abc import Sequence

from fsnats.binance.endpoints import SIMULATED_HEADER
from fsnats.binance.streams import CONTRACT_TYPES, Market, intervals_of
from fsnats.formats import FORMATS, MEDIA_TYPES
from fsnats.history import MOST
from fsnats.moments import HELP
from gateway.openapi.bodies import AGG_TRADES, CANDLES
from gateway.openapi.parts import (
    JSON,
    Answer,
    Content,
    Operation,
    Parameter,
    Schema,
    array,
    choice,
    fields,
    integer,
    text,
)
from gateway.openapi.problems import ASKING, problems
from gateway.rest.ranges import COMPLETE_HEADER, KLINES, LIMIT_MOST, MISSING_HEADER, TRADES
from gateway.rest.symbols import PATH as SYMBOLS
from gateway.rest.symbols import Lists

_GROUP = "Candles and trades of the past"
_WORDS: Content = {"type": "string"}
_MISSING: Schema = array(
    fields({"from": integer(), "to": integer(), "unit": choice(["ms", "a"])}),
    description="From and to what it is not known that everything is there: times, or ids of aggregated trades.",
)
_ENDS: dict[str, Schema] = {
    "complete": {"type": "boolean"},
    "missing": _MISSING,
    "error": text(description="Why not everything came."),
}
_MOMENT = text(pattern="^[^\\x00]{1,40}$", description=HELP)


def symbols(markets: Sequence[Market]) -> Operation:
    """What the markets list."""
    return Operation(
        "GET",
        SYMBOLS,
        _GROUP,
        "What the markets list now",
        (
            Answer(200, "", {JSON: Lists}, (SIMULATED_HEADER,)),
            *problems(400, 404, *ASKING, headers=(SIMULATED_HEADER,)),
        ),
        (Parameter("market", choice([str(each) for each in markets]), "Only this one.", example=str(markets[0])),),
    )


def archive(markets: Sequence[Market]) -> tuple[Operation, Operation]:
    """Long ranges of candles and trades."""
    every = tuple(dict.fromkeys(each for market in markets for each in intervals_of(market)))
    common = (
        Parameter("market", choice([str(each) for each in markets], str(markets[0])), "The market."),
        Parameter("symbol", text(minLength=1), "A symbol, or a pair (`continuous`).", required=True, example="BTCUSDT"),
    )
    candles = (
        Parameter("interval", choice(every), "How long a candle is.", required=True, example="1m"),
        Parameter(
            "continuous",
            choice(["0", "1", "false", "true", *CONTRACT_TYPES]),
            "Candles of futures' contracts, whichever symbol that is: a type of contract, or `1` for perpetual.",
        ),
    )
    more = (
        Parameter("start", _MOMENT, "From when on, that included; without it the newest rows are meant."),
        Parameter("end", _MOMENT, "Until when, that included."),
        Parameter(
            "limit",
            integer(1, LIMIT_MOST),
            f"So many rows at most; without `start` 500 where nothing is said, and at most {MOST}.",
            example=5,
        ),
        Parameter(
            "source",
            choice(["rest", "store"], "rest"),
            "`rest`: what the store lacks is fetched; `store`: only what is stored.",
        ),
        Parameter("format", choice(FORMATS), "How rows are written; without it `Accept` decides, else `json`."),
    )
    title: dict[str, Schema] = {"market": choice([str(each) for each in markets]), "symbol": text()}
    of_candles: dict[str, Schema] = {"interval": choice(every), "continuous": text(), "klines": CANDLES}
    bodies = (
        fields({**title, **of_candles, **_ENDS}, ["continuous", "error"]),
        fields({**title, "trades": AGG_TRADES, **_ENDS}, ["error"]),
    )
    return (
        _range(KLINES, "Candles that are over, any number of them", bodies[0], (*common, *candles, *more)),
        _range(TRADES, "Aggregated trades, any number of them", bodies[1], (*common, *more)),
    )


def _range(path: str, summary: str, body: Schema, parameters: tuple[Parameter, ...]) -> Operation:
    bodies: dict[str, Content] = {MEDIA_TYPES[name]: body if name == "json" else _WORDS for name in FORMATS}
    told = (COMPLETE_HEADER, MISSING_HEADER, SIMULATED_HEADER)
    good = Answer(200, "Rows, oldest first; streamed, so that any range fits.", bodies, told)
    return Operation("GET", path, _GROUP, summary, (good, *problems(400, 404, 406, *ASKING, 501)), parameters)
