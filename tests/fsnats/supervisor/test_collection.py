import asyncio
import os
from tempfile import TemporaryDirectory

import msgspec

from fsnats.metrics.family import Page, gauge
from fsnats.metrics.sockets import telling
from fsnats.supervisor.collection import collected
from fsnats.supervisor.lifeline import Word
from fsnats.supervisor.programs import Program, Stage
from fsnats.supervisor.supervisor import Supervisor
from tests.clock import HandClock, settle
from tests.fsnats.supervisor.test_supervisor import FakeChild

CLIENTS = gauge("fsnats_gateway_clients", "clients")


def program(name: str, numbers: str = "") -> Program:
    return Program(name=name, argv=(name,), environ={}, stage=Stage.WORKERS, numbers=numbers)


async def test_pages_of_those_that_answer_and_what_the_kernel_knows_of_the_others() -> None:
    async def spawn(program: Program) -> FakeChild:
        return FakeChild(program, os.getpid(), [])  # of us the kernel knows something

    async def pages() -> list[Page]:
        return [Page("gateway-1", [CLIENTS.one(1)]), Page("gateway-2", [CLIENTS.one(2)])]

    with TemporaryDirectory() as place:
        crowd = program("gateway", f"{place}/gateway.sock")
        programs = [crowd, program("history", f"{place}/no.sock"), program("nats")]
        async with (
            telling(crowd.numbers, pages),
            Supervisor(spawn, HandClock(), lambda _event: None) as supervisor,
            asyncio.TaskGroup() as tasks,
        ):
            starting = tasks.create_task(supervisor.adjust(programs))
            await settle()
            supervisor.heard(Word("nats", ready=True))
            found = await collected("supervisor", supervisor, lambda: [CLIENTS.one(0)])
            starting.cancel()
    names = {page.program: {family.name for family in page.families} for page in found}
    assert names.keys() == {"supervisor", "gateway-1", "gateway-2", "history", "nats"}
    assert {"fsnats_gateway_clients", "fsnats_up", "fsnats_program_restarts_total"} <= names["supervisor"]
    assert "process_resident_memory_bytes" in names["nats"] & names["history"]
    up = next(family for page in found for family in page.families if family.name == "fsnats_up")
    assert {sample.labels["program"]: sample.value for sample in up.samples} == {"gateway": 1, "history": 0, "nats": 1}
    assert msgspec.json.encode(found)
