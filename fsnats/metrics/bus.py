"""What a program tells of its connection to NATS."""

from fsnats.bus.nats import NatsBus
from fsnats.metrics.family import Family, counter, gauge

CONNECTED = gauge("fsnats_bus_connected", "1 while the program is connected to NATS")
RECONNECTS = counter("fsnats_bus_reconnects", "connections to NATS that were lost")
REFUSED = counter("fsnats_bus_refused", "messages that NATS could not be given: gone, or too slow")
READ = counter("fsnats_bus_read_bytes", "bytes read from NATS")
WRITTEN = counter("fsnats_bus_written_bytes", "bytes written to NATS")


def of_bus(bus: NatsBus) -> list[Family]:
    """Its numbers now."""
    return [
        CONNECTED.one(bus.is_connected),
        RECONNECTS.one(bus.reconnects),
        REFUSED.one(bus.refused),
        READ.one(bus.read_bytes),
        WRITTEN.one(bus.written_bytes),
    ]
