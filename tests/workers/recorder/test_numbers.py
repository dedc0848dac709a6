from fsnats.bus.memory import MemoryBus
from fsnats.metrics.family import Family
from tests.workers.recorder.shelf import Shelf
from tests.workers.recorder.test_recorder import Booth
from workers.recorder.numbers import of_status


def told(families: list[Family]) -> dict[str, float]:
    return {
        "/".join([family.name.removeprefix("fsnats_recorder_"), *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


async def test_a_recorder_that_has_written_nothing_says_so_and_why() -> None:
    booth = Booth(MemoryBus(), Shelf(locked=True))  # type: ignore[arg-type]  # a bus is a bus
    now = told(of_status(booth.recorder.status()))
    assert (now["rows_total/trades"], now["batches_total"], now["backlog"]) == (0, 0, 0)
    assert now["store_trouble"] == 1  # not open yet
    assert "commit_age_seconds" not in now


async def test_what_was_written_and_refused_is_told() -> None:
    booth = Booth(MemoryBus(), Shelf())  # type: ignore[arg-type]  # a bus is a bus
    writer = booth.recorder.writer
    writer.written["trades"], writer.refused, writer.trouble, writer.last_commit = 12, 1, "", 0.0
    now = told(of_status(booth.recorder.status()))
    assert (now["rows_total/trades"], now["refused_total"], now["store_trouble"]) == (12, 1, 0)
    assert now["commit_age_seconds"] > 0
