import msgspec
import pytest

from fsnats.binance.streams import Market
from workers.simulator.ledger import Connection, Ledger, Violation


@pytest.fixture
def ledger() -> Ledger:
    book = Ledger()
    for id_, names in ((1, ["a@trade", "b@trade"]), (2, ["b@trade"])):
        book.connections[id_] = Connection(id_, Market.SPOT, "", "peer", 0, dict.fromkeys(names))
    return book


def test_subscribers_are_counted_over_open_connections(ledger: Ledger) -> None:
    assert [ledger.subscribers(Market.SPOT, name) for name in ("a@trade", "b@trade", "c@trade")] == [1, 2, 0]
    assert ledger.subscribers(Market.USDM, "a@trade") == 0
    assert ledger.subscribed(Market.SPOT) == ["a@trade", "b@trade", "b@trade"]


def test_events_are_counted_per_market(ledger: Ledger) -> None:
    ledger.of(Market.SPOT, "a@trade").produced += 2
    ledger.of(Market.USDM, "a@trade").produced += 3
    assert (ledger.produced(), ledger.produced(Market.SPOT)) == (5, 2)


def test_violations_are_all_counted_and_the_first_ones_kept(ledger: Ledger) -> None:
    for at in range(10_005):
        ledger.violate(Violation("messages", Market.SPOT, 1, "peer", "", at))
    assert ledger.violations_count == 10_005
    assert len(ledger.violations) == 10_000


def test_identities_are_numbered_and_the_newest_are_kept(ledger: Ledger) -> None:
    events = ledger.of(Market.SPOT, "a@trade")
    for number in range(20_010):
        events.produced += 1
        events.note("trade", b'{"t":%d,"p":"1","q":"1","T":1,"m":true}' % number, number)
    page = msgspec.json.decode(msgspec.json.encode(events.since(0)))
    assert (page["first"], page["next"], len(page["events"])) == (10, 20_010, 20_000)
    assert page["events"][0][:2] == [10, ["10", 10, 10, page["events"][0][1][3], page["events"][0][1][4], True]]
    assert msgspec.json.decode(msgspec.json.encode(events.since(20_009)))["first"] == 20_009
    assert events.since(20_010)["events"] == events.since(99_999)["events"] == []


def test_the_snapshot_is_json(ledger: Ledger) -> None:
    ledger.requests[Market.SPOT, "/api/v3/time"] = 1
    told = msgspec.json.decode(msgspec.json.encode(ledger.snapshot()))
    assert told["connections"][0]["streams"] == ["a@trade", "b@trade"]
    assert told["requests"] == {"spot/api/v3/time": 1}
