import gzip
import json
from pathlib import Path

import pytest

from fsnats.binance.events import KNOWN, event_time, event_type


@pytest.mark.parametrize(
    ("payload", "kind", "time"),
    [
        (b'{"e":"aggTrade","E":1795174351645,"a":1}', b"aggTrade", 1795174351645),
        (b'[{"e":"24hrTicker","E":5},{"e":"24hrTicker","E":6}]', b"24hrTicker", 5),
        (b'{"u":400900217,"s":"BNBUSDT","b":"25.35190000"}', None, None),
        (b'{"lastUpdateId":160,"bids":[],"asks":[]}', None, None),
        (b"", None, None),
    ],
)
def test_type_and_time_are_read_where_they_stand(payload: bytes, kind: bytes | None, time: int | None) -> None:
    assert (event_type(payload), event_time(payload)) == (kind, time)


@pytest.mark.recorded
def test_every_recorded_event_is_of_a_known_type_and_says_its_time(recordings: Path) -> None:
    for capture in (recordings / "captures").glob("*.jsonl.gz"):
        with gzip.open(capture, "rt") as lines:
            rows = [row for row in map(json.loads, lines) if row["kind"] == "ws"][:5000]
        for row in rows:
            data = json.loads(row["raw"])["data"]
            first = data[0] if isinstance(data, list) else data
            payload = row["raw"].encode().partition(b'"data":')[2]
            kind = event_type(payload)

            assert kind is None or kind in KNOWN
            assert (kind and kind.decode()) == first.get("e")
            assert event_time(payload) == first.get("E")
