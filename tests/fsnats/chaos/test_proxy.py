import asyncio

import httpx
import pytest

from fsnats.chaos.proxy import Proxy


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    await writer.drain()
    writer.close()


async def test_it_passes_on_and_is_gone_while_it_is_dead() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, Proxy() as proxy, httpx.AsyncClient(proxy=proxy.url, trust_env=False) as client:
        assert (await client.get(url)).text == "ok"
        dying = asyncio.create_task(proxy.die(0.2))
        await asyncio.sleep(0.05)
        with pytest.raises(httpx.HTTPError):
            await client.get(url)
        await dying
        assert (await client.get(url)).text == "ok"
