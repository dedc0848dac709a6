"""A tiny exchange: answers exchangeInfo of every market over HTTP with what a test wants it to list."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Exchange:
    """What it lists by path prefix (`/api`, `/fapi`, `/dapi`): names, all trading.  None answers with a 503."""

    def __init__(self) -> None:
        self.listed: dict[str, list[str] | None] = {"/api": [], "/fapi": [], "/dapi": []}
        self.requests: list[str] = []
        self.url = ""

    def reply(self, path: str) -> tuple[int, bytes]:
        self.requests.append(path)
        names = self.listed["/" + path.split("/")[1]]
        if names is None:
            return 503, b"<html>maintenance</html>"
        rows = [
            {"symbol": name, "pair": name.split("_")[0], "status": "TRADING", "contractStatus": "TRADING"}
            for name in names
        ]
        return 200, json.dumps({"symbols": rows}).encode()


@contextmanager
def running_exchange() -> Iterator[Exchange]:
    exchange = Exchange()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = exchange.reply(self.path)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    exchange.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield exchange
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
