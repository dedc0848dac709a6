from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from fsnats.candles.candle import Candle
from fsnats.candles.sums import Sums, joined, quiet

PRICES = st.integers(1, 50).map(lambda cents: Decimal(cents).scaleb(-2))


@st.composite
def minutes(draw: st.DrawFn) -> list[Candle]:
    """Candles one after the other, some of them without trades: those repeat the price before."""
    made: list[Candle] = []
    price = draw(PRICES)
    for number in range(draw(st.integers(1, 12))):
        start = number * 60_000
        if draw(st.booleans()):
            prices = draw(st.lists(PRICES, min_size=1, max_size=4))
            volume = Decimal(draw(st.integers(1, 99))).scaleb(-3)
            count, first = len(prices), 100 * number
            price = prices[-1]
            what = (prices[0], max(prices), min(prices), price, volume, volume * 2, count, volume / 2, volume)
            made.append(Candle(start, start + 59_999, *what, first, first + count - 1))
        else:
            nothing = Decimal("0.000")
            made.append(
                Candle(start, start + 59_999, price, price, price, price, nothing, nothing, 0, nothing, nothing)
            )
    return made


@given(minutes(), st.randoms(use_true_random=False))
def test_the_order_of_pieces_does_not_matter(pieces: list[Candle], order: Random) -> None:
    traded = [piece for piece in pieces if piece.trades] or pieces
    shuffled = list(pieces)
    order.shuffle(shuffled)
    sums = Sums(shuffled[0], shuffled[0].open_ms)
    for piece in shuffled[1:]:
        sums.add(piece, piece.open_ms)
    stop = pieces[-1].stop_ms
    assert sums.candle(0, stop, True, ()) == Candle(
        0,
        stop - 1,
        traded[0].open,
        max(piece.high for piece in traded),
        min(piece.low for piece in traded),
        traded[-1].close,
        sum((piece.volume for piece in pieces), Decimal(0)),
        sum((piece.quote_volume for piece in pieces), Decimal(0)),
        sum(piece.trades for piece in pieces),
        sum((piece.taker_volume for piece in pieces), Decimal(0)),
        sum((piece.taker_quote_volume for piece in pieces), Decimal(0)),
        traded[0].first_id,
        traded[-1].last_id,
    )


def test_a_look_ahead_changes_nothing() -> None:
    one = Decimal(1)
    piece = Candle(0, 59_999, one, one, one, one, one, one, 1, one, one)
    sums = Sums(piece, 0)
    assert sums.with_piece(piece, 60_000).candle(0, 120_000, False, ()).trades == 2
    assert sums.candle(0, 120_000, False, ()).trades == 1


def test_spans_that_touch_are_one() -> None:
    assert joined([(5, 7), (0, 2), (2, 3), (6, 9)]) == ((0, 3), (5, 9))


def test_where_nothing_is_traded_the_price_stays() -> None:
    price, volume, value = Decimal("2.50"), Decimal("4.000"), Decimal("9.00000")
    before = Candle(0, 999, price - 1, price + 1, price - 2, price, volume, value, 3, volume, value, 5, 7)
    row = quiet(before, 1000, 2000).row()
    assert (row.t, row.T, row.o, row.h, row.l, row.c) == (1000, 1999, *("2.50",) * 4)
    assert (row.v, row.q, row.n, row.V, row.Q) == ("0.000", "0.00000", 0, "0.000", "0.00000")
