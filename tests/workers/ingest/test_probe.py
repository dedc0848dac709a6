import pytest

from workers.ingest.probe import REST, Probe, Step


def steps(probe: Probe, seconds: int) -> list[tuple[int, Step]]:
    return [(second, step) for second in range(seconds) if (step := probe.due(second)) is not None]


def test_steps_are_taken_one_after_the_other_and_again_after_a_rest() -> None:
    assert steps(Probe(0, None, has_routes=True), 230) == [
        (0, Step.LIST),
        (5, Step.RENEW),
        (10, Step.MOVE),
        (20, Step.REROUTE),
        (30, Step.HOME),
        (30 + REST, Step.LIST),
        (30 + REST + 5, Step.RENEW),
        (30 + REST + 10, Step.MOVE),
    ]


def test_where_there_are_no_routes_none_is_tried() -> None:
    assert Step.REROUTE not in {step for _, step in steps(Probe(0, None, has_routes=False), 500)}


@pytest.mark.parametrize(("cadence", "second"), [(1.0, 5), (8.0, 16), (3600.0, 30)])
def test_a_stream_that_speaks_rarely_gets_longer_to_speak(cadence: float, second: int) -> None:
    assert steps(Probe(0, cadence, has_routes=True), 40)[1] == (second, Step.RENEW)


def test_a_step_helped_while_its_time_was_not_over() -> None:
    probe = Probe(0, None, has_routes=True)
    probe.due(0)
    assert probe.helped(4.9)
    assert not probe.helped(5.1)
    steps(probe, 31)
    assert probe.step is Step.HOME
    assert not probe.helped(40)
