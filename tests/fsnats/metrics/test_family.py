import pytest

from fsnats.metrics.family import Kind, Sample, counter, distribution, gauge


def test_a_counter_has_the_ending_that_prometheus_wants() -> None:
    assert counter("fsnats_dials", "dials").name == "fsnats_dials_total"
    assert gauge("fsnats_up", "up").name == "fsnats_up"
    assert distribution("fsnats_hop_seconds", "hops").kind is Kind.HISTOGRAM


def test_yes_and_no_are_numbers() -> None:
    (sample,) = gauge("fsnats_up", "up", "program").one(True, "history").samples
    assert sample == Sample({"program": "history"}, 1.0)
    assert type(sample.value) is float


def test_each_has_a_number_for_each_value_of_the_last_label() -> None:
    family = counter("fsnats_dials", "dials", "market", "outcome").each({"ok": 3, "tcp": 1}, "spot")
    assert family.samples == [
        Sample({"market": "spot", "outcome": "ok"}, 3.0),
        Sample({"market": "spot", "outcome": "tcp"}, 1.0),
    ]


def test_a_label_too_few_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="zip"):
        gauge("fsnats_up", "up", "program").one(1)
