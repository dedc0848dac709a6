from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from fsnats.metrics.family import Page, counter, gauge
from fsnats.metrics.text import written

CLIENTS = gauge("fsnats_gateway_clients", "clients")
DIALS = counter("fsnats_dials", "dials, by outcome", "outcome")


def test_families_of_several_programs_are_told_once() -> None:
    pages = [Page(name, [CLIENTS.one(number)]) for name, number in (("gateway-1", 2), ("gateway-2", 5))]
    assert written(pages).decode() == (
        "# HELP fsnats_gateway_clients clients\n"
        "# TYPE fsnats_gateway_clients gauge\n"
        'fsnats_gateway_clients{program="gateway-1"} 2\n'
        'fsnats_gateway_clients{program="gateway-2"} 5\n'
    )


def test_a_family_without_numbers_is_told_all_the_same() -> None:
    (family,) = text_string_to_metric_families(written([Page("history", [DIALS.each({})])]).decode())
    assert (family.name, family.documentation, family.samples) == ("fsnats_dials", "dials, by outcome", [])


def test_a_sample_may_name_its_program() -> None:
    up = gauge("fsnats_up", "up", "program")
    assert b'fsnats_up{program="nats"} 1\n' in written([Page("supervisor", [up.each({"nats": 1})])])


@given(st.text(), st.floats(allow_nan=False))
def test_prometheus_own_reader_reads_what_was_told(label: str, value: float) -> None:
    text = written([Page("worker", [DIALS.each({label: value})])]).decode()
    (family,) = text_string_to_metric_families(text)
    (sample,) = family.samples
    assert sample.labels == {"program": "worker", "outcome": label}
    assert sample.value == float(f"{value:.16g}")
