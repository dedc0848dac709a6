from fsnats.store import ConnectionRecord
from workers.recorder.connections import records


def test_each_connection_of_each_worker_is_a_record() -> None:
    connection = {"id": "ingest-usdm-0-market-0", "streams": ["a@trade"], "status": "connected", "message_count": 7}
    answers: list[dict[str, object]] = [
        {"program": "gateway", "kind": "gateway"},
        {"program": "ingest-usdm-0", "kind": "ingest", "epoch": 5, "connections": [connection, {"id": "b"}]},
    ]
    assert list(records(answers, 99)) == [
        ConnectionRecord("ingest-usdm-0", 5, "ingest-usdm-0-market-0", ["a@trade"], "connected", 7, 99),
        ConnectionRecord("ingest-usdm-0", 5, "b", [], "?", 0, 99),
    ]


def test_a_worker_of_another_version_is_passed_over() -> None:
    assert list(records([{"program": "ingest-usdm-0", "kind": "ingest", "connections": [{}]}], 99)) == []
