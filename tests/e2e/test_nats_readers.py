"""The bus is a public interface: a plain NATS client reads frames from documented subjects."""

import asyncio

import msgspec
import nats
from nats.aio.msg import Msg

from tests.e2e.client import Client, until
from tests.e2e.fleet import Fleet


async def test_plain_nats_client_reads_frames_while_somebody_wants_the_stream(fleet: Fleet) -> None:
    reader = await nats.connect(fleet.nats_url)
    got: list[Msg] = []

    async def keep(message: Msg) -> None:
        got.append(message)

    await reader.subscribe("fsnats.spot.btcusdt.kline_1m", cb=keep)
    await reader.flush()
    async with Client(f"{fleet.ws}/stream?streams=btcusdt@kline_1m") as client:
        await until(lambda: len(got) >= 3 and len(client.messages) >= 3, "both read")
    await reader.close()
    frames = [msgspec.msgpack.decode(message.data) for message in got]
    for frame in frames:
        version, stream, received_ns, epoch, seq, flags, payload, published_ns = frame
        assert (version, stream, flags) == (1, "btcusdt@kline_1m", 0)
        assert 0 < epoch < received_ns <= published_ns
        assert seq >= 1
        assert msgspec.json.decode(payload)["k"]["i"] == "1m"
    assert [frame[4] for frame in frames] == list(range(frames[0][4], frames[0][4] + len(frames)))
    # What the WebSocket client got is what travelled.
    assert client.payloads("btcusdt@kline_1m")[0] in [msgspec.json.decode(frame[6]) for frame in frames]


async def test_wildcard_reads_every_symbol_that_is_wanted(fleet: Fleet) -> None:
    reader = await nats.connect(fleet.nats_url)
    streams: set[str] = set()

    async def note(message: Msg) -> None:
        streams.add(msgspec.msgpack.decode(message.data)[1])

    await reader.subscribe("fsnats.usdm.*.kline_5m", cb=note)
    await reader.flush()
    async with Client(f"{fleet.ws}/usdm/ws/btcusdt@kline_5m/ethusdt@kline_5m"):
        async with asyncio.timeout(20):
            await until(lambda: streams == {"btcusdt@kline_5m", "ethusdt@kline_5m"}, "both symbols")
    await reader.close()
