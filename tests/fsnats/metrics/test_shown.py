from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fsnats.metrics.family import Page, gauge
from fsnats.metrics.shown import shown, whole
from fsnats.metrics.sockets import SOCKET, WHOLE, ask, telling
from fsnats.metrics.vitals import Vitals
from fsnats.notify import PROGRAM

CLIENTS = gauge("fsnats_gateway_clients", "clients")


async def test_a_program_tells_its_numbers_under_the_name_that_its_supervisor_gave_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with TemporaryDirectory() as directory:
        address = f"{directory}/a.sock"
        monkeypatch.setenv(SOCKET, address)
        monkeypatch.setenv(PROGRAM, "gateway-1")
        async with shown("gateway", Vitals(), lambda: [CLIENTS.one(3)]):
            answer = (await ask({"a": address}, 5))["a"]
    assert answer is not None
    (page,) = answer
    assert page.program == "gateway-1"
    assert {"process_resident_memory_bytes", "fsnats_loop_lag_seconds", "fsnats_gateway_clients"} <= {
        family.name for family in page.families
    }


async def test_one_of_many_tells_of_all_and_of_itself_when_nobody_knows_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def everybody() -> list[Page]:
        return [Page("gateway-1", []), Page("gateway-2", [])]

    with TemporaryDirectory() as directory:
        monkeypatch.setenv(WHOLE, f"{directory}/all.sock")
        monkeypatch.setenv(PROGRAM, "gateway-1")
        async with telling(f"{directory}/all.sock", everybody):
            assert [page.program for page in await whole("gateway", Vitals(), list)] == ["gateway-1", "gateway-2"]
        assert [page.program for page in await whole("gateway", Vitals(), list)] == ["gateway-1"]
