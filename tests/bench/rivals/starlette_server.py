"""Starlette on uvicorn and uvloop: one `send_text` a client and message.  PORT CLIENTS BYTES"""

import asyncio
import sys
import time

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect


async def main(port: int, count: int, size: int) -> None:
    loop = asyncio.get_running_loop()
    clients: set[WebSocket] = set()
    all_here = asyncio.Event()

    async def connected(client: WebSocket) -> None:
        await client.accept()
        clients.add(client)
        if len(clients) == count:
            all_here.set()
        try:
            await client.receive_text()
        except WebSocketDisconnect:
            clients.discard(client)

    app = Starlette(routes=[WebSocketRoute("/{rest:path}", connected)])
    config = uvicorn.Config(
        app, port=port, log_level="error", ws_per_message_deflate=False, ws_ping_interval=None, backlog=4096
    )
    server = uvicorn.Server(config)
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 # uvicorn tells it by this flag alone
            await asyncio.sleep(0.01)
        print('{"ready": true}', flush=True)
        await all_here.wait()
        print(f'{{"accepted": {count}}}', flush=True)
        text = "x" * size
        while line := (await commands.readline()).decode():
            _, rate, messages, burst = line.split()
            start = next_at = loop.time()
            for sent in range(int(messages)):
                if sent % int(burst) == 0:
                    await asyncio.sleep(next_at - loop.time())
                    next_at += int(burst) / float(rate)
                await asyncio.gather(*(client.send_text(text) for client in clients))
            print(f'{{"sent": {messages}, "seconds": {time.monotonic() - start:.3f}, "frame_bytes": {size + 4}}}')
            sys.stdout.flush()
        serving.cancel()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(*map(int, sys.argv[1:])))
