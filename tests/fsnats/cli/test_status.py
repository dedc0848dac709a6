"""`fsnats status` against a real NATS server."""

import random
from collections.abc import AsyncIterator

import msgspec
import pytest

from fsnats.bus.nats import NatsBus
from fsnats.status import Status, respond
from tests.fsnats.cli.conftest import free_port, fsnats

SUPERVISOR: Status = {
    "program": "supervisor",
    "version": "9.9",
    "pid": 1,
    "uptime": 3725.0,
    "programs": [
        {"name": "ingest-spot-0", "state": "ready", "pid": 2, "restarts": 3, "uptime": 5.0, "rss": 40 * 1024**2},
        {"name": "history", "state": "gave up", "pid": None, "restarts": 0, "uptime": None, "last_exit": 78},
    ],
    "markets": {"spot": {"symbols": 59, "groups": 1, "simulated": True, "taken_ms": 1, "trouble": "tcp: no route [x]"}},
    "exits": [
        {"name": "direct", "score": 1.0, "dials_free": 57, "weight": {"spot": {"used": 1040, "limit": 5400}}},
        {
            "name": "http://h:1",
            "score": 0.25,
            "dials_free": 60,
            "troubles": [
                {"area": "fapi.binance.com", "score": 0.75},
                {"area": "stream.binance.com", "score": 0.5, "verdict": "unserved", "reason": "HTTP 451", "wait": 75.0},
                {
                    "area": "REST of spot",
                    "score": 0.25,
                    "verdict": "banned",
                    "reason": "HTTP 418",
                    "wait": 0.9,
                    "is_probed": True,
                },
            ],
        },
    ],
    "replay_trouble": "JetStream refused: no memory",
}
WORKER: Status = {
    "program": "ingest-spot-0",
    "kind": "ingest",
    "pid": 2,
    "market": "spot",
    "silent": {
        "count": 3,
        "unheard": 7,
        "one_sided": 2,
        "streams": [
            {
                "stream": "btcusdt@aggTrade",
                "seconds": 75.4,
                "cadence": None,
                "reason": "btcusdt@kline_1m speaks",
                "trying": "another connection",
            }
        ],
    },
    "odd": {"html": 2, "future": 1234},
    "connections": [
        {
            "id": "ingest-spot-0-0a",
            "status": "connected",
            "exit": "socks5h://h:1080",
            "streams": ["btcusdt@trade", "btcusdt@depth", "btcusdt@aggTrade", "ethusdt@trade"],
            "live": 3,
            "joined": 2,
            "message_count": 1234567,
            "buffered": 12,
            "dials": 7,
            "rotations": 2,
            "age": 65.0,
            "last_error": "the connection was cut",
            "close_code": 1006,
            "first": 654321,
            "late_mean_ms": 1.25,
            "late_max_ms": 40.5,
        }
    ],
}
GATEWAY: Status = {
    "program": "gateway-x-3",
    "kind": "gateway",
    "pid": 3,
    "ready": "yes",
    "simulated": True,
    "clients": 17,
    "counted": {"lost": 5},
    "unknown_names": ["spot:nope@trade"],
}


HISTORY: Status = {
    "program": "history",
    "kind": "history",
    "pid": 4,
    "clocks": {"spot": {"market": "spot", "offset_ms": -61000.4, "rtt_ms": 12.0, "at_ms": 1}},
    "store": {"state": "the disk is full", "rows_read": 7, "rows_kept": 0},
}
RECORDER: Status = {
    "program": "recorder",
    "kind": "recorder",
    "pid": 5,
    "streams": {"usdm": 3, "spot": 1},
    "klines": 1200,
    "trades": 34567,
    "frames": 0,
    "backlog": 42,
    "backlog_seconds": 75.0,
    "in_window": 1000,
    "holes": 3,
    "holes_left": 2,
    "fetched": 60,
    "last_commit_age": 76.0,
    "store_trouble": "the file is locked",
    "window_trouble": {"spot": "NATS is not connected"},
    "refused": 1,
    "met": {"read": 40000, "unreadable": 2},
    "sample": "not a frame",
}


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[NatsBus]:
    async with NatsBus([nats_url], "test", random.random) as bus:
        await bus.connected()
        yield bus


async def answering(bus: NatsBus, *answers: Status) -> None:
    for answer in answers:
        respond(bus, lambda answer=answer: answer)  # type: ignore[misc]
    await bus.flush()


async def test_the_fleet_is_shown_and_simulated_data_is_named(nats_url: str, bus: NatsBus) -> None:
    await answering(bus, SUPERVISOR, WORKER, GATEWAY, HISTORY)
    ended = await fsnats("status", "--wait", "0.3", nats_url=nats_url)
    assert ended.status == 0
    assert ended.out.startswith("SIMULATED DATA")
    lines = {line.split()[0]: line.split() for line in ended.out.splitlines() if line.strip()}
    assert lines["supervisor"][:4] == ["supervisor", "ready", "1", "1h02m"]
    assert lines["ingest-spot-0"][:6] == ["ingest-spot-0", "ready", "2", "5.0s", "40M", "3"]
    assert lines["spot"][:4] == ["spot", "SIMULATED", "59", "1"]
    assert lines["spot"][-6:] == ["-61000", "ms,", "measured", "in", "12", "ms"]
    assert lines["ingest-spot-0-0a"][:6] == ["ingest-spot-0-0a", "connected", "4", "3", "1,234,567", "7"]
    assert lines["ingest-spot-0-0a"][-1] == "socks5h://h:1080"
    assert lines["gateway-x-3"][:2] == ["gateway-x-3", "yes"]


async def test_exits_are_shown_with_what_is_left_of_their_budgets_and_what_is_wrong(
    nats_url: str, bus: NatsBus
) -> None:
    await answering(bus, SUPERVISOR)
    out = (await fsnats("status", "--wait", "0.3", nats_url=nats_url)).out
    rows = out.partition("\nexits")[2].splitlines()[2:6]
    assert [row.split() for row in rows] == [
        ["direct", "57", "1,040", "of", "5,400", "1.00"],
        ["http://h:1", "60", "0.25", "REST", "of", "spot", "banned", "now"],
        ["0.50", "stream.binance.com", "unserved", "in", "1m15s"],
        ["0.75", "failed", "lately", "for", "fapi.binance.com"],
    ]


async def test_verbosely_all_that_is_known_of_a_connection_is_shown(nats_url: str, bus: NatsBus) -> None:
    await answering(bus, SUPERVISOR, WORKER)
    out = (await fsnats("status", "--verbose", "--wait", "0.3", nats_url=nats_url)).out
    (line,) = (line for line in out.splitlines() if line.startswith("ingest-spot-0-0a"))
    told = line.split("socks5h://h:1080")[1].split(maxsplit=7)
    expected = ["2", "654,321", "1.2/40.5", "ms", "12", "2", "1006", "the connection was cut"]
    assert [each.strip() for each in told] == expected


async def test_what_is_wrong_is_told_in_sentences(nats_url: str, bus: NatsBus) -> None:
    await answering(bus, SUPERVISOR, WORKER, GATEWAY, HISTORY)
    out = (await fsnats("status", "--wait", "0.3", nats_url=nats_url)).out
    assert "! spot cannot be asked: tcp: no route [x]" in out
    assert "! history gave up with status 78" in out
    assert "! exit http://h:1 is not used for REST of spot: HTTP 418" in out
    assert "fapi" not in out.partition("!")[2]
    assert "! spot: this machine's clock is 61.00 s ahead of the exchange's" in out
    assert "! history answers without the store: the disk is full" in out
    assert "! there is no replay window: JetStream refused: no memory" in out
    assert "! ingest-spot-0: streams are silent that should not be, 3 of them: btcusdt@aggTrade" in out
    assert "! ingest-spot-0: 2 streams come by one connection only, of several" in out
    assert "! ingest-spot-0 got messages that are not as they should be: future 1,234, html 2" in out
    assert "spot:nope@trade" in out


async def test_silent_streams_are_listed_with_what_is_tried(nats_url: str, bus: NatsBus) -> None:
    await answering(bus, SUPERVISOR, WORKER, {**WORKER, "program": "ingest-spot-1", "silent": {"count": 0}})
    out = (await fsnats("status", "--wait", "0.3", nats_url=nats_url)).out
    after = out[out.index("silent streams") :].splitlines()
    assert " ".join(after[2].split()) == "btcusdt@aggTrade spot 1m15s btcusdt@kline_1m speaks another connection"
    assert after[3].split() == ["and", "2", "more", "spot"]


async def test_a_capture_shows_what_it_wrote_and_that_the_disk_is_full(nats_url: str, bus: NatsBus) -> None:
    capture: Status = {
        **{"program": "capture-here-7", "kind": "capture", "pid": 7, "streams": 3, "written": 4_500, "files": 2},
        **{"waiting": 60, "gaps": 1, "refused": 5, "trouble": "No space left on device"},
    }
    await answering(bus, SUPERVISOR, capture)
    out = (await fsnats("status", settings={"nats_url": nats_url})).out
    row = out.partition("\ncaptures")[2].splitlines()[2]
    assert " ".join(row.split()) == "capture-here-7 3 4,500 2 60 1 5 No space left on device"
    assert "! capture-here-7 cannot write: No space left on device; 60 lines wait" in out


async def test_a_recorder_shows_what_it_wrote_and_what_waits(nats_url: str, bus: NatsBus) -> None:
    await answering(bus, SUPERVISOR, RECORDER)
    out = (await fsnats("status", "--wait", "0.3", nats_url=nats_url)).out
    row = out.partition("\nrecorders")[2].splitlines()[2]
    assert " ".join(row.split()) == "recorder 4 1,200 34,567 0 42 1m15s 1,000 3 60 1m16s ago waited for"
    assert "! recorder waits for the store: the file is locked" in out
    assert "! recorder cannot read the replay window of spot: NATS is not connected" in out
    assert "! recorder: the store refused rows 1 times" in out
    assert "! recorder: 2 holes are left" in out
    assert "! recorder could not read 2 frames, the newest one: not a frame" in out


async def test_json_holds_every_answer_unchanged(nats_url: str, bus: NatsBus) -> None:
    strange: Status = {"program": "zebra", "kind": "new", "stripes": [1, 2]}
    await answering(bus, SUPERVISOR, strange)
    ended = await fsnats("status", "--json", "--wait", "0.3", nats_url=nats_url)
    assert ended.status == 0
    told = msgspec.json.decode(ended.out)
    assert (told["simulated"], told["programs"]) == (True, [SUPERVISOR, strange])
    assert "history gave up with status 78; its own lines say why" in [each["what"] for each in told["troubles"]]


async def test_real_data_is_not_called_simulated(nats_url: str, bus: NatsBus) -> None:
    await answering(bus, {**SUPERVISOR, "markets": {"spot": {"symbols": 1, "simulated": False}}})
    out = (await fsnats("status", "--wait", "0.3", nats_url=nats_url)).out
    assert "SIMULATED" not in out
    assert "Binance" in out


async def test_without_a_supervisor_it_ends_with_69(nats_url: str, bus: NatsBus) -> None:
    await answering(bus, GATEWAY)
    ended = await fsnats("status", "--wait", "0.3", nats_url=nats_url)
    assert ended.status == 69
    assert "gateway-x-3" in ended.out
    assert "no supervisor answers" in ended.err


async def test_without_nats_it_ends_with_69_and_one_sentence() -> None:
    ended = await fsnats("status", nats_url=f"nats://me:s3cret@127.0.0.1:{free_port()}")
    assert ended.status == 69
    assert ended.err.count("\n") == 1
    assert "NATS does not answer at nats://127.0.0.1:" in ended.err
    assert "s3cret" not in ended.err
