import pytest

from fsnats.binance.streams import Market
from fsnats.cli.series import contract_type, intervals, period, series, split
from fsnats.errors import Unusable
from fsnats.store import Series
from fsnats.symbols import TRADING, Listing, Symbol

USDM = Listing(
    Market.USDM,
    0,
    False,
    [
        Symbol("ETHUSDT", "ETHUSDT", "PERPETUAL", TRADING),
        Symbol("BTCUSDT", "BTCUSDT", "PERPETUAL", TRADING),
        Symbol("BTCUSDT_261225", "BTCUSDT", "CURRENT_QUARTER", TRADING),
        Symbol("OMGUSDT", "OMGUSDT", "PERPETUAL", "SETTLING"),
    ],
)


def names(*words: str, contract: str = "", trades: bool = False, of: tuple[str, ...] = ("1m",)) -> list[str]:
    return [
        f"{one.kind} {one.name} {one.interval}".strip()
        for one in series(USDM, split(words), of, trades=trades, contract=contract)
    ]


def test_symbols_are_named_one_by_one_or_several_in_a_word_in_any_case() -> None:
    assert names("btcusdt,ETHUSDT", "btcusdt") == ["kline BTCUSDT 1m", "kline ETHUSDT 1m"]
    assert names("BTCUSDT", of=("1m", "1h"), trades=True) == [
        "kline BTCUSDT 1m",
        "kline BTCUSDT 1h",
        "aggTrade BTCUSDT",
    ]


def test_all_are_those_that_trade_but_others_may_be_named() -> None:
    assert names("all") == ["kline BTCUSDT 1m", "kline BTCUSDT_261225 1m", "kline ETHUSDT 1m"]
    assert names("OMGUSDT") == ["kline OMGUSDT 1m"]


def test_continuous_candles_belong_to_pairs() -> None:
    assert names("BTCUSDT", contract="PERPETUAL") == ["continuousKline BTCUSDT_PERPETUAL 1m"]
    assert names("ALL", contract="CURRENT_QUARTER") == ["continuousKline BTCUSDT_CURRENT_QUARTER 1m"]
    assert series(USDM, ["BTCUSDT"], ["1m"], trades=False, contract="PERPETUAL") == [
        Series(Market.USDM, "continuousKline", "BTCUSDT_PERPETUAL", "1m")
    ]


def test_names_that_are_not_listed_are_said() -> None:
    with pytest.raises(Unusable, match="unknown symbol 'NOPE' on usdm"):
        names("BTCUSDT", "NOPE")
    with pytest.raises(Unusable, match="unknown pair 'NOPE' on usdm"):
        names("NOPE", contract="PERPETUAL")
    with pytest.raises(Unusable, match="nothing on usdm is meant by 'ALL NEXT_QUARTER'"):
        names("ALL", contract="NEXT_QUARTER")
    with pytest.raises(Unusable, match="nothing on usdm is meant by ''"):
        names(",")
    with pytest.raises(Unusable, match="belong to its pair, 'BTCUSDT'"):
        names("BTCUSDT_261225", contract="PERPETUAL")


def test_intervals_are_those_of_the_market() -> None:
    assert intervals(Market.SPOT, "", ["1s", "1M"]) == ["1s", "1M"]
    assert intervals(Market.USDM, "PERPETUAL", ["1s"]) == ["1s"]
    with pytest.raises(Unusable, match="unknown interval '1s'; usdm has 1m, 3m"):
        intervals(Market.USDM, "", ["1s"])
    with pytest.raises(Unusable, match="spot has no continuous candles"):
        intervals(Market.SPOT, "PERPETUAL", ["1m"])


def test_types_of_contracts_are_those_that_there_are() -> None:
    assert contract_type("perpetual") == "PERPETUAL"
    with pytest.raises(Unusable, match="'WEEKLY' is no type of contract; there are PERPETUAL"):
        contract_type("WEEKLY")


def test_a_period_begins_before_it_ends() -> None:
    assert period("1793491200000", "now", 1_795_000_000_000) == (1_793_491_200_000, 1_795_000_000_000)
    with pytest.raises(Unusable, match="'now' is not before '1d'"):
        period("now", "1d", 1_795_000_000_000)
