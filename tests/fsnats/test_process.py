"""The life of a process, with real processes."""

import asyncio
import gc
import os
import re
import signal
import subprocess
import sys

import pytest

from fsnats import process
from tests.conftest import eventually


def start(body: str, **environ: str) -> subprocess.Popen[str]:
    script = f"""
import asyncio, sys
from fsnats.process import run, Stopping
from fsnats.errors import *
async def main(stopping):
{body}
sys.exit(run(main))
"""
    return subprocess.Popen(
        [sys.executable, "-P", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environ,
    )


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        ("ConfigError('FSNATS_X', 'is wrong')", 78, "fsnats: FSNATS_X: is wrong\n"),
        ("ExchangeUnavailable('dns', 'no such host')", 69, "fsnats: dns: no such host\n"),
        ("ExceptionGroup('', [ConfigError('A', 'b')])", 78, "fsnats: A: b\n"),
    ],
)
def test_expected_errors_end_with_one_sentence_and_their_status(error: str, status: int, says: str) -> None:
    process = start(f"    raise {error}")
    _, stderr = process.communicate(timeout=20)

    assert (process.returncode, stderr) == (status, says)


def test_a_bug_ends_with_its_traceback() -> None:
    process = start("    raise ZeroDivisionError('oops')")
    _, stderr = process.communicate(timeout=20)

    assert process.returncode == 1
    assert "ZeroDivisionError: oops" in stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_for_an_orderly_stop(number: signal.Signals) -> None:
    process = start("    print('up', flush=True)\n    await stopping.wait()\n    print('down')")
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=20)

    assert (process.returncode, stdout) == (0, "down\n")


def test_a_second_signal_ends_at_once() -> None:
    process = start(
        "    print('up', flush=True)\n    await stopping.wait()\n    print('stuck', flush=True)\n"
        "    await asyncio.sleep(99)"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.terminate()
    assert process.stdout.readline() == "stuck\n"
    process.terminate()
    process.communicate(timeout=20)

    assert process.returncode == 137


LINGERING = """
import asyncio, os
from fsnats.process import run
async def leave():
    os.write(1, b"leaving ")
    await asyncio.sleep(99)
async def main(stopping):
    os.write(1, b"up ")
    await stopping.wait()
    await stopping.linger(leave())
    os.write(1, b"hurrying ")
    await asyncio.sleep(99)
run(main)
"""


def test_a_slow_stop_is_cut_short_by_a_second_signal_and_ended_by_a_third() -> None:
    with subprocess.Popen([sys.executable, "-P", "-c", LINGERING], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for said in (b"up ", b"leaving ", b"hurrying "):
            assert process.stdout.read(len(said)) == said
            process.terminate()

        assert process.wait(20) == 137


RELOADING = """
import os
from fsnats.process import reloading, run
async def main(stopping):
    with reloading(lambda: os.write(1, b"reload "), stopping):
        os.write(1, b"up ")
        await stopping.wait()
        os.write(1, b"stopped")
run(main)
"""


def test_sighup_reads_files_again_as_often_as_it_comes() -> None:
    with subprocess.Popen([sys.executable, "-P", "-c", RELOADING], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(3) == b"up "
        for _ in range(2):
            process.send_signal(signal.SIGHUP)
            assert process.stdout.read(7) == b"reload "
        process.terminate()

        assert process.stdout.read() == b"stopped"


def test_sighup_of_a_closed_terminal_stops() -> None:
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-P", "-c", RELOADING], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        assert process.stdout is not None
        assert process.stdout.read(3) == b"up "
        process.send_signal(signal.SIGHUP)  # somebody's `kill -HUP`: the terminal is there
        assert process.stdout.read(7) == b"reload "
        os.close(ours)
        process.send_signal(signal.SIGHUP)

        assert process.stdout.read() == b"stopped"


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
async def test_a_child_dies_with_its_supervisor_however_that_dies() -> None:
    # The supervisor stands in as a process that starts the child and sleeps.
    script = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-P", "-c",
    "import asyncio\\nfrom fsnats.process import run\\n"
    "async def main(stopping):\\n    print('up', flush=True)\\n    await stopping.wait()\\nrun(main)"],
    env=os.environ | {"FSNATS_SUPERVISOR_PID": str(os.getpid())}, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(99)
"""
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", script, stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout is not None
    child = int(await supervisor.stdout.readline())
    supervisor.kill()
    await supervisor.wait()

    await eventually(lambda: not is_alive(child))


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and waits to be collected does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_a_program_has_built_is_nothing_for_the_garbage_collector() -> None:
    try:
        process.settle()
        assert len(gc.get_objects()) < gc.get_freeze_count()
    finally:
        gc.unfreeze()


def test_two_of_one_program_never_have_one_name_even_where_host_and_number_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "gw>a.*.example.org")
    names = {process.own_name("gateway") for _ in range(8)}
    assert len(names) > 1
    assert all(re.fullmatch(rf"gateway-gw-a-{os.getpid()}-[0-9a-f]{{4}}", name) for name in names)
