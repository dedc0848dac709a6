"""A page in a real browser reads candles from a gateway of another origin."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.fleet import Fleet, free_port
from tests.e2e.pages import opened
from tests.e2e.site import serving

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
async function all() {
  const gateway = new URLSearchParams(location.search).get('gateway');
  const klines = `http://127.0.0.1:${gateway}/spot/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=5`;
  return {
    plain: await ask(klines),
    keyed: await ask(klines, { headers: { 'X-MBX-APIKEY': 'key' } }),
    wrong: await ask(klines.replace('BTCUSDT', 'NOPE')),
  };
}
</script>"""


@pytest.fixture
def site() -> Iterator[int]:
    with serving(PAGE) as port:
        yield port


async def told(site: int, host: str, gateway: int) -> Any:
    """What the page gets when it is opened from this name of our machine."""
    async with opened(f"http://{host}:{site}/?gateway={gateway}") as (page, _):
        return await page.evaluate("all()")


async def test_a_page_of_another_origin_reads_candles_and_errors(fleet: Fleet, site: int) -> None:
    theirs = await told(site, "127.0.0.1", fleet.gateway_port)
    assert len(theirs["plain"]["body"]) == 5
    assert int(theirs["plain"]["weight"]) > 0
    assert len(theirs["keyed"]["body"]) == 5
    assert theirs["wrong"]["status"] == 400
    assert theirs["wrong"]["body"] == {"code": -1121, "msg": "Invalid symbol."}


async def test_where_origins_are_named_only_their_pages_read(fleet: Fleet, site: int) -> None:
    port = free_port()
    process = fleet.serve_gateway(port, gateway_origins=f"http://127.0.0.1:{site}")
    mine = await told(site, "127.0.0.1", port)
    theirs = await told(site, "localhost", port)
    assert len(mine["keyed"]["body"]) == 5
    assert [theirs[how].keys() for how in ("plain", "keyed", "wrong")] == [{"failed"}] * 3
    process.kill()
