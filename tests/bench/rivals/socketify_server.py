"""socketify (uWebSockets): one `publish` a message, and the library fans it out.  PORT CLIENTS BYTES"""

import asyncio
import sys

from socketify import App, AppListenOptions, CompressOptions, OpCode


def main(port: int, count: int, size: int) -> None:
    app = App()
    text = "x" * size
    here = 0

    def opened(client) -> None:  # type: ignore[no-untyped-def]  # the library has no types
        nonlocal here
        client.subscribe("all")
        here += 1
        if here == count:
            print(f'{{"accepted": {count}}}', flush=True)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        commands = asyncio.Queue()  # type: ignore[var-annotated]
        loop.add_reader(sys.stdin, lambda: commands.put_nowait(sys.stdin.readline()))
        while line := await commands.get():
            _, rate, messages, burst = line.split()
            start = next_at = loop.time()
            for sent in range(int(messages)):
                if sent % int(burst) == 0:
                    await asyncio.sleep(max(0.0, next_at - loop.time()))
                    next_at += int(burst) / float(rate)
                app.publish("all", text, OpCode.TEXT)
            seconds = loop.time() - start
            print(f'{{"sent": {messages}, "seconds": {seconds:.3f}, "frame_bytes": {size + 4}}}', flush=True)

    app.ws(
        "/*",
        {
            "compression": CompressOptions.DISABLED,
            "max_backpressure": 64 * 1024 * 1024,
            "idle_timeout": 0,
            "open": opened,
        },
    )
    app.listen(AppListenOptions(port=port, host="127.0.0.1"), lambda _: print('{"ready": true}', flush=True))
    app.loop.loop.create_task(serve())
    app.run()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
