from fsnats.supervisor.kept import SILENCE_LIMIT, START_LIMIT, Kept, State
from fsnats.supervisor.programs import Program, Stage

PROGRAM = Program(name="history", argv=("x",), environ={}, stage=Stage.WORKERS)


def test_patience_is_longer_until_the_first_word() -> None:
    kept = Kept(PROGRAM, 100.0)
    assert kept.deadline() == 100.0 + START_LIMIT

    kept.heard_at = 101.0
    assert kept.deadline() == 101.0 + SILENCE_LIMIT


def test_after_a_time_in_which_nobody_listened_everything_counts_anew() -> None:
    silent, heard = Kept(PROGRAM, 100.0), Kept(PROGRAM, 100.0)
    heard.heard_at = 105.0
    for kept in (silent, heard):
        kept.be_patient(500.0)

    assert (silent.deadline(), heard.deadline()) == (500.0 + START_LIMIT, 500.0 + SILENCE_LIMIT)


def test_a_new_life_knows_nothing_of_the_last() -> None:
    kept = Kept(PROGRAM, 100.0)
    kept.state, kept.heard_at, kept.ready_at, kept.said = State.READY, 105.0, 104.0, "fine"
    kept.last_exit = 1
    kept.begin(200.0)

    standing = kept.standing(201.0)
    assert (standing.state, standing.pid, standing.said, standing.last_exit) == (State.STARTING, None, "", 1)
    assert kept.deadline() == 200.0 + START_LIMIT


def test_a_program_without_a_process_has_no_age_and_no_size() -> None:
    standing = Kept(PROGRAM, 100.0).standing(150.0)

    assert (standing.uptime, standing.rss, standing.last_heartbeat_age) == (None, None, None)
