"""The exchange's clock and this machine's, as everybody is told."""

import json
import re
from typing import Any

import nats
from nats.aio.msg import Msg

from tests.e2e.client import until
from tests.e2e.conftest import StartFleet

SKEW = 60_000  # milliseconds


async def test_a_clock_that_is_wrong_is_measured_and_told(start_fleet: StartFleet) -> None:
    fleet = start_fleet(supervisor=None)
    fleet.tell_simulator(f"faults/skew?milliseconds={SKEW}")
    fleet.start_supervisor()
    reader = await nats.connect(fleet.nats_url)
    told: dict[str, Any] = {}

    async def keep(message: Msg) -> None:
        told[message.subject] = json.loads(message.data)

    await reader.subscribe("fsnats.clock.*", cb=keep)
    # What is published now is published again every ten seconds.
    await until(lambda: told.keys() >= {"fsnats.clock.spot", "fsnats.clock.usdm"}, "both markets' clocks", within=40)
    await reader.close()
    for offset in told.values():
        # One machine, one clock: what is left is the way, and what the exchange rounds away.
        assert abs(offset["offset_ms"] - SKEW) <= offset["rtt_ms"] / 2 + 1

    status = fleet.start("status", "fsnats", "status", "--wait", "3")
    await until(lambda: status.status is not None, "the status is there", within=40)
    assert re.search(r"! usdm: this machine's clock is (59|60)\.\d\d s behind the exchange's", status.said())
    assert "ages and delays mislead" in fleet.supervisor.said()
