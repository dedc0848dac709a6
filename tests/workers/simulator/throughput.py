"""How many messages a second the simulator sends to one reader: `python -m tests.workers.simulator.throughput --help`.

Starts `workers simulator --rate` as a process of its own and subscribes kline and aggTrade streams with a client that
only reads.  Prints what the ledger says was sent to it each second, the bytes that arrived, the simulator's CPU share,
and what it owed and did not send.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from typing import Any

from websockets.frames import Frame, Opcode

_HANDSHAKE = (
    "GET /usdm/market/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Reader(threading.Thread):
    """A client that takes bytes as fast as they come and looks at none of them."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.taken = 0
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(_HANDSHAKE.encode())

    def subscribe(self, names: list[str]) -> None:
        request = json.dumps({"method": "SUBSCRIBE", "params": names, "id": 1}).encode()
        self.socket.sendall(Frame(Opcode.TEXT, request).serialize(mask=True))

    def run(self) -> None:
        buffer = bytearray(1 << 20)
        while size := self.socket.recv_into(buffer):
            self.taken += size


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (Linux)."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def get(url: str) -> Any:
    """A JSON document; waits until somebody serves it."""
    deadline = time.monotonic() + 10
    while True:
        try:
            with urllib.request.urlopen(url) as reply:
                return json.load(reply)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def measure(port: int, pid: int, seconds: float, kinds: list[str]) -> None:
    base = f"http://127.0.0.1:{port}"
    rows = get(f"{base}/usdm/fapi/v1/exchangeInfo")["symbols"]
    listed = [row["symbol"].lower() for row in rows if row["status"] == "TRADING"]
    names = [f"{symbol}@{kind}" for symbol in listed for kind in kinds][:1000]
    reader = Reader(port)
    reader.start()
    for start in range(0, len(names), 100):
        reader.subscribe(names[start : start + 100])
        time.sleep(0.2)
    before, taken, used, begun = get(f"{base}/sim/ledger"), reader.taken, cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    after, taken, used = get(f"{base}/sim/ledger"), reader.taken - taken, cpu_seconds(pid) - used
    took = time.monotonic() - begun
    count = after["delivered"] - before["delivered"]
    sys.stdout.write(
        f"{count / took:,.0f} messages/s, {taken / took / 1e6:.1f} MB/s taken, over {len(names)} streams; simulator at "
        f"{100 * used / took:.0f} % of a core; shortfall {after['shortfall'] - before['shortfall']}, "
        f"violations {after['violations_count']}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=60_000, help="0 lets each stream keep its own cadence")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--symbols", type=int, default=400)
    parser.add_argument("--stamp", action="store_true")
    parser.add_argument("--kinds", default="kline_1m,aggTrade")
    given = parser.parse_args()
    port = free_port()
    command = [sys.executable, "-P", "-m", "workers", "simulator", "--port", str(port), "--rate", str(given.rate)]
    command += ["--usdm-symbols", str(given.symbols), "--log-level", "warning", *(["--stamp"] if given.stamp else [])]
    with subprocess.Popen(command) as process:
        try:
            measure(port, process.pid, given.seconds, given.kinds.split(","))
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
