from hypothesis import given
from hypothesis import strategies as st

from fsnats.chaos.identity import Identity
from fsnats.chaos.judge import LATE, StreamJudge, Verdict

FATES = st.lists(st.sampled_from(["arrives", "recovered", "twice", "lost", "noticed"]), min_size=1, max_size=40)


def event(number: int, *, counts: bool = True, whole: int = 0) -> Identity:
    return Identity(str(number), number, number, 0, whole, counts)


def judge(count: int, *, counts: bool = True) -> StreamJudge:
    """A judge that was told of events 1, 2, 3 … at as many seconds."""
    judge = StreamJudge()
    for number in range(1, count + 1):
        judge.produced(number * 1000, event(number, counts=counts))
    return judge


def verdict(judge: StreamJudge) -> Verdict:
    return judge.verdict(0, 10**9)


@given(FATES)
def test_every_event_has_one_fate(fates: list[str]) -> None:
    subject = judge(len(fates))
    for number, fate in enumerate(fates, 1):
        if fate == "noticed":
            subject.noticed("a", number, number)
        elif fate != "lost":
            for _ in range(1 + (fate == "twice")):
                subject.delivered(number * 1000, event(number), recovered=fate == "recovered")
    found = verdict(subject)
    assert found.produced == len(fates)
    assert found.once == fates.count("arrives") + fates.count("recovered")
    assert found.recovered == fates.count("recovered")
    assert found.duplicated == fates.count("twice")
    assert found.missing == fates.count("lost") + fates.count("noticed")
    assert found.unnoticed == fates.count("lost")
    assert found.once + found.duplicated + found.missing == found.produced


@given(FATES, st.integers(0, 40))
def test_what_was_forgotten_was_judged_once(fates: list[str], cut: int) -> None:
    whole, parts, total = judge(len(fates)), judge(len(fates)), Verdict()
    for subject in (whole, parts):
        for number, fate in enumerate(fates, 1):
            if fate in ("arrives", "recovered"):
                # On its way while the earlier part is forgotten.
                subject.delivered(number * 1000 + 1, event(number), recovered=False)
    total.add(parts.verdict(0, cut * 1000))
    parts.forget(cut * 1000)
    total.add(parts.verdict(cut * 1000 + 1, 10**9))
    assert total == verdict(whole)


@given(st.integers(1, 20), st.integers(0, 25))
def test_a_hole_in_the_sequence_excuses_as_many_events_as_it_is_wide(lost: int, width: int) -> None:
    subject = StreamJudge()
    for number in range(lost):
        subject.produced(1000 + number, event(number + 1))
    subject.numbered(1, 1, 900)
    subject.numbered(1, 2 + width, 1100)
    found = verdict(subject)
    assert (found.missing, found.holes) == (lost, min(lost, width))
    assert found.unnoticed == lost - found.holes


def test_a_new_epoch_is_no_notice() -> None:
    subject = judge(1)
    subject.numbered(1, 1, 900)
    subject.numbered(2, 5, 1100)
    assert verdict(subject).unnoticed == 1


def test_a_notice_in_times_covers_what_was_produced_then() -> None:
    subject = judge(5)
    subject.noticed("ms", 2000, 4000)
    assert (verdict(subject).missing, verdict(subject).unnoticed) == (5, 2)


def test_a_state_is_superseded_by_a_later_one_that_arrived() -> None:
    subject = judge(4, counts=False)
    subject.delivered(3000, event(3, counts=False), recovered=False)
    found = verdict(subject)
    assert (found.once, found.superseded, found.missing, found.unnoticed) == (1, 2, 1, 1)


def test_a_state_that_is_said_again_in_the_same_words_is_no_duplicate() -> None:
    subject = judge(1, counts=False)
    subject.produced(1000, event(1, counts=False))
    for _ in range(3):
        subject.delivered(1000, event(1, counts=False), recovered=False)
    assert verdict(subject).duplicated == 1


def test_what_nobody_produced_and_what_was_changed_are_seen() -> None:
    subject = judge(2)
    subject.delivered(1000, event(9), recovered=False)
    subject.delivered(2000, event(2, whole=5), recovered=False)
    found = verdict(subject)
    assert (found.foreign, found.altered) == (1, 1)


def test_what_comes_late_without_being_marked_is_counted() -> None:
    subject = judge(2)
    subject.delivered(1000 + LATE + 1, event(1), recovered=False)
    subject.delivered(2000 + LATE + 1, event(2), recovered=True)
    assert verdict(subject).late == 1


def test_what_comes_out_of_order_is_counted_unless_it_is_marked() -> None:
    subject = judge(4)
    for number, late in ((1, False), (4, False), (2, True), (3, False)):
        subject.delivered(number * 1000, event(number), recovered=number in (2, 3), late=late)
    assert (verdict(subject).disordered, verdict(subject).once) == (1, 4)


def test_what_was_said_to_come_late_is_waited_for_until_it_came_or_was_lost() -> None:
    subject = judge(9)
    subject.noticed("a", 2, 6, late=True)
    subject.noticed("ms", 1000, 9000, late=True)
    for number in (2, 3, 4):
        assert subject.waits
        subject.delivered(number * 1000, event(number), recovered=True, late=True)
    assert subject.waits
    subject.noticed("a", 5, 6)
    assert not subject.waits
