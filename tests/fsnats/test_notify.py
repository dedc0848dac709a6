import asyncio
import socket
from pathlib import Path

from fsnats.notify import Notifier


def listener(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind(str(path))
    return listening


def test_what_is_said_reaches_the_listener_with_the_programs_name(tmp_path: Path) -> None:
    with listener(tmp_path / "s") as heard:
        Notifier({"NOTIFY_SOCKET": str(tmp_path / "s"), "FSNATS_PROGRAM": "ingest-spot-0"}).say("READY=1", "STATUS=up")

        assert heard.recv(4096) == b"X_PROGRAM=ingest-spot-0\nREADY=1\nSTATUS=up"


def test_a_slow_stop_asks_for_time(tmp_path: Path) -> None:
    with listener(tmp_path / "s") as heard:
        Notifier({"NOTIFY_SOCKET": str(tmp_path / "s")}).stopping(12.5)

        assert heard.recv(4096) == b"STOPPING=1\nEXTEND_TIMEOUT_USEC=12500000"


def test_abstract_sockets_are_spelled_with_an_at_sign() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0fsnats-test-notify")
        Notifier({"NOTIFY_SOCKET": "@fsnats-test-notify"}).say("READY=1")

        assert heard.recv(4096) == b"READY=1"


def test_nobody_listening_is_nobodys_problem(tmp_path: Path) -> None:
    Notifier({}).say("READY=1")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).say("READY=1")


def test_the_beat_is_half_of_what_systemd_allows() -> None:
    assert Notifier({"WATCHDOG_USEC": "30000000"}).interval == 15.0
    assert Notifier({}).interval == 5.0


async def test_the_beat_goes_on(tmp_path: Path) -> None:
    with listener(tmp_path / "s") as heard:
        heard.settimeout(10)
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "s"), "WATCHDOG_USEC": "2000"})
        async with asyncio.TaskGroup() as tasks:
            beating = tasks.create_task(notifier.beat())
            for _ in range(3):
                assert await asyncio.to_thread(heard.recv, 100) == b"WATCHDOG=1"
            beating.cancel()
