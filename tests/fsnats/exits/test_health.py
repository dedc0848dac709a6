from hypothesis import given
from hypothesis import strategies as st

from fsnats.exits.health import Health
from fsnats.exits.verdicts import REACTIONS, Verdict


def test_delays_double_while_it_goes_on_failing() -> None:
    health, now, waits = Health(), 1000.0, []
    for _ in range(7):
        health.failed(Verdict.UNREACHABLE, "refused", now)
        waits.append(health.wait(now))
        now = health.until

    assert waits == [1, 2, 4, 8, 16, 30, 30]


def test_many_workers_that_fail_of_one_cause_count_once() -> None:
    health = Health()
    news = [health.failed(Verdict.UNREACHABLE, "refused", 1000.0) for _ in range(20)]

    assert news == [True] + [False] * 19
    assert health.wait(1000.0) == 1.0


def test_the_exchange_says_how_long() -> None:
    health = Health()
    health.failed(Verdict.LIMITED, "429", 0.0, asked=7.0)
    assert health.wait(0.0) == 7.0
    # A second answer may know of a later end, never of an earlier one.
    health.failed(Verdict.LIMITED, "429", 1.0, asked=9.0)
    health.failed(Verdict.LIMITED, "429", 1.0, asked=2.0)
    assert health.wait(1.0) == 9.0


def test_the_graver_verdict_wins() -> None:
    health = Health()
    health.failed(Verdict.UNREACHABLE, "refused", 0.0)
    assert health.failed(Verdict.UNSERVED, "451", 0.5)
    assert not health.failed(Verdict.UNREACHABLE, "refused", 0.6)

    assert (health.verdict, health.wait(0.5)) == (Verdict.UNSERVED, 10.0)


def test_trust_goes_with_failures_and_returns_with_time_and_success() -> None:
    health = Health()
    assert health.score(0.0) == 1.0
    health.failed(Verdict.UNREACHABLE, "refused", 0.0)
    assert health.score(0.0) == 0.5
    health.failed(Verdict.UNREACHABLE, "refused", 2.0)
    assert health.score(2.0) < 0.3
    assert health.score(302.0) > 0.6
    health.worked(302.0)
    assert health.score(302.0) > 0.8
    assert health.wait(302.0) == 0.0


def test_a_probe_keeps_others_away_but_not_for_long() -> None:
    health = Health()
    health.failed(Verdict.UNSERVED, "451", 0.0)
    assert health.wait(9.0) == 1.0
    assert health.wait(10.0) == 0.0
    health.tried(10.0)

    # Whoever asks meanwhile hears of its end within a second.
    assert health.wait(11.0) == 1.0
    health.worked(11.5)
    assert health.wait(11.5) == 0.0


def test_a_probe_nobody_hears_of_again_is_followed_by_another() -> None:
    health = Health()
    health.failed(Verdict.UNSERVED, "451", 0.0)
    health.tried(10.0)

    assert health.wait(29.9) > 0
    assert health.wait(30.0) == 0.0


def test_probes_that_fail_become_rare() -> None:
    health, now, waits = Health(), 0.0, []
    for _ in range(10):
        assert health.failed(Verdict.UNSERVED, "451", now)
        waits.append(health.wait(now))
        # Another one that failed of the same at the same moment.
        assert not health.failed(Verdict.UNSERVED, "451", now + 0.1)
        now = health.until
        health.tried(now)
        now += 0.5

    assert waits == [10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800]


def test_a_probe_that_fails_of_something_else_tells_what_is_wrong_now() -> None:
    health = Health()
    health.failed(Verdict.LOGIN, "407", 0.0)
    health.tried(300.0)
    health.failed(Verdict.UNREACHABLE, "refused", 301.0)

    assert (health.verdict, health.reason, health.wait(301.0)) == (Verdict.UNREACHABLE, "refused", 1.0)


def test_what_time_heals_needs_no_probe() -> None:
    health = Health()
    health.failed(Verdict.UNREACHABLE, "refused", 0.0)
    health.tried(2.0)

    assert health.wait(2.0) == 0.0


@given(st.lists(st.tuples(st.floats(0, 100), st.none() | st.sampled_from(Verdict))))
def test_scores_are_scores_and_waits_never_exceed_the_most(events: list[tuple[float, Verdict | None]]) -> None:
    health, now = Health(), 0.0
    for pause, verdict in events:
        now += pause
        if verdict is None:
            health.worked(now)
        else:
            health.failed(verdict, "…", now)
        assert 0.0 <= health.score(now) <= 1.0
        assert health.wait(now) <= max(reaction.most for reaction in REACTIONS.values()) + 0.001
