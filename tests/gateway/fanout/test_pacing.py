import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.fanout.pacing import STEP, Pace, Timetable


class Alarm:
    """A clock moved by hand, and the last wish to be woken."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.wake_at = math.inf
        self.times: Timetable[str] = Timetable(lambda: self.now, self.wake)

    def wake(self, delay: float) -> None:
        self.wake_at = self.now + delay


def test_timetable_asks_to_be_woken_for_the_next_one_only() -> None:
    alarm = Alarm()
    alarm.times.add(1005.0, "late")
    alarm.times.add(1002.0, "soon")
    alarm.times.add(1003.0, "later")
    assert round(alarm.wake_at, 3) == 1002.0

    alarm.now = 1002.5
    assert alarm.times.due() == ["soon"]
    assert round(alarm.wake_at, 3) == 1003.0
    alarm.now = 1006.0
    assert alarm.times.due() == ["later", "late"]
    assert len(alarm.times) == 0


def test_woken_too_early_it_asks_again() -> None:
    alarm = Alarm()
    alarm.times.add(1001.0, "x")
    alarm.now, alarm.wake_at = 1000.9995, math.inf

    assert alarm.times.due() == []
    assert round(alarm.wake_at, 3) == 1001.0


def test_what_is_due_within_a_step_is_due_together() -> None:
    alarm = Alarm()
    for part in range(1, 10):
        alarm.times.add(1001 + part * STEP / 10, str(part))
    alarm.now = 1001 + STEP

    assert len(alarm.times.due()) == 9


@given(
    st.floats(0.01, 100.0),
    st.lists(st.tuples(st.floats(0.0, 3.0), st.booleans()), max_size=60),
)
def test_first_at_once_last_always_never_faster_and_always_the_newest(
    rate: float, steps: list[tuple[float, bool]]
) -> None:
    pace: Pace[int] = Pace(rate)
    now, newest = 1000.0, 0
    sent: list[tuple[float, int]] = []
    due: float | None = None

    def look() -> None:
        nonlocal due
        message = pace.release(now)
        if message is not None:
            due = None
            sent.append((now, message))

    for delay, comes in steps:
        while due is not None and due <= now + delay:
            now, delay = max(now, due), now + delay - max(now, due)
            look()
        now += delay
        if comes:
            newest += 1
            at = pace.hold(newest, now)
            if at == 0.0:
                pace.sent(now)
                sent.append((now, newest))
            elif at is not None:
                assert due is None
                due = at
    if due is not None:
        now = max(now, due)
        look()

    assert [message for _, message in sent] == sorted({message for _, message in sent})
    assert (sent[-1][1] if sent else 0) == newest
    assert sent[:1] == [] or sent[0][1] == 1
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(sent)]
    assert all(gap >= 1 / rate - 1e-6 for gap in gaps)
