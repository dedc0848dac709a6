"""The ES module that pages import, in a real browser: comes back when its gateway dies, misses and repeats nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.fleet import Fleet, free_port
from tests.e2e.pages import opened
from tests.e2e.site import serving

PAGE = """<!doctype html><script type="module">
const gateway = new URLSearchParams(location.search).get('gateway');
const { Client } = await import(`http://127.0.0.1:${gateway}/fsnats.js`);
globalThis.seen = { trades: [], gaps: [], errors: [], states: [], candles: 0, refused: [] };
const client = new Client(`ws://127.0.0.1:${gateway}`);
client.stream(['BTCUSDT@aggTrade', 'ethusdt@aggTrade'], {
  market: 'usdm',
  message: ({ data }) => seen.trades.push([data.s, data.a]),
  gap: (gap) => seen.gaps.push(gap),
  error: (error) => seen.errors.push(error),
  state: (state) => seen.states.push(state),
});
const history = { 'btcusdt@kline_1m': 3 };
const stop = client.stream(['BTCUSDT@kline_1m'], { history, message: () => { seen.candles++; stop(); } });
client.stream(['nopeusdt@trade'], { error: (error) => seen.refused.push(error.code) });
</script>"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("module")
    with Fleet(directory, markets="spot,usdm", symbols="BTCUSDT,ETHUSDT") as running:
        yield running


async def test_a_page_reads_on_over_the_death_of_its_gateway(fleet: Fleet) -> None:
    port = free_port()
    gateway = fleet.serve_gateway(port)
    with serving(PAGE) as site:
        async with opened(f"http://127.0.0.1:{site}/?gateway={port}") as (page, _):
            await page.wait_for_function("globalThis.seen?.trades.length > 20", timeout=60_000)
            gateway.kill()
            fleet.serve_gateway(port)
            count = await page.evaluate("seen.trades.length")
            await page.wait_for_function(f"seen.trades.length > {count + 20}", timeout=60_000)
            told: dict[str, Any] = await page.evaluate("seen")

    assert (told["gaps"], told["errors"]) == ([], [])
    for symbol in ("BTCUSDT", "ETHUSDT"):
        ids = [number for name, number in told["trades"] if name == symbol]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert told["states"][:3] == ["connecting", "open", "waiting"]
    assert told["states"][-1] == "open"
    assert told["candles"] == 1
    assert told["refused"] == ["UNKNOWN_SYMBOL"]
