import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market, parse
from fsnats.changes import PENDING, Change, between, encode, with_pending
from fsnats.symbols import Listing, Symbol

COINM, SPOT, USDM = Market.COINM, Market.SPOT, Market.USDM


def listing(statuses: dict[str, str], market: Market = USDM, taken_ms: int = 17) -> Listing:
    symbols = [Symbol(name, name.partition("_")[0], "", status) for name, status in statuses.items()]
    return Listing(market, taken_ms, False, symbols)


def told(before: dict[str, str], now: dict[str, str]) -> str:
    """What is said of one symbol, in a word."""
    change = between(listing(before), listing(now))
    said = [what for what in ("listed", "delisted", "halted", "resumed") if getattr(change, what)]
    assert bool(change) == bool(said)
    return " ".join(said)


@pytest.mark.parametrize(
    ("before", "now", "word"),
    [
        ("", "TRADING", "listed"),
        (PENDING, "TRADING", "listed"),
        ("SETTLING", "TRADING", "listed"),
        ("BREAK", "TRADING", "resumed"),
        ("TRADING", "BREAK", "halted"),
        ("TRADING", "HALT", "halted"),
        ("TRADING", "SETTLING", "delisted"),
        ("TRADING", "", "delisted"),
        ("HALT", "", "delisted"),
        ("HALT", "CLOSE", "delisted"),
        # Told already, or never there.
        ("SETTLING", "", ""),
        ("SETTLING", "CLOSE", ""),
        (PENDING, "", ""),
        ("", PENDING, ""),
        ("", "BREAK", ""),
        ("BREAK", "HALT", ""),
        ("TRADING", "TRADING", ""),
    ],
)
def test_a_symbol_comes_goes_halts_and_resumes(before: str, now: str, word: str) -> None:
    assert told({"X": before} if before else {}, {"X": now} if now else {}) == word


def test_a_first_list_is_no_change() -> None:
    assert not between(None, listing({"X": "TRADING"}))


def test_a_change_is_json_for_anybody() -> None:
    change = between(listing({"B": "TRADING"}), listing({"A": "TRADING", "B": "HALT"}))
    assert json.loads(encode(change)) == {
        "market": "usdm",
        "listed": ["A"],
        "delisted": [],
        "halted": ["B"],
        "resumed": [],
        "at_ms": 17,
    }


statuses = st.dictionaries(
    st.sampled_from("ABC"), st.sampled_from(["TRADING", PENDING, "BREAK", "HALT", "SETTLING", "CLOSE"])
)


@given(st.lists(statuses, min_size=1))
def test_who_reads_every_change_knows_what_trades(history: list[dict[str, str]]) -> None:
    trading = set(listing(history[0]).trading)
    before = listing(history[0])
    for now in map(listing, history[1:]):
        change = between(before, now)
        for came in (change.listed, change.resumed):
            assert trading.isdisjoint(came)
            trading.update(came)
        # A halted symbol that is delisted was taken out when it halted.
        assert trading.issuperset(change.halted)
        trading.difference_update(change.halted, change.delisted)
        assert trading == now.trading
        before = now


@pytest.mark.parametrize(
    ("market", "before", "shown"),
    [
        (SPOT, {}, PENDING),
        (SPOT, {"X": PENDING}, PENDING),
        (SPOT, {"X": "BREAK"}, "BREAK"),
        (SPOT, {"X": "TRADING"}, "BREAK"),
        (USDM, {}, "BREAK"),
        (SPOT, None, "BREAK"),
    ],
)
def test_spot_shows_new_symbols_as_it_shows_halted_ones(
    market: Market, before: dict[str, str] | None, shown: str
) -> None:
    known = None if before is None else listing(before, market)
    assert with_pending(listing({"X": "BREAK"}, market), known).by_name["X"].status == shown


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("btcusd_perp@trade", "delisted"),
        ("ethusd_perp@trade", "halted"),
        ("btcusd_261225@trade", None),
        ("btcusd@indexPrice", None),  # another contract of the pair trades
        ("ethusd@indexPrice", "halted"),
        ("ethusd_perpetual@continuousKline_1m", "halted"),
        ("!miniTicker@arr", None),
    ],
)
def test_a_stream_ends_with_its_symbol_or_with_the_last_of_its_pair(name: str, reason: str | None) -> None:
    change = Change(COINM, [], ["BTCUSD_PERP"], ["ETHUSD_PERP"], [], 17)
    now = listing({"BTCUSD_261225": "TRADING", "ETHUSD_PERP": "HALT"}, COINM)
    assert change.why_ended(parse(COINM, name), now) == reason
