from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market, parse
from fsnats.groups import Group, assign, describe, regroup
from fsnats.symbols import TRADING, Listing, Symbol

NAMES = st.lists(st.sampled_from([f"S{number}" for number in range(40)]), unique=True)


def test_symbols_are_cut_into_groups_of_the_size() -> None:
    assert assign([], ["A", "B", "C", "D", "E"], 2) == [["A", "B"], ["C", "D"], ["E"]]


def test_a_new_listing_takes_the_place_of_a_delisted_one() -> None:
    assert assign([["A", "B"], ["C", "D"]], ["A", "C", "D", "X", "Y"], 2) == [["A", "X"], ["C", "D"], ["Y"]]


def test_a_group_in_the_middle_may_be_empty_so_that_numbers_stay() -> None:
    assert assign([["A"], ["B"], ["C"]], ["A", "C"], 1) == [["A"], [], ["C"]]


@given(st.lists(NAMES, min_size=1, max_size=8), st.integers(1, 7))
def test_nobody_moves_because_somebody_else_was_listed(rounds: list[list[str]], size: int) -> None:
    groups: list[list[str]] = []
    for listed in rounds:
        before = {name: number for number, group in enumerate(groups) for name in group}
        groups = assign(groups, listed, size)
        after = {name: number for number, group in enumerate(groups) for name in group}

        assert sorted(after) == sorted(listed)
        assert all(len(group) <= size for group in groups)
        assert sum(map(len, groups)) == len(listed)
        assert all(after[name] == place for name, place in before.items() if name in after)


def usdm(*names: str) -> list[Symbol]:
    return [Symbol(name, name.partition("_")[0], "", "TRADING") for name in names]


def test_a_name_that_is_listed_or_stored_twice_has_one_owner() -> None:
    assert assign([], ["A", "B", "A"], 2) == [["A", "B"]]
    # A supervisor that was killed between two puts may have left a symbol in two groups.
    assert assign([["A", "B"], ["B", "C", "C"]], ["A", "B", "C"], 2) == [["A", "B"], ["C"]]


def test_every_stream_has_exactly_one_owner() -> None:
    symbols = usdm("BTCUSDT_261225", "BTCUSDT", "ETHUSDT", "XRPUSDT_261225")
    groups = describe(Market.USDM, assign([], [symbol.name for symbol in symbols], 1), symbols)
    names = [
        "btcusdt@trade",
        "btcusdt_261225@trade",
        "btcusdt_perpetual@continuousKline_1m",
        "btcusdt_current_quarter@continuousKline_1m",
        "xrpusdt_current_quarter@continuousKline_1m",
        "!miniTicker@arr",
        "btcusd@assetIndex",
        "tradingSession",
    ]

    owners = {name: [group.number for group in groups if group.owns(parse(Market.USDM, name))] for name in names}

    assert owners == {
        "btcusdt@trade": [1],
        "btcusdt_261225@trade": [0],
        "btcusdt_perpetual@continuousKline_1m": [1],
        "btcusdt_current_quarter@continuousKline_1m": [1],
        "xrpusdt_current_quarter@continuousKline_1m": [3],
        "!miniTicker@arr": [0],
        "btcusd@assetIndex": [0],
        "tradingSession": [0],
    }


def test_a_coinm_pair_belongs_to_its_perpetual() -> None:
    symbols = [Symbol("BTCUSD_261225", "BTCUSD", "", "TRADING"), Symbol("BTCUSD_PERP", "BTCUSD", "", "TRADING")]
    groups = describe(Market.COINM, [["BTCUSD_261225"], ["BTCUSD_PERP"]], symbols)

    assert [group.pairs for group in groups] == [[], ["BTCUSD"]]
    assert groups[1].owns(parse(Market.COINM, "btcusd@markPrice"))


def test_empty_groups_have_no_worker_and_the_first_other_one_leads() -> None:
    groups = describe(Market.SPOT, [[], ["A"], [], ["B"]], [Symbol("A", "A", "", "TRADING")])

    assert [(group.number, group.lead) for group in groups] == [(1, True), (3, False)]


def test_a_group_is_what_its_symbols_say() -> None:
    group = Group(Market.SPOT, 0, ["BTCUSDT"], [], lead=False)

    assert group.owns(parse(Market.SPOT, "btcusdt@kline_1m"))
    assert not group.owns(parse(Market.SPOT, "ethusdt@kline_1m"))
    assert not group.owns(parse(Market.SPOT, "!miniTicker@arr"))


def _listing(*names: str) -> Listing:
    return Listing(Market.SPOT, 0, False, [Symbol(name, name, "", TRADING) for name in names])


def _places(groups: list[Group]) -> dict[str, int]:
    return {name: group.number for group in groups for name in group.symbols}


@given(
    st.lists(st.lists(st.sampled_from([f"S{n}" for n in range(30)]), min_size=1, unique=True), min_size=1),
    st.integers(1, 5),
)
def test_a_symbol_keeps_its_group_through_every_census(censuses: list[list[str]], size: int) -> None:
    groups: list[Group] = []
    for names in censuses:
        before = _places(groups)
        groups = regroup(_listing(*names), groups, size)
        after = _places(groups)

        assert after.keys() == set(names)
        assert all(after[name] == before[name] for name in after.keys() & before.keys())
        assert all(0 < len(group.symbols) <= size for group in groups)
        assert [group.lead for group in groups].count(True) == 1
