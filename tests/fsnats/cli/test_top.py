"""`fsnats top` against a real NATS server."""

import asyncio
import json

import pytest

from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.fleet.streams import Sort, Streams, StreamsRequest, decode_request, encode, merged
from fsnats.rollcall import answering as answers_on
from fsnats.subjects import STREAMS_REQUEST
from tests.fsnats.cli.conftest import PATIENCE, command, environment, fsnats, until
from tests.fsnats.cli.terminal import terminal
from tests.fsnats.cli.test_status import HISTORY, SUPERVISOR, answering, bus
from tests.gateway.rest.test_fleet import stream

__all__ = ["bus"]  # the fixture

ROWS = (
    stream("btcusdt@trade", rate=5.25, byte_rate=1000.0, age=0.1, lag_ms=61_050.0, gaps=1234, actual=0.19),
    stream("btcusdt@depth", rate=1.0, byte_rate=9000.0, age=2.0, lag_ms=61_009.0, expected=1.0, expected_by="type"),
    stream("quietusdt@trade", rate=None, byte_rate=None, age=None, lag_ms=None, state="waiting"),
    stream("ethusdt@forceOrder", rate=0.0, age=99.0, lag_ms=None, expected_by="at will", state="quiet"),
    stream("ethusdt@kline_1m", state="silent", rate=0.0, reason="ethusdt@trade speaks", trying="subscribing again"),
)
Asked = list[StreamsRequest]


@pytest.fixture
async def asked(bus: NatsBus) -> Asked:
    """What a worker is asked that carries ROWS."""
    asked: Asked = []

    def tell(question: bytes) -> bytes:
        asked.append(request := decode_request(question))
        found = [row for row in ROWS if request.q in row.stream]
        first = merged([encode(Streams("", 1, Market.SPOT, 0, 0, found))], request, {}).streams
        return encode(Streams("ingest-spot-0", 7, Market.SPOT, len(ROWS), len(found), first))

    answers_on(bus, STREAMS_REQUEST, tell)
    await answering(bus, SUPERVISOR, HISTORY)
    return asked


def row_of(out: str, name: str) -> str:
    (line,) = (line for line in out.splitlines() if line.startswith(name))
    return " ".join(line.split())


async def test_streams_are_shown_with_how_they_flow(nats_url: str, asked: Asked) -> None:
    ended = await fsnats("top", "--once", nats_url=nats_url)
    assert ended.status == 0
    assert ended.out.startswith("SIMULATED DATA")
    assert "5 of 5 streams, carried by 1 workers, by rate" in ended.out
    # This machine's clock is 61 s ahead, as the history worker says.
    assert row_of(ended.out, "btcusdt@trade").startswith(
        "btcusdt@trade spot flows 5.2 1.0 0.1s 50 ms unknown 190 ms 1,234"
    )
    assert row_of(ended.out, "btcusdt@depth").startswith("btcusdt@depth spot flows 1.0 9.0 2.0s 9 ms 1.0s")
    assert (
        row_of(ended.out, "quietusdt") == "quietusdt@trade spot waiting none yet unknown ingest-spot-0 nothing came yet"
    )
    assert "at will" in row_of(ended.out, "ethusdt@forceOrder")
    because = "ethusdt@trade speaks, trying subscribing again"
    assert row_of(ended.out, "ethusdt@kline_1m").endswith(because)
    assert "! spot: this machine's clock is 61.00 s ahead" in ended.out  # troubles stand below
    assert [request.sort for request in asked] == [Sort.RATE]


async def test_what_is_asked_for_is_what_the_options_say(nats_url: str, asked: Asked) -> None:
    ended = await fsnats(
        *("top", "--once", "--json", "--sort", "bytes", "--market", "spot", "--match", "btc", "--limit", "1"),
        nats_url=nats_url,
    )
    told = json.loads(ended.out)
    assert [each["stream"] for each in told["streams"]] == ["btcusdt@depth"]
    assert (told["simulated"], told["carried"], told["total"], told["workers"]) == (True, 5, 2, 1)
    assert (told["absent"], "programs" in told) == ([], False)
    assert {"severity", "what", "where", "do"} <= told["troubles"][0].keys()
    assert asked == [StreamsRequest((Market.SPOT,), "btc", Sort.BYTES, 1)]


async def test_live_it_is_sorted_anew_by_a_key_and_shows_what_fits(nats_url: str, asked: Asked) -> None:
    watch = command("top", "--interval", "0.1")

    def first() -> str:
        names = [line.split()[0] for line in shown.screen.splitlines() if "@" in line]
        return names[0] if names else ""

    async with terminal(*watch, env=environment(nats_url=nats_url), rows=30) as shown:
        await until(lambda: first() == "btcusdt@trade")
        assert asked[-1].limit == 18
        shown.type("b")
        await until(lambda: first() == "btcusdt@depth")
        shown.type("q")
        async with asyncio.timeout(PATIENCE):
            assert await shown.process.wait() == 0


async def test_a_silent_stream_is_red(nats_url: str, asked: Asked) -> None:
    async with terminal(*command("top", "--interval", "0.1"), env=environment(nats_url=nats_url)) as shown:
        await until(lambda: "\x1b[31methusdt@kline_1m" in shown.picture)
        await until(lambda: "\x1b[33mquietusdt@trade" in shown.picture)


async def test_where_no_worker_answers_it_ends_with_69(nats_url: str, bus: NatsBus) -> None:
    await answering(bus, SUPERVISOR)
    ended = await fsnats("top", "--once", nats_url=nats_url)
    assert (ended.status, "no worker answers" in ended.err) == (69, True)
