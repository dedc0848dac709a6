"""What `fsnats verify` says; what it does is in tests/e2e/test_backfill.py."""

from fsnats.backfill.comparison import Difference
from fsnats.backfill.verification import Verdict
from fsnats.binance.streams import Market
from fsnats.cli.verify import lines
from fsnats.store import Series
from tests.fsnats.cli.conftest import fsnats

HOURS = Series(Market.SPOT, "kline", "BTCUSDT", "1h")
START = 1_793_491_200_000  # 2026-11-01


def test_what_is_the_same_is_one_line() -> None:
    assert lines(Verdict(HOURS, "1m", 71)) == ["spot kline BTCUSDT 1h, made of 1m: 71 compared, all the same"]
    assert lines(Verdict(HOURS, "stored", 1, unknown=70)) == [
        "spot kline BTCUSDT 1h, as stored: 1 compared, all the same; 70 more are not stored whole"
    ]
    assert lines(Verdict(HOURS, "trades", 0, unknown=70))[0].endswith(
        "0 compared, which says nothing; 70 more are not stored whole"
    )


def test_each_difference_is_told_field_by_field() -> None:
    told = [Difference(START, "volume", "1.5", "1.6"), Difference(START, "trades", "7", "8")]
    assert lines(Verdict(HOURS, "stored", 9, differences=told)) == [
        "spot kline BTCUSDT 1h, as stored: 9 compared, 1 DIFFER",
        "  2026-11-01 volume: 1.5 here, 1.6 at the exchange",
        "  2026-11-01 trades: 7 here, 8 at the exchange",
    ]
    many = [Difference(START + number, "open", "1", "2") for number in range(1000)]
    assert lines(Verdict(HOURS, "stored", 1000, differences=many))[-1] == "  and 980 more"


def test_a_comparison_that_ends_early_says_why() -> None:
    assert lines(Verdict(HOURS, "trades", 5, "trade 7: older than trade 6"))[1] == (
        "  it ends there: trade 7: older than trade 6"
    )


async def test_words_that_mean_nothing_are_named() -> None:
    ended = await fsnats("verify", "usdm", "BTCUSDT", "--from", "30d", "--interval", "7m")
    assert (ended.status, ended.out) == (64, "")
    assert "unknown interval '7m'" in ended.err
