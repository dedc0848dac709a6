"""Bytes that nobody should send, before and after the handshake: who does is answered in good form or cut off, and
nothing else happens.

The cases are the same each time; `FUZZ_CASES=100000 FUZZ_SEED=7 pytest tests/e2e/test_fuzz.py` tries others, and more.
"""

import asyncio
import contextlib
import json
import os
import random
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from pathlib import Path

import pytest
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from tests.certificates import make_certificate
from tests.e2e.client import Client, until
from tests.e2e.fleet import Fleet, free_port
from tests.e2e.mutations import mutated
from tests.e2e.storm import CLOSE, DEFLATE, Guest, deflated, frame, guest, handshake

_STREAM = "btcusdt@depth@100ms"
_PATHS = ("/", "/usdm", "/ws", "/stream", f"/usdm/ws/{_STREAM}")
_CASES, _AT_ONCE = int(os.environ.get("FUZZ_CASES", "1500")), 16
_SEED = int(os.environ.get("FUZZ_SEED", "1"))
_WITHIN = 60.0  # seconds for one case, on a busy machine

_BEFORE = (
    handshake("/"),
    handshake(f"/stream?streams={_STREAM}/ethusdt@trade&timeUnit=MILLISECOND"),
    handshake("/?token=0123456789abcdef&envelope=combined&seq=1&onSlow=disconnect"),
    handshake("/ws", DEFLATE),
    handshake("/ws") + frame(b'{"method":"LIST_SUBSCRIPTIONS","id":1}'),
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n1\r\nx\r\n0\r\n",
    b"GET /api/v3/klines?symbol=BTCUSDT&interval=1m&limit=2 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n",
    b"GET /fapi/v1/depth?symbol=BTCUSDT&limit=5 HTTP/1.1\r\nHost: x\r\nX-MBX-TIME-UNIT: millisecond\r\n\r\n",
    b"HEAD /nothing HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n" + handshake("/"),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
)
_REQUESTS: tuple[dict[str, object], ...] = (
    {"type": "subscribe", "rawStreams": [_STREAM, "ethusdt@kline_1m"], "id": 1},
    {"type": "subscribe", "streamType": "kline", "symbols": ["ALL"], "options": {"interval": "1m", "maxRate": 0.5}},
    {"type": "subscribe", "rawStreams": [_STREAM], "resume": {_STREAM: {"epoch": 1, "seq": 2}}, "snapshot": False},
    {"type": "unsubscribe", "streamType": "trade", "symbols": ["btcusdt", "_global_"], "market": "usdm"},
    {"type": "getHistoricalKlines", "symbol": "btcusdt", "interval": "1m", "limit": 2, "startTime": 1},
    {"type": "listSubscriptions", "id": "x"},
    {"method": "SUBSCRIBE", "params": [_STREAM, "nosuch@trade"], "id": 1},
    {"method": "UNSUBSCRIBE", "params": [_STREAM], "id": None},
    {"method": "SET_PROPERTY", "params": ["combined", True], "id": 9007199254740993},
)
_TEXTS = tuple(json.dumps(request).encode() for request in _REQUESTS)
_FRAMES = (
    *map(frame, _TEXTS),
    *map(deflated, _TEXTS),
    deflated(bytes(1_000_000)),
    frame(b"ping", 9),
    frame(b"", 10),
    frame(b"\x00\x01", 2),
    frame(b"x" * 70_000),
    bytes((0x01, 0x83)) + bytes(4) + b'{"t' + bytes((0x80, 0x8E)) + bytes(4) + b'ype":"ping"}  ',
    CLOSE,
    frame(b"\x03\xe8going", 8) + frame(b"{}"),
)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("fuzz")
    with Fleet(directory, markets="spot,usdm", gateway_handshake_timeout=1, gateway_idle_timeout=1) as fleet:
        yield fleet


@pytest.fixture
async def bystander(fleet: Fleet) -> AsyncIterator[Client]:
    """Somebody who reads all the while, and a log without a word of complaint."""
    async with Client(f"{fleet.ws}/stream?streams={_STREAM}") as client:
        await client.delivered(_STREAM)
        yield client
        await client.delivered(_STREAM)
    said = [line for line in fleet.supervisor.said().splitlines() if '"program":"gateway"' in line]
    assert [line for line in said if '"level":"info"' not in line] == []


class Fuzzer:
    """Sends cases, each to a connection of its own, and looks at what is answered."""

    def __init__(
        self, port: int, paths: Sequence[str], cases: Iterator[bytes], *, begins: tuple[bytes, ...] = (b"HTTP/1.1 ",)
    ) -> None:
        """`paths` are those of connections that have shaken hands before; without any, cases are the first bytes.

        `begins` is how an answer to first bytes begins.
        """
        self._port = port
        self._paths = paths
        self._begins = begins
        self._cases = islice(cases, _CASES)
        self._chance = random.Random(_SEED)
        self.open = self.answered = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_AT_ONCE):
                tasks.create_task(self._some())

    async def _some(self) -> None:
        for case in self._cases:
            async with asyncio.timeout(_WITHIN), guest(self._port) as somebody:
                if self._paths:
                    await somebody.enter(self._chance.choice(self._paths), self._chance.choice((b"", DEFLATE)))
                answer = await self._sent(somebody, case)
                assert self._is_good(answer), (case, answer)

    async def _sent(self, somebody: Guest, case: bytes) -> bytes:
        """Send it in one to three pieces, say that this was all, and read what is answered."""
        cut = sorted(self._chance.randrange(len(case) + 1) for _ in range(self._chance.randrange(3)))
        with contextlib.suppress(OSError):  # cut off already
            for begin, end in zip([0, *cut], [*cut, len(case)], strict=True):
                await somebody.say(case[begin:end])
            somebody.half_close()
        return await somebody.rest()

    def _is_good(self, answer: bytes) -> bool:
        """Whether it is HTTP as far as one can see, or frames of a server, all of whose texts are JSON."""
        self.answered += bool(answer)
        if not self._paths:
            if not answer.startswith(b"HTTP/1.1 101"):
                return not answer or answer.startswith(self._begins)
            answer = answer.partition(b"\r\n\r\n")[2]
        self.open += 1
        protocol = Protocol(Side.CLIENT, state=State.OPEN, max_size=None)
        protocol.extensions = [PerMessageDeflate(True, True, 15, 15)]
        protocol.receive_data(answer)
        for each in protocol.events_received():
            assert isinstance(each, Frame)
            if each.opcode is Opcode.TEXT:
                json.loads(bytes(each.data))
        return protocol.parser_exc is None


async def test_first_bytes_that_are_no_handshake(fleet: Fleet, bystander: Client) -> None:
    fuzzer = Fuzzer(fleet.gateway_port, (), mutated(_BEFORE, _SEED))
    await fuzzer.run()
    assert 0 < fuzzer.open < fuzzer.answered


async def test_first_bytes_that_are_no_tls(fleet: Fleet, bystander: Client, tmp_path: Path) -> None:
    port, pair = free_port(), make_certificate(tmp_path)
    environ = fleet.environ(gateway_tls_cert=pair.chain, gateway_tls_key=pair.key, gateway_handshake_timeout=1)
    process = fleet.start("gateway-tls", "gateway", "--port", str(port), environ=environ)
    await until(lambda: '"message":"ready"' in process.said(), "it is ready")
    files = f"/proc/{process.pid}/fd"
    before = len(os.listdir(files))
    async with asyncio.TaskGroup() as tasks:
        for samples in ((_hello(),), _BEFORE):
            tasks.create_task(Fuzzer(port, (), mutated(samples, _SEED), begins=(b"\x15\x03", b"\x16\x03")).run())
    await until(lambda: len(os.listdir(files)) == before, "all are gone")
    process.kill()
    assert [line for line in process.said().splitlines() if '"level":"info"' not in line] == []


def _hello() -> bytes:
    """What a client of TLS says first."""
    there = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), there, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return there.read()


async def test_bytes_that_are_no_frames(fleet: Fleet, bystander: Client) -> None:
    await Fuzzer(fleet.gateway_port, _PATHS, mutated(_FRAMES, _SEED)).run()


async def test_texts_that_are_no_requests(fleet: Fleet, bystander: Client) -> None:
    await Fuzzer(fleet.gateway_port, _PATHS, map(frame, mutated(_TEXTS, _SEED))).run()
