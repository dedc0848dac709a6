from fsnats.fleet.statuses import read


def test_answers_are_sorted_by_what_they_are() -> None:
    fleet = read(
        [
            b'{"program":"supervisor"}',
            b'{"program":"ingest-spot-0","kind":"ingest","pid":7,"connections":[{"id":"a"},{"id":"b"}]}',
            b'{"program":"gateway-x-1","kind":"gateway","simulated":true}',
        ]
    )
    assert [each.pid for each in fleet.workers] == [7]
    assert [each.id for each in fleet.connections] == ["a", "b"]
    assert [each.version for each in fleet.supervisors] == ["?"]
    assert fleet.simulated


def test_an_answer_that_makes_no_sense_does_not_hide_the_others() -> None:
    fleet = read([b'{"program":"supervisor","programs":7}', b"[]", b"{", b'{"program":"g","kind":"gateway"}'])
    assert not fleet.supervisors
    assert len(fleet.gateways) == 1


def test_programs_of_another_version_are_passed_over() -> None:
    fleet = read([b'{"program":"zebra","kind":"new","stripes":[1,2]}'])
    assert not fleet.simulated
    assert not fleet.workers


def test_the_clock_that_was_measured_best_counts() -> None:
    answers = [
        b'{"program":"h%d","kind":"history","clocks":{"spot":{"market":"spot","offset_ms":%d,"rtt_ms":%d,"at_ms":1}}}'
        % (number, offset, rtt)
        for number, (offset, rtt) in enumerate([(1, 5), (2, 3), (3, 9)])
    ]
    assert read(answers).clocks["spot"].offset_ms == 2
