"""`make pictures`: the dashboard as the documents show it, on a simulated exchange."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Page, sync_playwright

from tests.e2e.fleet import Fleet, wait_for
from tests.e2e.page import CANDLES, candles, launch, live, opened
from tests.png import repacked

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
MOST_BYTES = 200_000  # of one picture: a document that shows it should load at once


class Picture(NamedTuple):
    """One view: its file (`-light.png` and `-dark.png` are added), its place, and what has to be there first."""

    name: str
    place: str
    ready: Callable[[Page], None]


def _market(page: Page) -> None:
    wait_for(lambda: candles(page) >= CANDLES, "the chart has its past")
    live(page, "Candles", "Depth", "Trades", "Watchlist")
    lines = page.locator(".watchlist tbody tr")
    wait_for(lambda: all(int(str(line.get_attribute("data-points"))) > 1 for line in lines.all()), "lines are drawn")
    wait_for(lambda: page.locator(".trades tbody tr:visible").count() >= 20, "trades have come")


def _fleet(page: Page) -> None:
    watching = page.context.new_page()  # so that there is something to carry
    watching.goto(f"{page.url.partition('#')[0]}{PICTURES[0].place}")
    live(watching, "Candles", "Depth", "Trades", "Watchlist")
    page.bring_to_front()  # nobody looks at the fleet from a hidden page
    page.get_by_role("button", name="market-0").first.click()
    wait_for(lambda: page.locator(".fleet-table .good").filter(has_text="flows").count() >= 2, "streams flow")
    rates = page.locator(".fleet-tiles dd")
    wait_for(lambda: not any("\N{EN DASH}" in rate for rate in rates.all_inner_texts()), "rates are known")


def _try(page: Page) -> None:
    page.get_by_role("button", name="Run").click()
    wait_for(lambda: page.locator(".try-line").count() >= 20, "the streams have come")


PICTURES = [
    Picture("market", "#/market/usdm/BTCUSDT/15m", _market),
    Picture("fleet", "#/fleet", _fleet),
    Picture("try", "#/try/native/usdm/BTCUSDT,ETHUSDT/kline,aggTrade/history=5", _try),
]
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main() -> int:
    """Draw them all; returns the exit status."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    too_big = []
    with tempfile.TemporaryDirectory() as directory, Fleet(Path(directory)) as fleet, sync_playwright() as playwright:
        browser = launch(playwright)
        for picture in PICTURES:
            for theme in THEMES:
                path = IMAGES / f"{picture.name}-{theme}.png"
                with opened(browser, f"{fleet.http}/{picture.place}", theme=theme, width=1280, height=760) as page:
                    picture.ready(page)
                    path.write_bytes(repacked(page.screenshot()))
                sys.stdout.write(f"{path.relative_to(IMAGES.parents[1])}: {path.stat().st_size // 1000} KB\n")
                if path.stat().st_size > MOST_BYTES:
                    too_big.append(path.name)
        browser.close()
    for name in too_big:
        sys.stdout.write(f"{name} has more than {MOST_BYTES // 1000} KB\n")
    return 1 if too_big else 0


if __name__ == "__main__":
    sys.exit(main())
