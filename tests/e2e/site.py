"""A page in a real browser: where it comes from, and what it tells."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.e2e.client import until
from tests.e2e.fleet import Fleet
from tests.e2e.libraries import missing

_SWITCHES = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")


class Site:
    """A web server with one page, and what the page told it: POST of JSON to /told."""

    def __init__(self, page: str) -> None:
        self.told: list[Any] = []
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._reply(page.encode())

            def do_POST(self) -> None:
                told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._reply(b"")

            def _reply(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("", 0), Handler)
        self.port: int = self.server.server_address[1]


@contextmanager
def serving(page: str) -> Iterator[Site]:
    """A site while the block runs."""
    site = Site(page)
    thread = threading.Thread(target=site.server.serve_forever)
    thread.start()
    try:
        yield site
    finally:
        site.server.shutdown()
        thread.join()
        site.server.server_close()


def chromium() -> str:
    """The browser's program."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        missing("no chromium")
    return str(found)


@contextmanager
def visited(fleet: Fleet, profile: Path, url: str) -> Iterator[Any]:
    """A browser that shows this page while the block runs."""
    environ = {"HOME": str(profile), "TZ": os.environ.get("TZ", "UTC")}
    with fleet.beside(
        chromium(), *_SWITCHES, f"--user-data-dir={profile}", "--no-proxy-server", url, **environ
    ) as browser:
        yield browser


async def visit(fleet: Fleet, profile: Path, site: Site, host: str, gateway: int) -> Any:
    """Open the page, from this name of our machine; returns what it told."""
    before = len(site.told)
    with visited(fleet, profile, f"http://{host}:{site.port}/?gateway={gateway}") as browser:
        await until(lambda: len(site.told) > before, f"the page tells: {browser.said()[-2000:]}", within=60)
    return site.told[-1]
