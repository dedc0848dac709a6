"""A page in a real browser reads candles from a gateway of another origin."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import until
from tests.e2e.fleet import Fleet, free_port, get
from tests.e2e.libraries import missing

# The API key makes the browser ask first (OPTIONS) whether it may.
PAGE = """<!doctype html><script>
async function ask(url, options) {
  try {
    const reply = await fetch(url, options);
    const weight = reply.headers.get('x-mbx-used-weight-1m');
    return { status: reply.status, weight, body: await reply.json() };
  } catch (error) {
    return { failed: String(error) };
  }
}
(async () => {
  const gateway = new URLSearchParams(location.search).get('gateway');
  const klines = `http://127.0.0.1:${gateway}/spot/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=5`;
  const told = {
    plain: await ask(klines),
    keyed: await ask(klines, { headers: { 'X-MBX-APIKEY': 'key' } }),
    wrong: await ask(klines.replace('BTCUSDT', 'NOPE')),
  };
  await fetch('/told', { method: 'POST', body: JSON.stringify(told) });
})();
</script>"""


class Site:
    """A web server with one page, and what the page told it."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._reply(PAGE.encode())

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


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    serving = threading.Thread(target=site.server.serve_forever)
    serving.start()
    yield site
    site.server.shutdown()
    serving.join()
    site.server.server_close()


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        missing("no chromium")
    return str(found)


async def visit(fleet: Fleet, chromium: str, profile: Path, site: Site, host: str, gateway: int) -> Any:
    """Open the page, from this name of our machine; returns what it told."""
    url = f"http://{host}:{site.port}/?gateway={gateway}"
    switches = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
    before = len(site.told)
    environ = {"HOME": str(profile), "TZ": os.environ.get("TZ", "UTC")}
    with fleet.beside(
        chromium, *switches, f"--user-data-dir={profile}", "--no-proxy-server", url, **environ
    ) as browser:
        await until(lambda: len(site.told) > before, f"the page tells: {browser.said()[-2000:]}", within=60)
    return site.told[-1]


async def test_a_page_of_another_origin_reads_candles_and_errors(
    fleet: Fleet, site: Site, chromium: str, tmp_path: Path
) -> None:
    told = await visit(fleet, chromium, tmp_path, site, "127.0.0.1", fleet.gateway_port)
    assert len(told["plain"]["body"]) == 5
    assert int(told["plain"]["weight"]) > 0
    assert len(told["keyed"]["body"]) == 5
    assert told["wrong"]["status"] == 400
    assert told["wrong"]["body"] == {"code": -1121, "msg": "Invalid symbol."}


async def test_where_origins_are_named_only_their_pages_read(
    fleet: Fleet, site: Site, chromium: str, tmp_path: Path
) -> None:
    port = free_port()
    environ = fleet.environ(gateway_origins=f"http://127.0.0.1:{site.port}")
    process = fleet.start(f"choosy-{port}", "gateway", "--port", str(port), environ=environ)
    await until(lambda: get(f"http://127.0.0.1:{port}/readyz")[0] == 200, "the gateway is ready", within=60)
    mine = await visit(fleet, chromium, tmp_path / "mine", site, "127.0.0.1", port)
    theirs = await visit(fleet, chromium, tmp_path / "theirs", site, "localhost", port)
    assert len(mine["keyed"]["body"]) == 5
    assert [theirs[how].keys() for how in ("plain", "keyed", "wrong")] == [{"failed"}] * 3
    process.kill()
