"""A candle with exact numbers, and the forms in which Binance sends it.  Pure."""

from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow

import msgspec

from fsnats.binance import rows
from fsnats.errors import Unusable

# Python's own context rounds to 28 digits without a word.  Here nothing is rounded: what would be raises.
EXACT = Context(prec=100, traps=[Inexact, InvalidOperation, Overflow])
UNKNOWN = -1  # a trade id that nobody told; Binance writes it where a candle has no trades

Span = tuple[int, int]  # milliseconds since 1970: the first one, and the first one after


class Candle(msgspec.Struct, frozen=True, gc=False):
    """The trades of a span of time.

    `open_ms` and `close_ms` are its first and last millisecond, as Binance's `t` and `T`.  Numbers keep the decimals
    that they came with, so they are printed as they came.  On COIN-M `volume` counts contracts and `quote_volume` is
    in the base asset.  `closed` is whether it is over; `missing` are the spans in it of which not everything is known:
    what was traded in them is not counted.
    """

    open_ms: int
    close_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    taker_volume: Decimal
    taker_quote_volume: Decimal
    first_id: int = UNKNOWN
    last_id: int = UNKNOWN
    closed: bool = True
    missing: tuple[Span, ...] = ()

    @property
    def stop_ms(self) -> int:
        """The first millisecond of the next candle."""
        return self.close_ms + 1

    @property
    def whole(self) -> bool:
        """Whether it is over and nothing of it is missing."""
        return self.closed and not self.missing

    def row(self) -> rows.Candle:
        """The twelve fields of REST."""
        return rows.Candle(
            self.open_ms,
            _text(self.open),
            _text(self.high),
            _text(self.low),
            _text(self.close),
            _text(self.volume),
            self.close_ms,
            _text(self.quote_volume),
            self.trades,
            _text(self.taker_volume),
            _text(self.taker_quote_volume),
            "0",
        )

    def fields(self, interval: str, symbol: str | None) -> dict[str, object]:
        """The `k` of a stream's payload, its keys in Binance's order; continuous candles have no symbol (None)."""
        return {
            "t": self.open_ms,
            "T": self.close_ms,
            **({} if symbol is None else {"s": symbol}),
            "i": interval,
            "f": self.first_id,
            "L": self.last_id,
            "o": _text(self.open),
            "c": _text(self.close),
            "h": _text(self.high),
            "l": _text(self.low),
            "v": _text(self.volume),
            "n": self.trades,
            "x": self.closed,
            "q": _text(self.quote_volume),
            "V": _text(self.taker_volume),
            "Q": _text(self.taker_quote_volume),
            "B": "0",
        }


class _Bar(msgspec.Struct):
    t: int
    T: int
    o: str
    h: str
    l: str  # noqa: E741 # Binance's name
    c: str
    v: str
    q: str
    n: int
    V: str
    Q: str
    f: int
    L: int
    x: bool


class _Event(msgspec.Struct):
    k: _Bar


_event = msgspec.json.Decoder(_Event).decode


def of_row(row: rows.Candle, *, closed: bool) -> Candle:
    """A row of REST, which does not tell whether it is `closed`: the last one usually is not.

    Raises Unusable for what is no number.
    """
    return _candle(row, UNKNOWN, UNKNOWN, closed)


def of_payload(payload: bytes) -> Candle:
    """Any candle stream's payload.  Raises msgspec.DecodeError for another shape, Unusable for what is no number."""
    bar = _event(payload).k
    return _candle(bar, bar.f, bar.L, bar.x)


def _candle(bar: rows.Candle | _Bar, first_id: int, last_id: int, closed: bool) -> Candle:
    return Candle(
        bar.t,
        bar.T,
        number(bar.o),
        number(bar.h),
        number(bar.l),
        number(bar.c),
        number(bar.v),
        number(bar.q),
        bar.n,
        number(bar.V),
        number(bar.Q),
        first_id,
        last_id,
        closed,
    )


def number(text: str) -> Decimal:
    """A number as Binance writes it.  Raises Unusable for anything else, "NaN" too."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise Unusable(f"{text!r}: not a number") from None
    if not value.is_finite():
        raise Unusable(f"{text!r}: not a number")
    return value


def _text(value: Decimal) -> str:
    return format(value, "f")  # str() writes 0E-8
