"""A page for a real browser, and how that is started."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.e2e.libraries import missing

# Letters without coloured edges: pictures are half as large.
_SWITCHES = ["--no-sandbox", "--no-proxy-server", "--disable-dev-shm-usage", "--disable-lcd-text"]


@contextmanager
def serving(page: str) -> Iterator[int]:
    """A web server with one page while the block runs, by any name of this machine; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def chromium() -> dict[str, Any]:
    """Which browser its driver launches, and how."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        missing("no chromium")
    return {"executable_path": found, "args": _SWITCHES}
