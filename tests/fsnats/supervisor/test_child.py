import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from fsnats.supervisor.child import OsProcess, start
from fsnats.supervisor.programs import Program, Stage
from tests.conftest import eventually


def python(code: str) -> Program:
    return Program(name="child", argv=(sys.executable, "-P", "-c", code), environ=dict(os.environ), stage=Stage.WORKERS)


Begin = Callable[..., Awaitable[OsProcess]]


@pytest.fixture
async def begin() -> AsyncIterator[Begin]:
    """`start` for a script, whose process does not outlive the test."""
    children: list[OsProcess] = []

    async def started(code: str, on_line: Callable[[str], None] = print) -> OsProcess:
        child = await start(python(code), on_line)
        children.append(child)
        return child

    yield started
    for child in children:
        child.kill()
        await child.wait()


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


async def test_both_outputs_are_heard_and_the_last_line_needs_no_end(begin: Begin) -> None:
    lines: list[str] = []
    code = "import sys; print('out', flush=True); sys.stderr.write('err\\n'); sys.stderr.write('last')"
    child = await begin(code, lines.append)

    assert await child.wait() == 0
    await eventually(lambda: lines == ["out", "err", "last"], str(lines))


async def test_the_exit_status_is_told_to_everybody_who_waits(begin: Begin) -> None:
    child = await begin("raise SystemExit(78)")

    assert list(await asyncio.gather(child.wait(), child.wait())) == [78, 78]


async def test_a_signal_is_told_as_a_negative_number(begin: Begin) -> None:
    child = await begin("import time; time.sleep(600)")
    child.kill()

    assert await child.wait() == -9
    child.kill()  # and once more harms nobody


async def test_a_process_can_stop_in_its_own_way(begin: Begin) -> None:
    ready: list[str] = []
    code = "import signal, sys\nsignal.signal(15, lambda *_: sys.exit(3))\nprint('up', flush=True)\nsignal.pause()"
    child = await begin(code, ready.append)
    await eventually(lambda: ready)
    child.terminate()

    assert await child.wait() == 3


async def grandparent(begin: Begin) -> tuple[OsProcess, int]:
    """A process that started another one, and that one's pid."""
    lines: list[str] = []
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, flush=True); time.sleep(600)"
    )
    child = await begin(code, lines.append)
    await eventually(lambda: lines)
    return child, int(lines[0])


async def test_what_a_child_started_does_not_outlive_its_kill(begin: Begin) -> None:
    child, grandchild = await grandparent(begin)
    child.kill()
    await child.wait()

    await eventually(lambda: not is_alive(grandchild))


async def test_what_a_child_started_does_not_outlive_its_crash(begin: Begin) -> None:
    child, grandchild = await grandparent(begin)
    os.kill(child.pid, 9)
    await child.wait()

    await eventually(lambda: not is_alive(grandchild))


async def test_a_child_has_a_size_while_it_lives(begin: Begin) -> None:
    child = await begin("import time; time.sleep(600)")
    await eventually(lambda: child.rss() > 1_000_000)  # before its exec it has next to none of its own
    child.kill()
    await child.wait()

    assert child.rss() == 0


async def test_ctrl_c_in_the_terminal_is_ours_alone(begin: Begin) -> None:
    lines: list[str] = []
    child = await begin("import os; print(os.getsid(0) == os.getpid(), flush=True)", lines.append)
    await child.wait()

    await eventually(lambda: lines == ["True"])


async def test_a_command_that_does_not_exist() -> None:
    program = Program(name="x", argv=("/no/such/command",), environ={}, stage=Stage.WORKERS)

    with pytest.raises(FileNotFoundError):
        await start(program, print)
