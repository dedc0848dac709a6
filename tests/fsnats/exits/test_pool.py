import pytest

from fsnats.binance.limits import DIALS_PER_MINUTE
from fsnats.binance.streams import Market
from fsnats.exits.messages import Grant, Report, Request
from fsnats.exits.pool import FUTURES, SPOT, Pool, Trouble, Used, preference, scope_of
from fsnats.exits.verdicts import Verdict

EXITS = ("a", "b", "c")
TWO = 2 / DIALS_PER_MINUTE  # the share that is two dials a minute


@pytest.fixture
def pool() -> Pool:
    return Pool(1.0, 1.0)


def chosen(pool: Pool, *exits: str, host: str = "h", program: str = "ingest-spot-0", now: float = 0.0) -> str | None:
    grant = pool.choose(Request(exits or EXITS, host, program), now)
    assert grant is not None
    return grant.exit


def requested(pool: Pool, *exits: str, host: str = "h", scope: str = SPOT, now: float = 0.0) -> str | None:
    grant = pool.choose(Request(exits or EXITS, host, "history", weight=1, scope=scope, patience=0.0), now)
    assert grant is not None
    return grant.exit


def fail(
    pool: Pool,
    exit_name: str,
    verdict: Verdict,
    host: str = "h",
    now: float = 0.0,
    asked: float | None = None,
    scope: str = "",
) -> None:
    pool.told(Report(exit_name, host, verdict, f"{verdict}!", asked, scope=scope), now)


def test_workers_are_spread_over_the_exits(pool: Pool) -> None:
    taken = [chosen(pool, program=f"ingest-spot-{number}") for number in range(6)]

    assert sorted(taken[:3], key=str) == ["a", "b", "c"]
    assert taken[3:] == taken[:3]


def test_the_strands_of_a_worker_are_spread_too(pool: Pool) -> None:
    grants = [pool.choose(Request(EXITS, "h", "ingest-spot-1", strand=strand), 0.0) for strand in range(3)]

    assert sorted(str(grant and grant.exit) for grant in grants) == ["a", "b", "c"]


def test_a_worker_keeps_to_its_exit(pool: Pool) -> None:
    assert len({chosen(pool, program="ingest-usdm-4") for _ in range(9)}) == 1
    assert preference("ingest-usdm-4") + 1 == preference("ingest-usdm-5")


def test_the_next_exit_takes_over_and_the_first_one_gets_its_workers_back(pool: Pool) -> None:
    mine = chosen(pool)
    assert mine is not None
    fail(pool, mine, Verdict.UNREACHABLE)
    assert chosen(pool) != mine
    assert chosen(pool, now=1.0) == mine


def test_an_exit_that_fails_again_and_again_is_the_last_choice(pool: Pool) -> None:
    fail(pool, "a", Verdict.UNREACHABLE, now=0.0)
    fail(pool, "a", Verdict.UNREACHABLE, now=1.0)

    assert chosen(pool, "a", "b", now=10.0) == "b"
    assert chosen(pool, "a", now=10.0) == "a"
    assert pool.score("a", Request(EXITS, "h"), 10.0) < 0.5 < pool.score("b", Request(EXITS, "h"), 10.0)


def test_451_is_of_one_host(pool: Pool) -> None:
    fail(pool, "a", Verdict.UNSERVED)

    assert pool.choose(Request(("a",), "h"), 4.0) == Grant(6.0, reason="a: unserved!")
    assert chosen(pool, "a", "b", now=4.0) == "b"
    assert chosen(pool, "a", host="other") == "a"


def test_451_is_probed_by_one_alone_and_the_others_follow_when_it_worked(pool: Pool) -> None:
    fail(pool, "a", Verdict.UNSERVED)
    assert chosen(pool, "a", now=10.0) == "a"
    assert pool.choose(Request(("a",), "h"), 10.1) == Grant(1.0, reason="a: unserved!")
    pool.told(Report("a", "h"), 10.5)

    assert chosen(pool, "a", now=11.1) == "a"


def test_451_again_and_again_is_left_for_others_and_probed_rarely(pool: Pool) -> None:
    dialled, now = [], 0.0
    while now < 3600.0:
        grant = pool.choose(Request(("a",), "h"), now)
        assert grant is not None
        if grant.exit:
            dialled.append(now)
            fail(pool, "a", Verdict.UNSERVED, now=now)
            assert chosen(pool, "a", "b", now=now + 9.0) == "b"
        now += grant.delay or 1.0

    assert dialled[:5] == [0.0, 10.0, 30.0, 70.0, 150.0]
    assert len(dialled) == 9


@pytest.mark.parametrize("verdict", [Verdict.BANNED, Verdict.LIMITED, Verdict.FORBIDDEN])
def test_what_rest_earned_is_of_rest(pool: Pool, verdict: Verdict) -> None:
    fail(pool, "a", verdict, asked=90.0, scope=SPOT)

    assert requested(pool, "a", now=89.0) is None
    assert requested(pool, "a", "b") == "b"
    assert chosen(pool, "a", host="stream.binance.com") == "a"
    # The simulator has one host for both.
    assert chosen(pool, "a") == "a"
    # Another answer that was on its way does not lift it, nor does a handshake.
    pool.told(Report("a", "h", scope=SPOT), 1.0)
    pool.told(Report("a", "h"), 1.0)
    assert requested(pool, "a", now=89.0) is (None if verdict is not Verdict.FORBIDDEN else "a")


@pytest.mark.parametrize("verdict", [Verdict.BANNED, Verdict.LIMITED])
def test_rest_is_counted_by_scope_whatever_the_host(pool: Pool, verdict: Verdict) -> None:
    fail(pool, "a", verdict, host="fapi.binance.com", asked=90.0, scope=FUTURES)

    assert requested(pool, "a", host="dapi.binance.com", scope=FUTURES, now=89.0) is None
    assert requested(pool, "a", host="dapi.binance.com", scope=FUTURES, now=90.0) == "a"
    assert requested(pool, "a", host="api.binance.com", scope=SPOT) == "a"


@pytest.mark.parametrize("verdict", [Verdict.BANNED, Verdict.LIMITED, Verdict.FORBIDDEN])
def test_what_a_handshake_earned_is_of_all_handshakes(pool: Pool, verdict: Verdict) -> None:
    fail(pool, "a", verdict, host="stream.binance.com", asked=90.0)

    assert chosen(pool, "a", host="fstream.binance.com", now=89.0) is None
    assert chosen(pool, "a", "b", host="fstream.binance.com") == "b"
    # A ban is of the address.
    assert requested(pool, "a", host="api.binance.com") == (None if verdict is Verdict.BANNED else "a")
    pool.told(Report("a", "api.binance.com", scope=SPOT), 1.0)
    assert chosen(pool, "a", host="fstream.binance.com", now=89.0) is None


def test_a_ban_is_over_when_a_probe_finds_it_so(pool: Pool) -> None:
    fail(pool, "a", Verdict.BANNED, asked=90.0)
    assert chosen(pool, "a", now=90.0) == "a"
    assert chosen(pool, "a", now=90.5) is None
    pool.told(Report("a", "h"), 91.0)

    assert chosen(pool, "a", now=91.0) == "a"
    assert [trouble.verdict for trouble in pool.standings(91.0)[0].troubles] == [None]


def test_a_login_that_is_refused_is_of_the_proxy(pool: Pool) -> None:
    fail(pool, "a", Verdict.LOGIN)

    assert chosen(pool, "a", host="other", now=299.0) is None
    assert chosen(pool, "a", host="other", now=300.0) == "a"


def test_when_all_are_out_the_earliest_is_waited_for_and_the_reasons_are_told(pool: Pool) -> None:
    fail(pool, "a", Verdict.LOGIN)
    fail(pool, "b", Verdict.LIMITED, asked=7.0)

    grant = pool.choose(Request(("a", "b"), "h"), 0.0)

    assert grant == Grant(7.0, reason="a: login!; b: limited!", limited=True)


def test_dials_of_one_exit_are_counted_over_all_programs() -> None:
    pool = Pool(TWO, 1.0)
    delays = [pool.choose(Request(("a",), "h", f"p-{number}"), 0.0) for number in range(3)]

    assert delays == [Grant(0.0, "a"), Grant(0.0, "a"), Grant(60.0, "a")]
    assert [one.dials_free for one in pool.standings(0.0)] == [0]
    assert chosen(pool, "a", "b") == "b"


def test_a_long_ban_does_not_use_up_the_window() -> None:
    pool = Pool(TWO, 1.0)
    fail(pool, "a", Verdict.UNSERVED)
    for _ in range(10):
        assert chosen(pool, "a") is None

    assert chosen(pool, "a", host="other") == "a"
    assert [one.dials_free for one in pool.standings(0.0)] == [1]


def test_weight_is_shared_by_all_programs_and_by_both_futures_markets(pool: Pool) -> None:
    assert scope_of(Market.SPOT) == SPOT
    assert scope_of(Market.USDM) == scope_of(Market.COINM) == FUTURES
    ask = Request(("a",), "fapi", weight=2000, scope=FUTURES, patience=5.0)

    assert pool.choose(ask, 0.0) == Grant(0.0, "a")
    assert pool.choose(ask, 1.0) == Grant(59.0, reason="a: its budget is used up", limited=True)
    assert pool.choose(Request(("a",), "api", weight=2000, scope=SPOT, patience=5.0), 1.0) == Grant(0.0, "a")
    assert pool.choose(ask, 56.0) == Grant(4.0, "a")


def test_a_smaller_allowance_holds_at_once_for_what_is_already_used() -> None:
    pool = Pool(5 * TWO, 1.0)
    for _ in range(3):
        chosen(pool, "a")
    ask = Request(("a",), "fapi", weight=200, scope=FUTURES, patience=0.0)
    pool.choose(ask, 0.0)
    pool.allow_dials(1.5 * TWO)
    pool.allow_weight(0.1)

    assert pool.choose(Request(("a",), "h", patience=0.0), 1.0) == Grant(
        59.0, reason="a: its budget is used up", limited=True
    )
    assert pool.choose(ask, 1.0) == Grant(59.0, reason="a: its budget is used up", limited=True)
    pool.allow_weight(1.0)
    assert pool.choose(ask, 1.0) == Grant(0.0, "a")


def test_no_patience_is_none_at_all(pool: Pool) -> None:
    ask = Request(("a",), "fapi", weight=2400, scope=FUTURES, patience=0.0)
    pool.choose(ask, 0.0)

    grant = pool.choose(ask, 59.0)

    assert grant == Grant(1.0, reason="a: its budget is used up", limited=True)


def test_who_leaves_a_part_to_others_waits_while_they_may_still_ask(pool: Pool) -> None:
    def ask(weight: int, leave: float = 0.0) -> Request:
        return Request(("a",), "fapi", weight=weight, scope=FUTURES, patience=0.0, leave=leave)

    assert pool.choose(ask(1800, 0.25), 0.0) == Grant(0.0, "a")
    assert pool.choose(ask(1, 0.25), 1.0) == Grant(59.0, reason="a: its budget is used up", limited=True)
    assert pool.choose(ask(600), 1.0) == Grant(0.0, "a")
    assert pool.choose(ask(1, 0.25), 60.0) == Grant(0.0, "a")


def test_the_exchanges_own_count_is_believed(pool: Pool) -> None:
    pool.told(Report("a", "fapi", used=2400, scope=FUTURES), 0.0)

    assert pool.choose(Request(("a",), "fapi", weight=1, scope=FUTURES, patience=0.0), 0.0) == Grant(
        60.0, reason="a: its budget is used up", limited=True
    )


def test_standings_say_what_is_left_and_what_is_wrong(pool: Pool) -> None:
    chosen(pool, "a", "b", program="x-0")
    pool.choose(Request(("a",), "api", weight=25, scope=SPOT), 0.0)
    fail(pool, "a", Verdict.UNSERVED)
    fail(pool, "b", Verdict.UNREACHABLE)

    a, b = pool.standings(0.5)

    assert a.dials_free + b.dials_free == 2 * DIALS_PER_MINUTE - 1
    assert (a.name, a.score, a.weight) == ("a", 0.5, {SPOT: Used(25, 6000)})
    assert a.troubles == [Trouble("h", 0.5, "unserved", "unserved!", 9.5, False)]
    assert b.troubles == [Trouble("h", 0.5, "unreachable", "unreachable!", 0.5, False)]


def test_time_heals_one_trouble_and_a_probe_the_other(pool: Pool) -> None:
    fail(pool, "a", Verdict.UNSERVED)
    fail(pool, "b", Verdict.UNREACHABLE)
    chosen(pool, "a", now=20.0)

    a, b = pool.standings(21.0)
    assert a.troubles == [Trouble("h", 0.52, "unserved", "unserved!", 1.0, True)]
    assert b.troubles == [Trouble("h", 0.52, None, "unreachable!", 0.0, False)]

    a, b = pool.standings(5000.0)
    assert [trouble.verdict for trouble in a.troubles] == ["unserved"]
    assert b.troubles == []


def test_made_up_names_do_not_fill_the_memory(pool: Pool) -> None:
    for number in range(300):
        pool.told(Report(f"exit-{number}", "h", Verdict.UNREACHABLE), 0.0)
        pool.told(Report("exit-0", f"host-{number}" * 10, Verdict.UNREACHABLE), 0.0)
    for number in range(2000):
        pool.told(Report("exit-0", f"host-{number}", Verdict.UNREACHABLE), 0.0)

    standings = pool.standings(0.0)
    assert len(standings) == 100
    assert sum(len(one.troubles) for one in standings) == 1000
