"""Recorded days of the exchange pass through the whole pipeline unchanged: nothing lost, moved or rewritten."""

import contextlib
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import Frame, Opcode

from fsnats.binance.streams import Market
from tests.conftest import RECORDINGS
from tests.e2e.client import until
from tests.e2e.conftest import Measure, StartFleet
from tests.e2e.fleet import Fleet
from workers.simulator.replay import events

# Five captures are of the same six minutes, and are replayed as one: all symbols of all markets at once.
TOGETHER = "hb.*.20240808.jsonl.gz"
ALONE = sorted(path.name for path in (RECORDINGS / "captures").glob("cf.*.jsonl.gz"))
# So many times faster than recorded.  The largest burst then brings one client about a megabyte in a tenth of a second.
SPEED = {TOGETHER: 25}
SPEED_ALONE = 40
_STREAM = re.compile(rb'\{"stream":"([^"]+)","data":')

pytestmark = pytest.mark.recorded


class Listener(ClientConnection):
    """A client that only keeps the bytes it is sent, fast enough for any replay."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.texts: list[bytes] = []

    def process_event(self, event: Any) -> None:
        if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
            assert event.fin
            self.texts.append(bytes(event.data))
        else:
            super().process_event(event)

    def by_stream(self) -> dict[str, list[bytes]]:
        """The payloads of a combined connection, in order."""
        found: dict[str, list[bytes]] = {}
        for text in self.texts:
            start = _STREAM.match(text)
            assert start is not None, text[:200]
            assert text.endswith(b"}"), text[-200:]
            found.setdefault(start[1].decode(), []).append(text[start.end() : -1])
        return found


@contextlib.asynccontextmanager
async def listening(url: str) -> AsyncIterator[Listener]:
    """Connect to a gateway."""
    async with connect(url, proxy=None, compression=None, max_size=None, create_connection=Listener) as connection:
        assert isinstance(connection, Listener)
        yield connection


def recorded(captures: list[Path]) -> dict[Market, dict[str, list[bytes]]]:
    """The payloads by market and stream, in order."""
    found: dict[Market, dict[str, list[bytes]]] = {}
    for message in events(tuple(captures)):
        found.setdefault(message.market, {}).setdefault(message.stream, []).append(message.data)
    return found


def counts(streams: dict[str, list[bytes]]) -> dict[str, int]:
    """How many payloads there are of each stream."""
    return {stream: len(payloads) for stream, payloads in streams.items()}


def replay(fleet: Fleet) -> dict[str, Any]:
    """How far the exchange is."""
    progress: dict[str, Any] = fleet.ledger()["replay"]
    return progress


@pytest.mark.parametrize("pattern", [TOGETHER, *ALONE])
async def test_capture_arrives_complete_in_order_and_byte_for_byte(
    recordings: Path, start_fleet: StartFleet, measure: Measure, pattern: str
) -> None:
    captures = sorted((recordings / "captures").glob(pattern))
    assert captures
    wanted = recorded(captures)
    total = sum(len(payloads) for streams in wanted.values() for payloads in streams.values())
    speed = SPEED.get(pattern, SPEED_ALONE)
    options = [f"--replay={capture}" for capture in captures]
    fleet = start_fleet(
        simulator=(*options, "--speed", str(speed), "--replay-waits"),
        markets=",".join(wanted),
        log_level="warning",
    )
    async with contextlib.AsyncExitStack() as stack:
        combined, raw = {}, {}
        for market, streams in wanted.items():
            base = f"{fleet.ws}/{market}"
            combined[market] = await stack.enter_async_context(listening(f"{base}/stream?streams={'/'.join(streams)}"))
            busiest = max(streams, key=lambda stream: len(streams[stream]))
            raw[market, busiest] = await stack.enter_async_context(listening(f"{base}/ws/{busiest}"))
        await until(lambda: not replay(fleet)["unsubscribed"], "the exchange is asked for every stream")
        begun = time.monotonic()
        fleet.tell_simulator("replay/start")

        def complete() -> bool:
            return sum(len(listener.texts) for listener in combined.values()) >= total and all(
                len(listener.texts) >= len(wanted[market][stream]) for (market, stream), listener in raw.items()
            )

        with contextlib.suppress(AssertionError):  # what is missing is said below
            await until(lambda: complete() or not all(map(is_open, combined.values())), "all has arrived", within=60)
        took = time.monotonic() - begun
        assert {listener.close_code for listener in (*combined.values(), *raw.values())} == {None}
        assert (replay(fleet)["sent"], replay(fleet)["finished"]) == (total, True)
    for market, listener in combined.items():
        got = listener.by_stream()
        assert counts(got) == counts(wanted[market])
        assert got == wanted[market]
    for (market, stream), listener in raw.items():
        assert listener.texts == wanted[market][stream]
    measure(f"{pattern}: {total} messages in {took:.1f} s, {total / took:,.0f} a second")


def is_open(listener: Listener) -> bool:
    return listener.close_code is None
