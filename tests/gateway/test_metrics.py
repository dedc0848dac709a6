from prometheus_client.parser import text_string_to_metric_families

from fsnats.metrics.family import Page
from fsnats.metrics.text import written
from gateway.fanout.tally import Tally
from gateway.metrics import COUNTERS, GAUGES, Gauges, families


def test_every_number_is_exported_under_its_name() -> None:
    tally = Tally(frames=5, delivered=50, refused={401: 7}, closed={4008: 1}, rest={200: 9})
    told = families(Gauges(1, 6, 7, 8, 2, 3, 4, 5, True, {"research": 1}), tally)
    samples = {
        "/".join([sample.name, *(value for label, value in sample.labels.items() if label != "program")]): sample.value
        for family in text_string_to_metric_families(written([Page("gateway", told)]).decode())
        for sample in family.samples
    }

    assert samples == {
        "fsnats_gateway_clients": 1,
        "fsnats_gateway_sockets": 6,
        "fsnats_gateway_tasks": 7,
        "fsnats_gateway_subscriptions": 8,
        "fsnats_gateway_channels": 2,
        "fsnats_gateway_listeners": 3,
        "fsnats_gateway_slow_clients": 4,
        "fsnats_gateway_outbox_bytes": 5,
        "fsnats_gateway_clients_by_token/research": 1,
        "fsnats_gateway_frames_total": 5,
        "fsnats_gateway_lost_total": 0,
        "fsnats_gateway_refilled_total": 0,
        "fsnats_gateway_repeated_total": 0,
        "fsnats_gateway_gaps_total": 0,
        "fsnats_gateway_unreadable_total": 0,
        "fsnats_gateway_delivered_total": 50,
        "fsnats_gateway_conflated_total": 0,
        "fsnats_gateway_dropped_total": 0,
        "fsnats_gateway_slow_total": 0,
        "fsnats_gateway_connections_total": 0,
        "fsnats_gateway_refused_total/401": 7,
        "fsnats_gateway_closed_total/4008": 1,
        "fsnats_gateway_requests_refused_total": 0,
        "fsnats_gateway_unknown_total": 0,
        "fsnats_gateway_rest_total/200": 9,
        "fsnats_gateway_rest_by_streams_total": 0,
    }


def test_tables_and_counters_name_the_same() -> None:
    # Whether the bus is connected every program tells under one name.
    assert tuple(GAUGES) == tuple(field for field in Gauges.__struct_fields__ if field != "bus_connected")
    assert tuple(COUNTERS) == Tally.__struct_fields__
