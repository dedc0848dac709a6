from fsnats import __version__
from fsnats.binance.streams import Market
from fsnats.exits.pool import Standing as Exit
from fsnats.exits.pool import Trouble, Used
from fsnats.metrics.family import Family
from fsnats.supervisor.kept import Standing, State
from fsnats.supervisor.numbers import of_build, of_exits, of_markets, of_programs
from fsnats.supervisor.report import MarketStatus


def told(families: list[Family]) -> dict[str, float]:
    return {
        "/".join([family.name.removeprefix("fsnats_"), *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


def standing(name: str, state: State, restarts: int = 0) -> Standing:
    return Standing(name, state, 7, restarts, 1.0, 1, 0.1, "", None)


def test_a_program_is_up_when_it_answered_and_one_that_is_not_asked_while_it_is_ready() -> None:
    standings = [
        standing("nats", State.READY),
        standing("ingest-spot-0", State.READY, 3),
        standing("history", State.STARTING),
        standing("gateway", State.WAITING),
    ]
    assert told(of_programs(standings, {"ingest-spot-0": False, "history": True})) == {
        "up/nats": 1,
        "up/ingest-spot-0": 0,
        "up/history": 1,
        "up/gateway": 0,
        "program_ready/nats": 1,
        "program_ready/ingest-spot-0": 1,
        "program_ready/history": 0,
        "program_ready/gateway": 0,
        "program_restarts_total/nats": 0,
        "program_restarts_total/ingest-spot-0": 3,
        "program_restarts_total/history": 0,
        "program_restarts_total/gateway": 0,
    }


def test_an_exit_that_is_banned_says_from_what() -> None:
    troubles = [
        Trouble("rest:spot", 0.0, "banned", "HTTP 418", 100.0, False),
        Trouble("x.binance.com", 0.8, None, "timed out", 0.0, False),
    ]
    exits = [Exit("direct", 0.0, 12, {"spot": Used(900, 5400)}, troubles)]
    assert told(of_exits(exits, {("direct", "banned"): 1, ("direct", "unreachable"): 4})) == {
        "exit_dials_free/direct": 12,
        "exit_score/direct": 0,
        "exit_weight_used/direct/spot": 900,
        "exit_weight_limit/direct/spot": 5400,
        "exit_out/direct/rest:spot/banned": 1,
        "exit_failures_total/direct/banned": 1,
        "exit_failures_total/direct/unreachable": 4,
    }


def test_markets_say_whether_they_are_real() -> None:
    markets = {
        Market.SPOT: MarketStatus(1300, 13, False, 5_000, None),
        Market.USDM: MarketStatus(0, 0, None, None, "http: HTTP 451"),
    }
    assert told(of_markets(markets, "no memory")) == {
        "market_symbols/spot": 1300,
        "market_symbols/usdm": 0,
        "market_groups/spot": 13,
        "market_groups/usdm": 0,
        "simulated/spot": 0,
        "simulated/usdm": 0,
        "market_listed_time_seconds/spot": 5,
        "market_trouble/spot": 0,
        "market_trouble/usdm": 1,
        "replay_trouble": 1,
    }


def test_the_version_is_told() -> None:
    assert told(of_build()) == {f"build_info/{__version__}": 1}
