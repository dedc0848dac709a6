"""Messages into files, and out of them again: what a capture and a replay cost, without the bus between them."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.captures.check import check, played
from fsnats.captures.player import Player, Playing
from fsnats.captures.writer import Form, Rotation, Writer
from fsnats.clock import SystemClock
from fsnats.frames import VERSION, Frame, encode
from fsnats.headway import Headway, respond
from fsnats.symbols import TRADING, Listing, Symbol
from tests.bench.report import Row, Values
from workers.capture.capture import Capture
from workers.capture.desk import Desk

TITLE = "captures: 200 streams, messages of 150 and 600 bytes"
ROWS = (
    Row("capture", "captured, CPU for a message, all threads", "µs"),
    Row("rate", "captured by one process", "messages/s", "≥ 20,000"),
    Row("bytes", "a message on disk (zstd)", "bytes"),
    Row("check", "checked before it is played: a file against its manifest", "MB/s"),
    Row("replay", "replayed, CPU for a message, without gateways", "µs"),
    Row("played", "replayed by one process", "messages/s", "≥ 20,000"),
)
_SYMBOLS = [f"S{number:03}USDT" for number in range(100)]
_TURN = 500  # messages that one read from the bus brings


def measure(tools: Path, quick: bool) -> Values:
    """One repetition."""
    count = 20_000 if quick else 100_000
    with TemporaryDirectory(prefix="fsnats-bench-captures-") as name:
        return asyncio.run(_measure(Path(name), count))


async def _measure(directory: Path, count: int) -> Values:
    frames = _frames(count)
    clock, bus = SystemClock(), MemoryBus()
    writer = Writer(directory, time.time_ns(), Form.ZSTD, Rotation(2**40, 1e9), simulated=True)

    def desk(emptied: Callable[[], None]) -> Desk:
        return Desk(writer, clock, 1.0, 2**40, emptied)

    symbols = [Symbol(name, name, "", TRADING) for name in _SYMBOLS]
    wishes = {Market.SPOT: ["*@trade", "*@depth@100ms"]}
    capture = Capture(bus, "bench", wishes, {Market.SPOT: Listing(Market.SPOT, 0, True, symbols)}, {}, desk)
    working, writing = asyncio.create_task(capture.run()), asyncio.create_task(capture.desk.run())
    await asyncio.sleep(0.1)
    received = {name: one.sid for name, one in capture._streams[Market.SPOT].items()}
    callbacks = {name: bus._subscriptions[sid][2] for name, sid in received.items()}
    started, cpu = time.monotonic(), time.process_time()
    for turn in range(0, count, _TURN):
        for stream, data in frames[turn : turn + _TURN]:
            callbacks[stream]("", "", data)
        await asyncio.sleep(0)
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    capture.desk.close()
    await writing
    file, size = _only_file(directory)
    values = {
        "capture": (time.process_time() - cpu) / count * 1e6,
        "rate": count / (time.monotonic() - started),
        "bytes": size / count,
    }
    assert writer.finished.frames == count
    return values | await _replay(file, size, count)


async def _replay(file: Path, size: int, count: int) -> Values:
    started = time.monotonic()
    files = check([file])
    checked = size / (time.monotonic() - started) / 1e6
    hall = MemoryBus()
    respond(hall, lambda: Headway("bench"))
    player = Player(hall, "bench", SystemClock(), Playing(speed=float("inf")))
    await player.begin()
    started, cpu = time.monotonic(), time.process_time()
    await player.play(played(files))
    assert player.progress.messages == count
    return {
        "check": checked,
        "replay": (time.process_time() - cpu) / count * 1e6,
        "played": count / (time.monotonic() - started),
    }


def _only_file(directory: Path) -> tuple[Path, int]:
    (file,) = directory.glob("*.zst")
    return file, file.stat().st_size


def _frames(count: int) -> list[tuple[str, bytes]]:
    dice = random.Random(1)
    seqs: dict[str, int] = {}
    frames = []
    now = time.time_ns()
    for number in range(count):
        symbol = dice.choice(_SYMBOLS)
        head = f'"E":{1795174351000 + number},"s":"{symbol}"'
        if number % 4:
            stream = f"{symbol.lower()}@trade"
            price, quantity = f"{dice.random() * 1e5:.8f}", f"{dice.random():.8f}"
            rest = f'"t":{number},"p":"{price}","q":"{quantity}","T":{1795174350990 + number},"m":false,"M":true'
            payload = f'{{"e":"trade",{head},{rest}}}'
        else:
            stream = f"{symbol.lower()}@depth@100ms"
            levels = ",".join(f'["{dice.random() * 1e5:.8f}","{dice.random():.8f}"]' for _ in range(16))
            payload = f'{{"e":"depthUpdate",{head},"U":{number},"u":{number},"b":[{levels}]}}'
        seq = seqs[stream] = seqs.get(stream, 0) + 1
        received = now + number * 10_000
        frames.append((stream, encode(Frame(VERSION, stream, received, 1, seq, 0, payload.encode(), received))))
    return frames
