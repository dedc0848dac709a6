from workers.ingest.traffic import Traffic, count


def test_what_is_counted_is_counted_by_its_name() -> None:
    traffic = Traffic()
    count(traffic.dials, "ok")
    count(traffic.dials, "tcp")
    count(traffic.dials, "ok")
    assert traffic.dials == {"ok": 2, "tcp": 1}
    assert Traffic().dials == {}
