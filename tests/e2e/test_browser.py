"""A page in a real browser reads candles from a gateway of another origin."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fleet import Fleet, free_port
from tests.e2e.site import Site, serving, visit

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


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(PAGE) as site:
        yield site


async def test_a_page_of_another_origin_reads_candles_and_errors(fleet: Fleet, site: Site, tmp_path: Path) -> None:
    told = await visit(fleet, tmp_path, site, "127.0.0.1", fleet.gateway_port)
    assert len(told["plain"]["body"]) == 5
    assert int(told["plain"]["weight"]) > 0
    assert len(told["keyed"]["body"]) == 5
    assert told["wrong"]["status"] == 400
    assert told["wrong"]["body"] == {"code": -1121, "msg": "Invalid symbol."}


async def test_where_origins_are_named_only_their_pages_read(fleet: Fleet, site: Site, tmp_path: Path) -> None:
    port = free_port()
    process = fleet.serve_gateway(port, gateway_origins=f"http://127.0.0.1:{site.port}")
    mine = await visit(fleet, tmp_path / "mine", site, "127.0.0.1", port)
    theirs = await visit(fleet, tmp_path / "theirs", site, "localhost", port)
    assert len(mine["keyed"]["body"]) == 5
    assert [theirs[how].keys() for how in ("plain", "keyed", "wrong")] == [{"failed"}] * 3
    process.kill()
