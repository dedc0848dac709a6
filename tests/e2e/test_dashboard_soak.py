"""The dashboard left open: it goes on, complains of nothing and takes no more memory."""

import time

import pytest
from playwright.sync_api import Browser, CDPSession

from tests.e2e.conftest import Measure
from tests.e2e.fleet import Fleet, wait_for
from tests.e2e.page import CANDLES, candles, live, opened

SECONDS = 600.0
WARM = 120.0  # until everything has its past, and what is compiled is compiled
GROWTH = 4_000_000  # bytes: a candle a second for eight minutes, and what the collector leaves
PLACE = "#/market/spot/BTCUSDT/1s"  # the fastest candles


def heap(session: CDPSession) -> int:
    """Bytes that the page's JavaScript holds."""
    session.send("HeapProfiler.collectGarbage")
    return int(session.send("Runtime.getHeapUsage")["usedSize"])


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 120)
def test_ten_minutes_leave_no_error_and_no_memory(browser: Browser, fleet: Fleet, measure: Measure) -> None:
    with opened(browser, f"{fleet.http}/{PLACE}") as page:
        wait_for(lambda: candles(page) >= CANDLES, "the chart has its past")
        session = page.context.new_cdp_session(page)
        began = time.monotonic()
        page.wait_for_timeout(WARM * 1000)
        first, nodes = heap(session), page.locator("*").count()
        while time.monotonic() < began + SECONDS:
            page.wait_for_timeout(10_000)
            live(page, "Candles", "Depth", "Trades", "Watchlist")
        last = heap(session)
        measure(
            f"dashboard: {first / 1e6:.1f} MB of heap after {WARM:.0f} s, {last / 1e6:.1f} MB after {SECONDS:.0f} s"
        )
        assert candles(page) > CANDLES + SECONDS / 2
        assert last < first + GROWTH
        assert abs(page.locator("*").count() - nodes) < 50
