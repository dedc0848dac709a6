"""Today's logs over HTTP, from files that the test wrote."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest

from fsnats.config import Config
from fsnats.logs.entries import Entry, encoded, stamp
from gateway.admission.pace import Paces
from gateway.admission.tokens import read
from gateway.rest import logs
from gateway.rest.logs import TodaysLogs
from tests.clock import HandClock
from tests.gateway.rest.test_facade import AUTHORIZED, House

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
TODAY = "/api/logs/today"


class Named(House):
    name = "gateway-here-1"


@pytest.fixture
def house(tmp_path: Path) -> Named:
    house = Named()
    house.config = Config(state_dir=str(tmp_path), gateway_requests=1000.0)
    (tmp_path / "logs").mkdir()
    return house


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


@pytest.fixture
async def http(house: Named, clock: HandClock) -> AsyncIterator[httpx.AsyncClient]:
    async with connected(house, clock) as http:
        yield http


def connected(house: Named, clock: HandClock, peer: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(TodaysLogs(house, clock, Paces()), client=(peer, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:8080")


def write(house: House, seconds: float, program: str = "gateway", level: str = "info", **more: object) -> Entry:
    entry: Entry = {"time": stamp(NOON + seconds), "level": level, "program": program, "event": "a.b", "message": "m"}
    entry |= more
    day = str(entry["time"])[:10]
    with (Path(house.config.state_dir) / "logs" / f"{program}.{day}.jsonl").open("a") as file:
        file.write(encoded(entry) + "\n")
    return entry


async def test_todays_entries_come_as_they_were_written_with_whose_they_may_be(
    house: Named, http: httpx.AsyncClient
) -> None:
    write(house, -86_400, "history", message="yesterday")
    wrote = [write(house, -3, "ingest-spot-0", message="币\n", sample={"a": [1]}), write(house, -1)]
    reply = await http.get(TODAY)
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    told = reply.json()
    assert told.pop("next")
    assert told == {
        "date": "2026-11-20",
        "gateway": "gateway-here-1",
        "programs": ["gateway", "ingest-spot-0"],
        "count": 2,
        "complete": True,
        "broken": 0,
        "entries": wrote,
    }


async def test_entries_are_chosen_by_program_level_number_and_time(house: Named, http: httpx.AsyncClient) -> None:
    for second in range(10):
        write(house, second, "history", "warning" if second % 2 else "info", message=str(second))
    write(house, 5, "recorder", "error")

    async def messages(query: str) -> list[str]:
        return [entry["message"] for entry in (await http.get(f"{TODAY}?{query}")).json()["entries"]]

    assert await messages("program=history&level=warning&limit=2") == ["7", "9"]
    assert await messages("program=recorder,nobody") == ["m"]
    assert await messages("program=history&after=2026-11-20T12:00:07") == ["8", "9"]
    assert len(await messages("limit=1000")) == 11


async def test_who_comes_back_gets_what_was_logged_since(
    house: Named, http: httpx.AsyncClient, clock: HandClock
) -> None:
    write(house, 0)
    first = (await http.get(TODAY)).json()
    write(house, 1, message="new")
    await clock.advance(86_400)  # past midnight
    write(house, 86_401, message="tomorrow")
    second = (await http.get(TODAY, params={"after": first["next"]})).json()
    assert [entry["message"] for entry in second["entries"]] == ["new", "tomorrow"]
    assert (second["date"], second["complete"]) == ("2026-11-21", True)
    third = (await http.get(TODAY, params={"after": second["next"]})).json()
    assert (third["entries"], third["complete"]) == ([], True)


async def test_what_does_not_fit_is_said_to_be_missing(
    house: Named, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for second in range(5):
        write(house, second, message="x" * 1000)
    assert (await http.get(f"{TODAY}?limit=4")).json()["complete"] is False
    monkeypatch.setattr(logs, "BYTES_MOST", 3000)
    told = (await http.get(f"{TODAY}?limit=5")).json()
    assert (told["count"], told["complete"]) == (2, False)


async def test_a_disk_that_stands_still_holds_up_nothing_else(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = threading.Event()

    def listdir(_place: Path) -> list[str]:
        moves.wait()
        return []

    monkeypatch.setattr(logs, "_WITHIN", 0.05)
    monkeypatch.setattr("fsnats.logs.reading.os.listdir", listdir)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    try:
        for _ in range(2):
            reply = await http.get(TODAY)
            assert (reply.status_code, reply.json()["code"]) == (503, "BUSY")
        async with asyncio.timeout(10):
            assert await asyncio.to_thread(lambda: "done") == "done"
    finally:
        moves.set()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("level=loud", "debug, info, warning, error, critical"),
        ("limit=0", "from 1 to 1000"),
        ("limit=1001", "from 1 to 1000"),
        ("limit=many", "from 1 to 1000"),
        ("limit=٣", "from 1 to 1000"),
        ("limit=0000000010000", "from 1 to 1000"),
        pytest.param(f"limit=000000001{'0' * 5000}", "from 1 to 1000", id="more digits than Python converts"),
        ("after=soon", "is no moment"),
        ("after=eyJ4IjoxfQ", "is no cursor"),
        ("file=../secret", "unknown parameter 'file'"),
        ("level=info&level=info", "2 times"),
        ("&".join(f"a{number}=" for number in range(33)), "more than 32 parameters"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_a_sentence(http: httpx.AsyncClient, query: str, says: str) -> None:
    reply = await http.get(f"{TODAY}?{query}")
    assert reply.status_code == 400
    assert reply.json()["code"] == "INVALID_FIELD"
    assert says in reply.json()["detail"]


async def test_no_program_and_no_cursor_leads_to_another_file(house: Named, http: httpx.AsyncClient) -> None:
    state = Path(house.config.state_dir)
    outside = state / "secret.2026-11-20.jsonl"
    outside.write_text(encoded({"time": stamp(NOON), "level": "info", "program": "../secret", "message": "m"}) + "\n")
    assert (await http.get(f"{TODAY}?program=../secret")).json()["entries"] == []
    (state / "logs" / "link.2026-11-20.jsonl").symlink_to(outside)
    assert (await http.get(TODAY)).json()["entries"] == []


async def test_it_is_read_only(http: httpx.AsyncClient) -> None:
    reply = await http.post(TODAY)
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert (await http.head(TODAY)).content == b""


async def test_from_another_machine_nobody_may_without_a_token_for_logs(house: Named, clock: HandClock) -> None:
    async with connected(house, clock, "10.0.0.7") as http:
        reply = await http.get(TODAY)
        assert (reply.status_code, reply.json()["code"]) == (403, "FORBIDDEN")
        entry = "[[token]]\nname = 'operator'\ntoken = 's3cr3t-s3cr3t-s3cr3t'\n"
        house.tokens = read(entry)
        assert (await http.get(TODAY)).status_code == 401
        assert (await http.get(TODAY, headers=AUTHORIZED)).status_code == 403
        house.tokens = read(entry + "logs = true\n")
        assert (await http.get(TODAY, headers=AUTHORIZED)).status_code == 200


async def test_logs_are_shown_also_while_the_gateway_cannot_serve(house: Named, http: httpx.AsyncClient) -> None:
    house.missing = "NATS is not connected"
    assert (await http.get(TODAY)).status_code == 200


async def test_where_no_files_are_written_it_says_so(house: Named, clock: HandClock) -> None:
    house.config = msgspec.structs.replace(house.config, log_files=False)
    async with connected(house, clock) as http:
        reply = await http.get(TODAY)
    assert reply.status_code == 404
    assert "FSNATS_LOG_FILES" in json.loads(reply.content)["detail"]
