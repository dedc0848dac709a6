"""Several gateways on one port, as real processes; the simulator stands in for a program that needs nothing."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from fsnats.config import Config
from fsnats.process import Stopping
from fsnats.supervisor.crowd import crowd, members
from tests.conftest import eventually

PROGRAM = """
import asyncio, os, pathlib
from fsnats import notify
from fsnats.process import reloading, run
async def main(stopping):
    place, name = pathlib.Path(os.environ["PLACE"]), os.environ["FSNATS_PROGRAM"]
    with reloading((place / f"again.{name}").touch, stopping):
        (place / f"{name}.{os.getpid()}").touch()
        notify.from_environment().say("READY=1")
        await stopping.wait()
run(main)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "stub.py").write_text(PROGRAM)
    (tmp_path / "pids").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PLACE", str(tmp_path / "pids"))
    return tmp_path / "pids"


def pids(place: Path, name: str) -> list[int]:
    return [int(path.suffix[1:]) for path in sorted(place.glob(f"{name}.*"))]


def test_members_are_numbered() -> None:
    assert [program.name for program in members("gateway", ["gateway"], 2, {})] == ["gateway-1", "gateway-2"]


async def test_a_dead_member_alone_is_started_again_and_all_stop_together(place: Path) -> None:
    stopping = Stopping()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(crowd(Config(), stopping, "gateway", ["stub"], 2))
        await eventually(lambda: pids(place, "gateway-1") and pids(place, "gateway-2"))
        (first,), (second,) = pids(place, "gateway-1"), pids(place, "gateway-2")
        os.kill(first, 9)
        await eventually(lambda: len(pids(place, "gateway-1")) == 2)

        assert pids(place, "gateway-2") == [second]
        stopping.request()
        await running
    for pid in (*pids(place, "gateway-1"), second):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_hangup_is_handed_on_to_all_members(place: Path) -> None:
    stopping = Stopping()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(crowd(Config(), stopping, "gateway", ["stub"], 2))
        await eventually(lambda: pids(place, "gateway-1") and pids(place, "gateway-2"))

        os.kill(os.getpid(), signal.SIGHUP)
        await eventually(lambda: all((place / f"again.gateway-{number}").exists() for number in (1, 2)))
        stopping.request()
        await running
