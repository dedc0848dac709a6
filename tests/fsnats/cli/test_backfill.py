"""What `fsnats backfill` says; what it does is in tests/e2e/test_backfill.py."""

import pytest

from fsnats.backfill.continuity import Continuity
from fsnats.backfill.filler import Outcome, Want
from fsnats.binance.streams import Market
from fsnats.cli.backfill import notes
from fsnats.store import Series, Span
from tests.fsnats.cli.conftest import fsnats

MINUTE = 60_000
START = 1_793_491_200_000  # 2026-11-01
MINUTES = Series(Market.USDM, "kline", "BTCUSDT", "1m")
TRADES = Series(Market.USDM, "aggTrade", "BTCUSDT")


def said(
    *, absent: list[tuple[int, int]], unknown: list[tuple[int, int]], nothing_from: int | None = None, refused: str = ""
) -> list[str]:
    def spans(pairs: list[tuple[int, int]]) -> list[Span]:
        return [Span(START + a * MINUTE, START + b * MINUTE) for a, b in pairs]

    span = Span(START, START + 1000 * MINUTE)
    first = START + (absent[0][1] + 1 if absent and absent[0][0] == 0 else 0) * MINUTE
    outcome = Outcome(Want(MINUTES, span), 5, None if nothing_from is None else START + nothing_from * MINUTE, refused)
    return list(notes(outcome, Continuity(MINUTES, span, 7, first, span.last, spans(absent), spans(unknown))))


def test_a_series_without_troubles_has_none() -> None:
    assert said(absent=[], unknown=[]) == []


def test_what_the_exchange_does_not_have_is_told() -> None:
    assert said(absent=[(0, 59), (70, 70), (80, 89)], unknown=[]) == [
        "the first one that the exchange has: 2026-11-01 01:00",
        "the exchange has none: 2026-11-01 01:10 (1)",
        "the exchange has none: 2026-11-01 01:20 to 2026-11-01 01:29 (10)",
    ]


def test_what_may_still_come_is_not_called_missing_and_what_should_be_there_is() -> None:
    assert said(absent=[], unknown=[(900, 1000)], nothing_from=900) == [
        "the exchange has none, or none yet, from 2026-11-01 15:00 on"
    ]
    assert said(absent=[], unknown=[(900, 1000)], refused="the exchange refuses it: Invalid symbol. (-1121)") == [
        "the exchange refuses it: Invalid symbol. (-1121)",
        "MISSING: 2026-11-01 15:00 to 2026-11-01 16:40 (101)",
    ]


def test_a_thousand_holes_do_not_make_a_thousand_lines() -> None:
    lines = said(absent=[(number, number) for number in range(10, 800, 2)], unknown=[])
    assert len(lines) == 11
    assert lines[-1] == "the exchange has none: 385 more in 385 other places"


def test_trades_are_named_by_their_ids() -> None:
    outcome = Outcome(Want(TRADES, Span(10, 99)), 80)
    found = Continuity(TRADES, Span(10, 99), 80, 10, 99, [Span(20, 29)], [])
    assert list(notes(outcome, found)) == ["the exchange has none: id 20 to id 29 (10)"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("usdm", "BTCUSDT", "--from", "30d", "--interval", "7m"), "unknown interval '7m'"),
        (("usdm", "BTCUSDT", "--from", "yesterday", "--interval", "1m"), "'yesterday' is no moment"),
        (("usdm", "BTCUSDT", "--from", "1d", "--to", "2d", "--interval", "1m"), "'1d' is not before '2d'"),
        (("usdm", "BTCUSDT", "--from", "1d"), "--interval 1m, say, or --trades"),
        (("usdm", "BTCUSDT", "--from", "1d", "--trades", "--continuous", "PERPETUAL"), "ask for one after the other"),
        (("usdm", "BTCUSDT", "--from", "1d", "--interval", "1m", "--continuous", "WEEKLY"), "'WEEKLY' is no type"),
        (("forex", "BTCUSDT", "--from", "1d", "--interval", "1m"), "'forex'"),
    ],
)
async def test_words_that_mean_nothing_are_named(arguments: tuple[str, ...], named: str) -> None:
    ended = await fsnats("backfill", *arguments)
    assert (ended.status, ended.out) == (64, "")
    assert named in ended.err


async def test_without_a_fleet_it_says_so(nats_url: str) -> None:
    ended = await fsnats("backfill", "usdm", "BTCUSDT", "--from", "1d", "--interval", "1m", nats_url=nats_url)
    assert ended.status == 69
    assert "nobody on this bus knows what usdm lists" in ended.err
