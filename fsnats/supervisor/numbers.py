"""What a supervisor tells Prometheus: of its programs, of the exits, of the markets.  Pure."""

from collections.abc import Mapping, Sequence

from fsnats import __version__
from fsnats.binance.streams import Market
from fsnats.exits import pool
from fsnats.metrics.family import Family, counter, gauge
from fsnats.supervisor.kept import Standing, State
from fsnats.supervisor.report import MarketStatus

BUILD = gauge("fsnats_build_info", "always 1; which version runs", "version")
UP = gauge("fsnats_up", "1 if the program answered when it was asked for its numbers", "program")
READY = gauge("fsnats_program_ready", "1 if the program runs and has said that it is ready", "program")
RESTARTS = counter("fsnats_program_restarts", "how often the program ended and was started again", "program")

DIALS_FREE = gauge("fsnats_exit_dials_free", "dials that the exit may make now", "exit")
SCORE = gauge("fsnats_exit_score", "how far the exit is trusted after failures, from 0 to 1", "exit")
WEIGHT_USED = gauge("fsnats_exit_weight_used", "REST weight of the last minute, by exit and limit", "exit", "scope")
WEIGHT_LIMIT = gauge("fsnats_exit_weight_limit", "REST weight that we allow ourselves in a minute", "exit", "scope")
OUT = gauge("fsnats_exit_out", "1 for what the exit is out of use for now, and why", "exit", "area", "verdict")
FAILURES = counter("fsnats_exit_failures", "dials and requests that failed by the exit, by verdict", "exit", "verdict")

SYMBOLS = gauge("fsnats_market_symbols", "symbols that are carried", "market")
GROUPS = gauge("fsnats_market_groups", "groups, each with an ingest worker of its own", "market")
SIMULATED = gauge("fsnats_simulated", "1 if the market's prices are made up, or replayed", "market")
LISTED = gauge("fsnats_market_listed_time_seconds", "when the list of symbols was made, seconds since 1970", "market")
TROUBLE = gauge("fsnats_market_trouble", "1 if the market could not be asked for its symbols last time", "market")
NO_WINDOW = gauge("fsnats_replay_trouble", "1 if NATS cannot keep the replay window")


def of_programs(standings: Sequence[Standing], answered: Mapping[str, bool]) -> list[Family]:
    """Of every program that is kept running; those that are not asked for numbers count as up while they are ready."""
    ready = {each.name: each.state is State.READY for each in standings}
    return [
        UP.each({name: answered.get(name, is_ready) for name, is_ready in ready.items()}),
        READY.each(ready),
        RESTARTS.each({each.name: each.restarts for each in standings}),
    ]


def of_build() -> list[Family]:
    """Of ourselves."""
    return [BUILD.one(1, __version__)]


def of_exits(standings: Sequence[pool.Standing], failures: Mapping[tuple[str, str], int]) -> list[Family]:
    """Of the ways to the exchange."""
    weights = [(each.name, scope, used) for each in standings for scope, used in each.weight.items()]
    out = {
        (each.name, trouble.area, trouble.verdict) for each in standings for trouble in each.troubles if trouble.verdict
    }
    return [
        DIALS_FREE.each({each.name: each.dials_free for each in standings}),
        SCORE.each({each.name: each.score for each in standings}),
        WEIGHT_USED.family([WEIGHT_USED.sample(used.used, name, scope) for name, scope, used in weights]),
        WEIGHT_LIMIT.family([WEIGHT_LIMIT.sample(used.limit, name, scope) for name, scope, used in weights]),
        OUT.family([OUT.sample(1, *each) for each in sorted(out)]),
        FAILURES.family([FAILURES.sample(count, *each) for each, count in failures.items()]),
    ]


def of_markets(markets: Mapping[Market, MarketStatus], replay_trouble: str) -> list[Family]:
    """Of what is carried."""
    listed = {str(name): each.taken_ms / 1000 for name, each in markets.items() if each.taken_ms is not None}
    return [
        SYMBOLS.each({name: each.symbols for name, each in markets.items()}),
        GROUPS.each({name: each.groups for name, each in markets.items()}),
        SIMULATED.each({name: bool(each.simulated) for name, each in markets.items()}),
        LISTED.each(listed),
        TROUBLE.each({name: each.trouble is not None for name, each in markets.items()}),
        NO_WINDOW.one(bool(replay_trouble)),
    ]
