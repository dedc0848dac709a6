from workers.simulator.issued import Issued


def test_ids_follow_each_other_and_are_found_by_time() -> None:
    issued = Issued(10, "1", "2", True)
    assert not issued.knows(100)
    for time in (100, 100, 200):
        issued.say(time)
    assert (issued.first, issued.following) == (10, 13)
    assert [issued.time_of(number) for number in (10, 12)] == [100, 200]
    assert [issued.at(time) for time in (100, 101, 201)] == [10, 12, 13]
    assert issued.knows(100)
    assert not issued.knows(99)


def test_the_oldest_are_forgotten() -> None:
    issued = Issued(0, "1", "2", True)
    for time in range(100_001):
        issued.say(time)
    assert (issued.begun, issued.first, issued.time_of(1)) == (0, 1, 1)
