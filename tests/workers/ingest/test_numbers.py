"""What a worker that carries tells, by the simulated exchange."""

from fsnats.binance.streams import Market, parse
from tests.clock import HandClock
from tests.conftest import eventually
from tests.workers.ingest.test_recovery import Rig as Holes
from tests.workers.ingest.test_worker import Rig, rig
from workers.ingest import numbers
from workers.ingest.backlog import Backlog
from workers.ingest.worker import Worker

__all__ = ["rig"]  # a fixture


def told(worker: Worker) -> dict[str, float]:
    """By name, and by the value of the label behind the market."""
    return {
        "/".join([family.name.removeprefix("fsnats_ingest_"), *list(sample.labels.values())[1:]]): sample.value
        for family in worker.numbers()
        for sample in family.samples
    }


async def test_messages_connections_and_control_messages_are_counted(rig: Rig) -> None:
    async with rig.worker() as worker:
        rig.announce("add", "btcusdt@trade")
        await eventually(lambda: len(rig.frames) > 20)
        now = told(worker)
        assert now["messages_total"] >= now["frames_total"] >= 20
        assert now["read_bytes_total"] > 100 * now["frames_total"]
        assert (now["streams"], now["gateways"]) == (2, 1)  # the second is for new contracts
        assert (now["dials_total/ok"], now["controls_total/subscribe"]) == (2, 2)
        assert now["connections/connected"] == 2
        assert "connections_lost_total/1006" not in now


async def test_what_closed_connections_counted_stays(rig: Rig) -> None:
    async with rig.worker() as worker:
        rig.announce("add", "btcusdt@trade")
        await eventually(lambda: len(rig.frames) > 20)
        before = told(worker)
        rig.announce("whole")  # nobody wants it any more: its feed goes, and its connection
        await eventually(lambda: told(worker)["streams"] == 1)
        await eventually(lambda: told(worker)["connections/connected"] == 1)
        assert told(worker)["read_bytes_total"] >= before["read_bytes_total"]
        assert told(worker)["frames_total"] >= before["frames_total"]
        assert told(worker)["dials_total/ok"] == 2


async def test_what_was_missing_is_counted() -> None:
    holes = Holes(HandClock())
    name = "btcusdt@aggTrade"
    holes.router.carry({name: parse(Market.SPOT, name)})
    backlog = Backlog(lambda _subject, _frame: False, lambda: False, HandClock().monotonic)
    backlog.publish("fsnats.spot.btcusdt.aggTrade", b"frame")
    holes.recovery.recovered, holes.recovery.late, holes.recovery.gaps = 5, 2, 1
    families = numbers.of_loss("spot", holes.recovery, backlog, 3, 4)
    assert {family.name.removeprefix("fsnats_ingest_"): family.samples[0].value for family in families} == {
        "filling": 0,
        "recovered_total": 5,
        "late_total": 2,
        "gaps_total": 1,
        "waiting": 1,
        "waiting_bytes": backlog.bytes,
        "dropped_total": 0,
        "sent_again_total": 0,
        "silent_streams": 3,
        "unheard_streams": 4,
    }
