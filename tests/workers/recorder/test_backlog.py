from fsnats.binance.streams import Market
from workers.recorder import backlog
from workers.recorder.backlog import FRAMES_MOST, Backlog
from workers.recorder.deliveries import Delivery


def delivery(position: int, size: int = 10) -> Delivery:
    return Delivery(Market.SPOT, 1, position, "", b"x" * size)


def test_deliveries_are_taken_in_their_order() -> None:
    waiting = Backlog()
    for position in range(5):
        waiting.add(delivery(position), 0.0)
    assert [each.position for each in waiting.take(3)] == [0, 1, 2]
    waiting.done()
    assert [each.position for each in waiting.take(3)] == [3, 4]


def test_what_is_being_written_counts_until_it_is_stored() -> None:
    waiting = Backlog()
    for position in range(5):
        waiting.add(delivery(position), 0.0)
    waiting.take(3)
    assert (len(waiting), waiting.waiting, waiting.bytes, waiting.room) == (5, 2, 50, FRAMES_MOST - 5)
    waiting.done()
    assert (len(waiting), waiting.waiting, waiting.bytes, waiting.room) == (2, 2, 20, FRAMES_MOST - 2)


def test_its_age_is_that_of_the_oldest() -> None:
    waiting = Backlog()
    assert waiting.age(9.0) == 0.0
    waiting.add(delivery(1), 5.0)
    waiting.add(delivery(2), 7.0)
    assert waiting.age(9.0) == 4.0
    waiting.take(1)
    assert waiting.age(9.0) == 4.0
    waiting.done()
    assert waiting.age(9.0) == 2.0


def test_large_frames_leave_no_room_before_they_are_many() -> None:
    waiting = Backlog()
    waiting.add(delivery(1, backlog.BYTES_MOST), 0.0)
    assert waiting.room == 0
