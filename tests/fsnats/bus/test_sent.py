import pytest

from fsnats.bus import sent as module
from fsnats.bus import wire
from fsnats.bus.sent import RECENT, Sent


def note(sent: Sent, *numbers: int) -> int:
    """Write messages, all in one piece; returns the mark behind them."""
    sent.note(b"".join(wire.publish("a.b", "", b"%d" % number) for number in numbers))
    return sent.mark()


def taken(sent: Sent) -> list[int]:
    return [int(payload) for _, payload in sent.take("a.")]


def test_what_was_not_confirmed_may_be_lost() -> None:
    sent = Sent()
    note(sent, 1, 2)
    sent.note(wire.publish("a.b", "", b"3"))

    assert taken(sent) == [1, 2, 3]
    assert taken(sent) == []


def test_only_messages_on_the_subjects_in_question_are_sent_again() -> None:
    sent = Sent()
    sent.note(wire.connect({}) + wire.subscribe("a.>", "", 1) + wire.PING + wire.publish("other", "in.box", b"x"))
    sent.note(wire.PONG + wire.publish("a.b", "in.box", b"y") + wire.unsubscribe(1))

    assert list(sent.take("a.")) == [("a.b", b"y")]


def test_what_was_confirmed_is_kept_for_a_while_longer() -> None:
    sent = Sent()
    first, second = note(sent, 1), note(sent, 2)
    sent.confirm(first, 10.0)
    sent.confirm(second, 10.0 + RECENT - 0.1)
    assert sent.bytes > 0
    sent.confirm(second, 10.0 + RECENT)

    assert taken(sent) == [2]


def test_a_confirmation_counts_from_when_it_came_first() -> None:
    sent = Sent()
    first = note(sent, 1)
    for now in (10.0, 10.5, 11.0):
        sent.confirm(first, now)
    sent.confirm(sent.mark(), 10.0 + RECENT)

    assert taken(sent) == []
    assert sent.bytes == 0


def test_beyond_its_bytes_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(wire.publish("a.b", "", b"0"))
    monkeypatch.setattr(module, "BYTES_MOST", 3 * size)
    monkeypatch.setattr(module, "_BATCH_BYTES", size - 1)
    sent = Sent()
    for number in range(5):
        sent.note(wire.publish("a.b", "", b"%d" % number))

    assert sent.bytes == 3 * size
    assert taken(sent) == [2, 3, 4]
