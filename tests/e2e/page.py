"""The dashboard in a real browser, and what it complained of there."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, expect

from tests.e2e.libraries import NODE, node_program
from tests.e2e.site import chromium

# What the browser itself says when a gateway is not there, or asks for a token.
LOST = ("WebSocket connection to", "Failed to load resource")
CANDLES = 499  # of the past, in the Market view's chart
_PATIENCE = 30_000.0  # milliseconds, on a machine that does much else


def launch(playwright: Playwright) -> Browser:
    """Start the browser."""
    expect.set_options(timeout=_PATIENCE)
    return playwright.chromium.launch(**chromium())


@contextmanager
def opened(
    browser: Browser,
    url: str,
    *,
    expected: Sequence[str] = (),
    allowed: str = "",
    theme: Literal["light", "dark"] = "dark",
    width: int = 1360,
    height: int = 860,
) -> Iterator[Page]:
    """A page in a window of its own.  When the block ends well, the page must not have complained of anything, but for
    what begins with one of `expected`, and must have asked nobody but its own origin (or `allowed`)."""
    complaints: list[str] = []
    elsewhere: list[str] = []
    origin = allowed or "/".join(url.split("/")[:3])

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(tuple(expected)):
            complaints.append(f"{message.type}: {message.text} ({message.location})")

    def asked(request: Request) -> None:
        if not request.url.startswith(origin):
            elsewhere.append(request.url)

    # A locale and a zone of its own, so that pictures are the same everywhere.
    options: dict[str, Any] = {"locale": "en-GB", "timezone_id": "UTC", "color_scheme": theme}
    window = browser.new_context(viewport={"width": width, "height": height}, **options)
    try:
        page = window.new_page()
        page.set_default_timeout(_PATIENCE)
        page.on("console", said)
        page.on("pageerror", lambda error: complaints.append(f"exception: {error.stack or error}"))
        page.on("request", asked)
        page.goto(url)
        yield page
        assert complaints == []
        assert elsewhere == []
    finally:
        window.close()


def cut_off(page: Page) -> list[str]:
    """The panels that are lower than what stands in them."""
    found = "[...document.querySelectorAll('.panel')].filter((each) => each.scrollHeight > each.clientHeight + 1)"
    names: list[str] = page.evaluate(f"{found}.map((each) => each.innerText.slice(0, 50))")
    return names


def grave(page: Page) -> list[str]:
    """What axe finds that keeps somebody out: its serious and critical findings, with the first elements of each."""
    node_program()
    # Evaluated, not added as a script: the page's policy forbids those.
    page.evaluate((NODE / "node_modules" / "axe-core" / "axe.min.js").read_text())
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    return [
        f"{each['id']}: {each['help']}: {json.dumps([node['html'][:200] for node in each['nodes'][:3]])}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def hash_of(page: Page) -> str:
    """Where the page is, in its own words."""
    place: str = page.evaluate("decodeURIComponent(location.hash)")
    return place


def panel(name: str) -> str:
    """A part of a view, as CSS selects it."""
    return f"section[aria-label='{name}']"


def live(page: Page, *names: str) -> None:
    """Return when these panels say that they are live."""
    for name in names:
        expect(page.locator(f"{panel(name)} .freshness")).to_have_text("live")


def candles(page: Page) -> int:
    """How many the chart has drawn."""
    return int(page.locator(".chart").get_attribute("data-candles") or 0)
