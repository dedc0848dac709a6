import json
import sys
import time
from pathlib import Path

import pytest

from fsnats.logs.entries import Entry, encoded, stamp
from tests.fsnats.cli.conftest import environment, fsnats, running

NOW = time.time()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "state" / "logs"
    directory.mkdir(parents=True)
    return directory


def write(directory: Path, ago: float, program: str, level: str, message: str, **more: object) -> None:
    entry: Entry = {"time": stamp(NOW - ago), "level": level, "program": program, "event": "a.b", "message": message}
    entry |= more
    with (directory / f"{program}.{str(entry['time'])[:10]}.jsonl").open("a") as file:
        file.write(encoded(entry) + "\n")


async def messages(*arguments: str) -> list[str]:
    ended = await fsnats("logs", *arguments)
    assert (ended.status, ended.err) == (0, "")
    return [json.loads(line)["message"] for line in ended.out.splitlines()]


async def test_lines_of_all_programs_come_in_their_order_chosen_as_asked(directory: Path) -> None:
    for ago in (90_000, 7_000, 30, 20):
        write(directory, ago, "gateway", "info", f"gateway {ago}")
        write(directory, ago - 1, "history", "warning", f"history {ago}")
    every = [f"{program} {ago}" for ago in (90_000, 7_000, 30, 20) for program in ("gateway", "history")]
    assert await messages() == every
    assert await messages("--since", "1h") == every[-4:]
    assert await messages("--since", "1h", "-n", "1") == every[-1:]
    assert await messages("-n", "3") == every[-3:]
    assert await messages("--program", "history", "--level", "warning", "--since", "2h") == [
        "history 7000",
        "history 30",
        "history 20",
    ]
    assert await messages("-p", "history", "-p", "gateway", "--level", "error") == []


async def test_for_people_it_says_when_who_and_what_and_nothing_moves_their_cursor(directory: Path) -> None:
    write(directory, 1, "gateway", "warning", "late\n\x1b[2K", feed="f", exception="Trace\nOops")
    ended = await fsnats("logs", "--pretty")
    when = time.strftime("%m-%d %H:%M:%S", time.localtime(NOW - 1))
    assert ended.out.splitlines() == [
        f"{when} gateway         warning  late\\n\\x1b[2K  feed=f",
        "    Trace",
        "    Oops",
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--level", "loud"], 64, "'loud' is none of debug, info, warning, error, critical"),
        (["--since", "soon"], 78, "'soon' is no moment"),
    ],
)
async def test_what_makes_no_sense_is_refused(directory: Path, arguments: list[str], status: int, says: str) -> None:
    ended = await fsnats("logs", *arguments)
    assert ended.status == status
    assert says in ended.err


async def test_a_program_that_has_no_file_here_is_named_with_those_that_have(directory: Path) -> None:
    write(directory, 10, "gateway", "info", "one")
    write(directory, 10, "history", "info", "two")
    ended = await fsnats("logs", "-p", "gatway", "-p", "history", "--level", "error")
    assert (ended.status, ended.out) == (0, "")
    assert ended.err == "fsnats: no log file here is of gatway; there are those of gateway, history\n"


async def test_where_nobody_logs_it_says_where_it_looked(tmp_path: Path) -> None:
    ended = await fsnats("logs")
    assert ended.status == 78
    assert str(tmp_path / "state" / "logs") in ended.err


async def test_lines_that_are_none_are_counted(directory: Path) -> None:
    write(directory, 1, "gateway", "info", "m")
    with (directory / f"gateway.{stamp(NOW)[:10]}.jsonl").open("a") as file:
        file.write("Traceback\n")
    ended = await fsnats("logs")
    assert ended.out.count("\n") == 1
    assert "1 lines of these files are none" in ended.err


async def test_it_goes_on_with_what_comes_into_old_files_and_new_ones(directory: Path) -> None:
    write(directory, 20, "gateway", "info", "old")
    command = (sys.executable, "-P", "-m", "fsnats", "logs", "--follow", "--json")
    async with running(*command, env=environment(state_dir=str(directory.parent))) as follower:
        assert follower.stdout is not None
        assert json.loads(await follower.stdout.readline())["message"] == "old"
        write(directory, 10, "gateway", "info", "new")
        assert json.loads(await follower.stdout.readline())["message"] == "new"
        write(directory, 0, "history", "info", "another file")
        assert json.loads(await follower.stdout.readline())["message"] == "another file"
