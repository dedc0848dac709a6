"""websockets' own server, and its `broadcast`.  PORT CLIENTS BYTES"""

import asyncio
import sys
import time

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve


async def main(port: int, count: int, size: int) -> None:
    """Accept `count` clients and send what standard input asks for, until it ends."""
    loop = asyncio.get_running_loop()
    clients: set[ServerConnection] = set()
    all_here = asyncio.Event()

    async def connected(client: ServerConnection) -> None:
        clients.add(client)
        if len(clients) == count:
            all_here.set()
        await client.wait_closed()

    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    async with serve(connected, "127.0.0.1", port, compression=None, ping_interval=None, backlog=4096):
        print('{"ready": true}', flush=True)
        await all_here.wait()
        print(f'{{"accepted": {count}}}', flush=True)
        while line := (await commands.readline()).decode():
            _, rate, messages, _ = line.split()
            start = next_at = loop.time()
            for _ in range(int(messages)):
                await asyncio.sleep(next_at - loop.time())
                broadcast(clients, "x" * size)
                next_at += 1 / float(rate)
            print(f'{{"sent": {messages}, "seconds": {time.monotonic() - start:.3f}, "frame_bytes": {size + 4}}}')
            sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:])))
