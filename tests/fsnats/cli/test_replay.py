"""`fsnats replay`: what it takes, and what it says; that it plays is tests/e2e/test_captures.py."""

import math
from pathlib import Path

import pytest
import typer

from fsnats.captures.check import Checked, check
from fsnats.captures.player import FOREVER, Progress
from fsnats.cli.replay import between_ns, far, found, inventory, summary
from tests.fsnats.captures.test_check import write
from tests.fsnats.cli.conftest import fsnats


def test_a_directory_means_the_captures_in_it(tmp_path: Path) -> None:
    names = ["b.jsonl.zst", "a.jsonl.gz", "c.jsonl.zst.part", "b.jsonl.zst.json", "notes.txt"]
    for name in names:
        (tmp_path / name).touch()
    inside = [tmp_path / name for name in ("a.jsonl.gz", "b.jsonl.zst", "c.jsonl.zst.part")]
    assert found([tmp_path]) == inside
    assert found([inside[1], tmp_path]) == [inside[1], inside[0], inside[2]]
    (tmp_path / "empty").mkdir()
    with pytest.raises(typer.BadParameter, match="no capture"):
        found([tmp_path / "empty"])


def test_it_says_what_there_is_to_play_and_what_is_odd(tmp_path: Path) -> None:
    proved, unproved = write(tmp_path / "a.gz", 1, 2), write(tmp_path / "b.gz", 3, described=False)
    files = check([proved, unproved])
    files[1] = Checked(unproved, files[1].manifest, is_proved=False, is_cut=True)
    first, *odd = inventory(files).splitlines()
    assert first.startswith("2 files, 3 messages of 1 stream, 2001-09-09T01:46:40.000Z to ")
    assert odd[0] == "! b.gz is unfinished and cut off: it ends early"
    assert odd[1].startswith("! 1 file without a manifest")
    assert len(odd) == 2


def test_it_says_how_far_it_is() -> None:
    progress = Progress(messages=1500, notices=1, rounds=1, at_ns=10**18, begun=True, seconds=0.5)
    assert far(progress, 2000, 0) == "replay: 2001-09-09T01:46:40.000Z, 1,500 messages (of 2,000 a round)"
    assert summary(progress) == "replay: 1,500 messages and 1 notice of gaps played in 0.5 s (3,000 a second)"
    assert far(Progress(), 2000, 3) == "replay: waits for clients to listen to 3 streams"
    progress.rounds, progress.deaf_clients = 2, 1
    assert "round 2" in far(progress, 2000, 0)
    assert "1 client not reading" in far(progress, 2000, 0)
    assert "0 a second" in summary(Progress())
    assert math.isfinite(progress.seconds)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--speed", "0"), "--speed"),
        (("--speed", "fast"), "--speed"),
        (("--wait", "some"), "--wait"),
    ],
)
async def test_options_that_make_no_sense_are_named(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    ended = await fsnats("replay", str(write(tmp_path / "a.gz", 1)), *arguments)
    assert ended.status == 64
    assert told in ended.err


def test_what_is_played_lies_between_two_moments_both_included() -> None:
    assert between_ns(None, None, 0) == (0, FOREVER)
    assert between_ns("2001-09-09T01:46:40", "2001-09-09T01:46:40.001", 0) == (10**18, 10**18 + 1_999_999)
    assert between_ns("1m", "now", 10**12 + 60_000) == (10**18, 10**18 + 60 * 10**9 + 999_999)


async def test_a_time_that_is_none_is_named(tmp_path: Path) -> None:
    ended = await fsnats("replay", str(write(tmp_path / "a.gz", 1)), "--from", "noon")
    assert ended.status == 78
    assert "'noon' is no moment" in ended.err


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (("--from", "1h", "--to", "2h"), "'1h' is after '2h'"),
        (("--from", "2020-01-01"), "all that was captured is from 2001-09-09T01:46:40.000Z to"),
        (("--to", "2001-09-09"), "all that was captured is from 2001-09-09T01:46:40.000Z to"),
    ],
)
async def test_times_between_which_there_is_nothing_to_serve_are_refused(
    tmp_path: Path, times: tuple[str, ...], told: str
) -> None:
    ended = await fsnats("replay", str(write(tmp_path / "a.gz", 1, 2)), *times)
    assert ended.status == 78
    assert told in ended.err


async def test_a_damaged_file_ends_it_with_one_sentence_that_names_the_place(tmp_path: Path) -> None:
    good, bad = write(tmp_path / "a.gz", 1), write(tmp_path / "b.gz", 1, 2)
    data = bytearray(bad.read_bytes())
    data[-6] ^= 1
    bad.write_bytes(data)
    ended = await fsnats("replay", str(good), str(bad))
    assert ended.status == 78
    assert ended.err.startswith(f"fsnats: {bad}: damaged after line 0: what begins at byte 0 cannot be unpacked")
    assert len(ended.err.splitlines()) == 1


async def test_a_bus_that_others_use_is_not_played_on(tmp_path: Path) -> None:
    settings = {"nats_url": "nats://127.0.0.1:4222"}
    ended = await fsnats("replay", str(write(tmp_path / "a.gz", 1)), settings=settings)
    assert ended.status == 78
    assert "FSNATS_NATS_URL: a replay has a NATS server of its own" in ended.err
