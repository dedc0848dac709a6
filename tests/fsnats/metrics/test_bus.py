import random

from fsnats.bus.nats import NatsBus
from fsnats.metrics.bus import of_bus
from tests.conftest import NatsServer
from tests.e2e.client import until


async def test_what_goes_over_the_bus_is_counted_over_all_connections(nats: NatsServer) -> None:
    def now() -> dict[str, float]:
        return {family.name: family.samples[0].value for family in of_bus(bus)}

    async with NatsBus([nats.url], "numbers", random.random) as bus:
        await bus.connected()
        assert now()["fsnats_bus_connected"] == 1
        bus.publish("a.b", b"x" * 1000)
        await bus.flush()
        before = now()
        assert before["fsnats_bus_written_bytes_total"] > 1000
        nats.stop()
        await until(lambda: not bus.is_connected, "the loss is noticed")
        gone = now()
        assert gone["fsnats_bus_connected"] == 0
        nats.start()
        await bus.connected()
        assert bus.publish("a.b", b"")
        after = now()
    assert after["fsnats_bus_reconnects_total"] == 1
    for name in ("fsnats_bus_read_bytes_total", "fsnats_bus_written_bytes_total"):
        assert before[name] <= gone[name] < after[name]
