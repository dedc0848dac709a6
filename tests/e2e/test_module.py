"""The ES module that pages import, in a real browser: comes back when its gateway dies, misses and repeats nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import until
from tests.e2e.fleet import Fleet, free_port
from tests.e2e.site import Site, serving, visited

PAGE = """<!doctype html><script type="module">
const gateway = new URLSearchParams(location.search).get('gateway');
const { Client } = await import(`http://127.0.0.1:${gateway}/fsnats.js`);
const seen = { trades: [], gaps: [], errors: [], states: [], candles: 0, refused: [] };
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
const tell = () => fetch('/told', { method: 'POST', body: JSON.stringify(seen) });
setInterval(tell, 200);
</script>"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("module")
    with Fleet(directory, markets="spot,usdm", symbols="BTCUSDT,ETHUSDT") as running:
        yield running


def _told(site: Site) -> Any:
    return site.told[-1] if site.told else None


async def test_a_page_reads_on_over_the_death_of_its_gateway(fleet: Fleet, tmp_path: Path) -> None:
    port = free_port()
    gateway = fleet.serve_gateway(port)
    with serving(PAGE) as site, visited(fleet, tmp_path, f"http://127.0.0.1:{site.port}/?gateway={port}"):
        await until(lambda: site.told and len(_told(site)["trades"]) > 20, "the page reads", within=60)
        gateway.kill()
        fleet.serve_gateway(port)
        count = len(_told(site)["trades"])
        await until(lambda: len(_told(site)["trades"]) > count + 20, "the page reads on", within=60)
        told = _told(site)

    assert (told["gaps"], told["errors"]) == ([], [])
    for symbol in ("BTCUSDT", "ETHUSDT"):
        ids = [number for name, number in told["trades"] if name == symbol]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert told["states"][:3] == ["connecting", "open", "waiting"]
    assert told["states"][-1] == "open"
    assert told["candles"] == 1
    assert told["refused"] == ["UNKNOWN_SYMBOL"]
