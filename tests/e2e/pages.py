"""Pages in a real browser that a test talks to: what they print, and what they are told to do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import ConsoleMessage, Page, async_playwright

from tests.e2e.site import chromium, serving


class Printed:
    """What a page wrote to its console, in order."""

    def __init__(self, page: Page) -> None:
        self._messages: list[ConsoleMessage] = []
        self.errors: list[str] = []
        page.on("console", lambda message: self._messages.append(message))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    @property
    def lines(self) -> list[str]:
        return [message.text for message in self._messages]

    def count(self, beginning: str) -> int:
        """How many lines begin so."""
        return sum(line.startswith(beginning) for line in self.lines)

    async def objects(self, beginning: str) -> list[Any]:
        """What was printed behind these words: the second argument of each `console.log` that begins so."""
        return [
            await message.args[1].json_value()
            for message in self._messages
            if message.text.startswith(beginning) and len(message.args) > 1
        ]


@asynccontextmanager
async def opened(url: str = "") -> AsyncIterator[tuple[Page, Printed]]:
    """A page in a browser of its own, for as long as the block: this one, or an empty one of a site of ours."""
    # Of a site: a browser lets a page that is from nowhere not connect to this machine.
    with serving("<!doctype html>") as port:
        async with _shown(url or f"http://127.0.0.1:{port}/") as shown:
            yield shown


@asynccontextmanager
async def _shown(url: str) -> AsyncIterator[tuple[Page, Printed]]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**chromium())
        try:
            page = await browser.new_page()
            printed = Printed(page)
            await page.goto(url)
            yield page, printed
        finally:
            await browser.close()
