"""The dashboard's page Try it, in a browser: what it shows comes live, in every dialect."""

from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.fleet import Fleet, free_port
from tests.e2e.page import LOST, cut_off, grave, opened
from tests.gateway.static.test_try import told

DIALECTS: dict[str, str] = told("recipes.DIALECTS")
# What a line of its output holds, and nobody else's.
SIGNS = {
    "native": '{"type":"aggTrade","data":{"e":"aggTrade"',
    "normalised": '{"type":"agg_trade","data":{"type":"agg_trade"',
    "combined": '{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade"',
    "raw": '{"e":"aggTrade"',
    "sse": 'data: {"type":"agg_trade"',
    "rest": '[{"a":',
    "python": 'btcusdt@aggTrade {"e":"aggTrade"',
    "javascript": 'btcusdt@aggTrade {"e":"aggTrade"',
}


def lines(page: Page, kind: str = "data") -> Locator:
    return page.locator(f".try-line.{kind}")


def test_each_dialect_is_shown_and_brings_what_was_chosen(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, f"{fleet.http}/#/try/native/usdm/BTCUSDT/aggTrade") as page:
        page.get_by_role("button", name="Run").click()
        for dialect, name in DIALECTS.items():
            page.get_by_label("Dialect").select_option(name)
            expect(page).to_have_url(f"{fleet.http}/#/try/{dialect}/usdm/BTCUSDT/aggTrade")
            expect(lines(page).filter(has_text=SIGNS[dialect]).first).to_be_visible()
            shown = page.locator(".try-texts code").all_inner_texts()
            made = told(
                f"recipes.recipe({{dialect: '{dialect}', market: 'usdm', types: ['aggTrade']}}, '{fleet.http}')"
            )
            assert shown == [text["text"] for text in made["texts"]]
        expect(lines(page, "error")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollHeight === innerHeight")
        assert cut_off(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nobody_is_kept_out_of_it(browser: Browser, fleet: Fleet, theme: str) -> None:
    colours: Literal["light", "dark"] = "light" if theme == "light" else "dark"
    address = f"{fleet.http}/#/try/native/spot/NOPEUSDT/kline,trade/history=3"
    with opened(browser, address, theme=colours, width=400) as page:
        page.get_by_role("button", name="Run").click()
        expect(lines(page, "error").first).to_be_visible()
        assert grave(page) == []


def test_options_change_what_is_sent_and_what_does_not_go_together_is_said(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, f"{fleet.http}/#/try/native/spot/BTCUSDT/kline") as page:
        page.get_by_role("button", name="Run").click()
        page.get_by_label("Past events first").fill("3")
        page.get_by_label("ticker", exact=True).check()
        message = '"streamType":"kline","symbols":["btcusdt"],"options":{"interval":"1m"},"history":3}'
        expect(page.get_by_role("region", name="Messages, one a line")).to_contain_text(message)
        expect(lines(page, "note").filter(has_text=message)).to_have_count(1)
        # Three, or two where a minute ends meanwhile: the candle that closes then comes live.
        expect(lines(page).filter(has_text='"history":true').nth(1)).to_be_visible()
        expect(page.get_by_role("list", name="What to know about this choice")).to_contain_text("ticker has no past")
        page.get_by_label("ticker", exact=True).uncheck()
        expect(page.get_by_role("list", name="What to know about this choice")).to_be_hidden()
        page.get_by_label("Market").select_option("USD-M futures")
        expect(page.get_by_role("region", name="URL")).to_contain_text(f"{fleet.ws}/usdm")
        expect(page.get_by_label("markPrice")).to_be_visible()


def test_what_the_gateway_refuses_is_shown_in_its_words(browser: Browser, fleet: Fleet) -> None:
    with opened(
        browser, f"{fleet.http}/#/try/native/spot/NOPEUSDT/kline", expected=["Failed to load resource"]
    ) as page:
        page.get_by_role("button", name="Run").click()
        expect(lines(page, "error")).to_contain_text('"code":"UNKNOWN_SYMBOL"')
        expect(page.get_by_text("NOPEUSDT is not listed on spot")).to_be_visible()
        page.get_by_label("Dialect").select_option("REST")
        expect(lines(page, "error")).to_contain_text("400: Invalid symbol.")
        page.get_by_label("Dialect").select_option("Python")
        expect(lines(page, "error")).to_contain_text("UNKNOWN_SYMBOL")
        page.get_by_label("Symbols").fill("")
        page.get_by_label("Symbols").press("Enter")
        expect(page.get_by_text("Name at least one symbol.")).to_be_visible()
        expect(page.get_by_role("button", name="Run")).to_be_disabled()


def test_the_output_is_held_still_bounded_and_goes_on(browser: Browser, fleet: Fleet) -> None:
    everything = f"{fleet.http}/#/try/native/usdm/ALL/bookTicker,aggTrade,depth"
    with opened(browser, everything) as page:
        page.get_by_role("button", name="Run").click()
        expect(page.locator(".try-line")).to_have_count(200)
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("held still")).to_be_visible()
        last = lines(page).last.inner_text()
        page.get_by_role("button", name="Copy: URL").click()  # something else happens meanwhile
        assert lines(page).last.inner_text() == last
        page.get_by_role("button", name="Pause").click()
        expect(lines(page).last).not_to_have_text(last)
        assert page.locator(".try-line").count() == 200
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("status").filter(has_text="Not running")).to_be_visible()
        page.get_by_role("button", name="Clear").click()
        expect(page.locator(".try-line")).to_have_count(0)


def test_a_text_is_copied_by_its_button(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, f"{fleet.http}/#/try/python/spot/BTCUSDT/trade") as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.get_by_role("button", name="Copy: Python").click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.locator(".try-texts code").inner_text()
        expect(page.locator("#announcer")).to_contain_text("copied")


@pytest.mark.parametrize("dialect", ["native", "sse"])
def test_a_lost_connection_comes_back_without_a_reload(browser: Browser, fleet: Fleet, dialect: str) -> None:
    port = free_port()
    gateway = fleet.serve_gateway(port)
    with opened(browser, f"http://127.0.0.1:{port}/#/try/{dialect}/spot/BTCUSDT/aggTrade", expected=LOST) as page:
        page.get_by_role("button", name="Run").click()
        expect(lines(page).first).to_be_visible()
        gateway.kill()
        expect(page.get_by_text("Connection lost, trying again").last).to_be_visible()
        page.get_by_role("button", name="Clear").click()
        gateway = fleet.serve_gateway(port)
        expect(lines(page).first).to_be_visible()
        expect(page.get_by_role("status").filter(has_text="Connected").last).to_be_visible()
    gateway.kill()
