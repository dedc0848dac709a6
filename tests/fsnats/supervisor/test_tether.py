import asyncio
import os
import subprocess
import sys

from fsnats.process import SUPERVISOR_PID
from fsnats.supervisor.tether import MODULE
from tests.conftest import eventually
from tests.fsnats.supervisor.test_child import is_alive


def test_a_foreign_program_is_run_in_place() -> None:
    argv = [sys.executable, "-P", "-m", MODULE, "sh", "-c", 'echo $$ $0 "$@"; exit 3', "a b", "c"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        output, _ = process.communicate()

    assert output == f"{process.pid} a b c\n"
    assert process.returncode == 3


async def test_a_foreign_program_dies_with_its_supervisor() -> None:
    code = (
        "import os, subprocess, sys, time\n"
        f"environ = {{**os.environ, {SUPERVISOR_PID!r}: str(os.getpid())}}\n"
        f"child = subprocess.Popen([sys.executable, '-P', '-m', {MODULE!r}, 'sleep', '600'], env=environ)\n"
        "print(child.pid, flush=True); time.sleep(600)"
    )
    supervisor = await asyncio.create_subprocess_exec(sys.executable, "-P", "-c", code, stdout=subprocess.PIPE)
    assert supervisor.stdout is not None
    pid = int(await supervisor.stdout.readline())
    await eventually(lambda: _command(pid).startswith(b"sleep"))
    supervisor.kill()
    await supervisor.wait()

    await eventually(lambda: not is_alive(pid))


def _command(pid: int) -> bytes:
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()


def test_the_environment_passes_through() -> None:
    argv = [sys.executable, "-P", "-m", MODULE, "sh", "-c", "echo $GOMAXPROCS"]

    assert subprocess.check_output(argv, env={**os.environ, "GOMAXPROCS": "1"}) == b"1\n"
