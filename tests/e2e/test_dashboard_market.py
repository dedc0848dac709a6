"""The dashboard's Market view in a real browser, on a simulated exchange."""

import json
import re
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.e2e.conftest import Measure
from tests.e2e.fleet import Fleet, free_port, get, wait_for
from tests.e2e.page import CANDLES, LOST, candles, grave, hash_of, live, opened, panel

TOKEN = "s3cr3t-s3cr3t-s3cr3t"


@pytest.fixture
def port() -> int:
    return free_port()


def newest_trade(page: Page) -> int:
    return int(page.locator(".trades").get_attribute("data-newest") or 0)


def filled(page: Page) -> None:
    """Return when the chart has its past and what is live."""
    wait_for(lambda: candles(page) >= CANDLES, "the chart has its candles")
    live(page, "Candles")


def moves(page: Page) -> None:
    """Return when a trade has come and the chart's legend says another thing than now."""
    before, trade = page.locator(".legend").inner_text(), newest_trade(page)
    wait_for(lambda: newest_trade(page) > trade, "trades come")
    expect(page.locator(".legend")).not_to_have_text(before)


def test_a_symbol_is_found_by_keys_alone_and_shown_live(browser: Browser, fleet: Fleet, measure: Measure) -> None:
    with opened(browser, fleet.http) as page:
        field = page.get_by_role("combobox", name="Symbol")
        expect(field).to_have_value("BTCUSDT")
        field.press("ArrowDown")
        field.fill("ethu")
        expect(page.get_by_role("listbox").get_by_role("option").first).to_have_text(re.compile("ETHUSDT"))
        field.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("ETHUSDT")
        assert hash_of(page) == "#/market/spot/ETHUSDT/1m"
        filled(page)
        live(page, "Candles", "Depth", "Trades", "Watchlist")
        moves(page)
        expect(page.locator(".book .ask:visible")).to_have_count(10)
        expect(page.locator(".summary")).to_contain_text("24 h volume")
        entries = (
            "['first-contentful-paint', 'fsnats.first-candles'].map((name) => performance.getEntriesByName(name)[0])"
        )
        paint, useful = (entry["startTime"] for entry in page.evaluate(f"{entries}.map((each) => each.toJSON())"))
        measure(f"dashboard: first paint after {paint:.0f} ms, the first candles after {useful:.0f} ms")


def test_a_symbol_in_other_letters_is_found_by_them(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, fleet.http) as page:
        page.get_by_role("combobox", name="Symbol").fill("币安")
        page.get_by_role("option", name="币安人生USDT").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("币安人生USDT")
        assert hash_of(page) == "#/market/spot/币安人生USDT/1m"
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("币安人生USDT")
        filled(page)
        moves(page)


def test_intervals_and_markets_are_places_to_go_back_to(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, f"{fleet.http}/#/market/spot/ETHUSDT/5m") as page:
        filled(page)
        page.get_by_role("button", name="1h", exact=True).click()
        expect(page.get_by_role("button", name="1h", exact=True)).to_have_attribute("aria-pressed", "true")
        filled(page)
        page.get_by_role("combobox", name="Market").select_option("usdm")
        expect(page.locator(".summary")).to_contain_text("Funding")
        assert hash_of(page) == "#/market/usdm/ETHUSDT/1h"
        page.go_back()
        wait_for(lambda: hash_of(page) == "#/market/spot/ETHUSDT/1h", "back on spot")
        page.go_back()
        wait_for(lambda: hash_of(page) == "#/market/spot/ETHUSDT/5m", "back at five minutes")
        expect(page.get_by_role("button", name="5m", exact=True)).to_have_attribute("aria-pressed", "true")
        page.go_forward()
        page.go_forward()
        expect(page.get_by_role("combobox", name="Market")).to_have_value("usdm")
        filled(page)


def test_the_past_and_what_is_live_meet_without_a_seam(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, f"{fleet.http}/#/market/spot/BTCUSDT/1s") as page:
        filled(page)
        before = candles(page)
        page.get_by_text("The newest candles as a table").click()
        wait_for(lambda: candles(page) > before + 3, "the chart has its candles")
        texts = page.locator(".chart tbody tr td:first-child").all_inner_texts()
        times = [datetime.fromisoformat(text) for text in texts if text]
        assert len(times) == 20
        assert {newer - older for newer, older in pairwise(times)} == {timedelta(seconds=1)}


def test_older_candles_come_when_somebody_goes_back(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, f"{fleet.http}/#/market/usdm/BTCUSDT/1m") as page:
        filled(page)
        chart = page.get_by_role("application")
        expect(chart).to_have_attribute("aria-label", re.compile("BTCUSDT, USD-M futures, 1m"))
        for key in ("ArrowLeft", *["PageUp"] * 9):
            chart.press(key)
        wait_for(lambda: candles(page) >= CANDLES + 500, "the chart has its candles")
        expect(page.get_by_role("log")).to_be_hidden()


def test_futures_have_mark_prices_funding_and_liquidations(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, f"{fleet.http}/#/market/usdm/BTCUSDT/1m") as page:
        facts = page.locator(".summary")
        expect(facts).to_contain_text(re.compile(r"Mark price\s*\d+\.\d+"))
        expect(facts).to_contain_text(re.compile(r"Funding\s*-?\d+(\.\d+)? %"))
        expect(facts).to_contain_text(re.compile(r"Next funding in\s*\d\d:\d\d:\d\d"))
        expect(page.locator(f"{panel('Liquidations')} .freshness")).to_have_text("listening")


def test_prices_have_the_digits_of_the_exchange(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, f"{fleet.http}/#/market/spot/SHIBUSDT/1m") as page:
        live(page, "Trades")
        shown = page.locator(".trades tbody tr:first-child td:nth-child(2)").inner_text()
        status, text = get(f"{fleet.http}/api/v3/aggTrades?symbol=SHIBUSDT&limit=1000")
        assert status == 200
        prices = {row["p"] for row in json.loads(text)}
        assert {len(price.rstrip("0")) for price in prices if price.startswith(shown)}, (shown, prices)


def test_a_symbol_that_is_not_listed_is_named(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, f"{fleet.http}/#/market/spot/BTCUSDTX/1m") as page:
        expect(page.get_by_role("alert")).to_contain_text("BTCUSDTX is not listed on Spot. There is BTCUSDT")
        expect(page.locator(".chart")).to_be_hidden()


def test_a_lost_gateway_is_seen_and_heals_without_a_reload(browser: Browser, fleet: Fleet, port: int) -> None:
    process = fleet.serve_gateway(port)
    with opened(browser, f"http://127.0.0.1:{port}/#/market/usdm/BTCUSDT/1m", expected=LOST) as page:
        filled(page)
        page.evaluate("window.sameage = true")
        process.kill()
        expect(page.locator("#health")).to_have_class("badge bad")
        for name in ("Candles", "Depth", "Trades", "Watchlist"):
            expect(page.locator(f"{panel(name)} .freshness")).to_have_text(re.compile("^stale since"))
        trade = newest_trade(page)
        process = fleet.serve_gateway(port)
        live(page, "Candles", "Depth", "Trades", "Watchlist")
        expect(page.locator("#health")).to_have_text("Connected")
        wait_for(lambda: newest_trade(page) > trade, "trades come")
        moves(page)
        assert page.evaluate("window.sameage")
        expect(page.get_by_role("log")).to_be_hidden()  # all that was missed came: nothing to tell
    process.kill()


def test_a_gap_is_told_and_the_candles_fetched_anew(browser: Browser, fleet: Fleet) -> None:
    gap = {"stream": "btcusdt@kline_1m", "from": 0, "to": 1000, "unit": "ms", "reason": "cannot be fetched"}
    asked: list[dict[str, Any]] = []

    def between(ours: WebSocketRoute) -> None:
        """Pass everything on; the first one who asks for candles of a minute is told of a gap behind their past."""
        gateway = ours.connect_to_server()

        def request(text: str | bytes) -> None:
            said = json.loads(text)
            if said.get("rawStreams") == ["btcusdt@kline_1m"]:
                asked.append(said)
            gateway.send(text)

        def reply(text: str | bytes) -> None:
            ours.send(text)
            if len(asked) == 1 and json.loads(text).get("type") == "historyEnd" and "kline_1m" in str(text):
                ours.send(json.dumps({"type": "gap", "market": "spot", "data": gap}))

        ours.on_message(request)
        gateway.on_message(reply)

    with opened(browser, "about:blank", allowed=fleet.http) as page:
        page.route_web_socket("**", between)
        page.goto(f"{fleet.http}/#/market/spot/BTCUSDT/1m")
        expect(page.get_by_role("log")).to_contain_text("btcusdt@kline_1m: missing from 00:00:00 to 00:00:01 UTC")
        # What the page does reaches us while we ask it something.
        wait_for(lambda: page.evaluate("true") and len(asked) == 2, "the past is asked for again")
        assert asked[1]["history"] == CANDLES
        filled(page)


def test_what_a_token_does_not_allow_is_said_and_the_rest_is_shown(
    browser: Browser, fleet: Fleet, port: int, tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.touch(mode=0o600)
    tokens.write_text(f"[[token]]\nname = 'candles'\ntoken = '{TOKEN}'\ntypes = ['kline', 'aggTrade']\n")
    process = fleet.serve_gateway(port, gateway_tokens_file=tokens)
    with opened(browser, f"http://127.0.0.1:{port}/#/market/spot/BTCUSDT/1m", expected=LOST) as page:
        field = page.get_by_role("dialog").get_by_label("Access token")
        field.fill(TOKEN)
        field.press("Enter")
        live(page, "Candles", "Trades")
        expect(page.locator(f"{panel('Depth')} .freshness")).to_have_text("refused")
        expect(page.get_by_role("log")).to_contain_text("this token may not read depth")
        assert hash_of(page) == "#/market/spot/BTCUSDT/1m"
    process.kill()


def test_fifty_symbols_are_watched_smoothly(browser: Browser, fleet: Fleet, measure: Measure) -> None:
    symbols = [
        each["symbol"]
        for each in json.loads(get(f"{fleet.http}/api/v1/symbols?market=usdm")[1])["markets"][0]["symbols"]
    ]
    watched = json.dumps([{"market": "usdm", "symbol": symbol} for symbol in symbols[:50]])
    with opened(browser, fleet.http) as page:
        page.evaluate("(watched) => localStorage.setItem('fsnats.watchlist', watched)", watched)
        page.reload()
        expect(page.locator(".watchlist tbody tr")).to_have_count(50)
        # A line needs the past of its symbol, a change the ticker.
        expect(page.locator(".watchlist tbody td:nth-child(4)", has_text="%")).to_have_count(50)
        live(page, "Watchlist")
        frames = page.evaluate(
            """() => new Promise((resolve) => {
              const times = [];
              const frame = (time) => times.push(time) < 181 ? requestAnimationFrame(frame) : resolve(times);
              requestAnimationFrame(frame);
            })"""
        )
        gaps = sorted(after - before for before, after in pairwise(frames))
        rate = 1000 * len(gaps) / sum(gaps)
        measure(f"dashboard: 50 symbols watched at {rate:.0f} frames/s, 99 % within {gaps[-2]:.0f} ms")
        page.get_by_role("button", name=f"Remove {symbols[49]}").click()
        expect(page.locator(".watchlist tbody tr")).to_have_count(49)


def test_every_part_has_room_on_a_phone_and_on_any_screen(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, f"{fleet.http}/#/market/usdm/BTCUSDT/1m") as page:
        live(page, "Depth", "Trades", "Watchlist")
        for width, height in ((360, 640), (820, 1100), (1100, 700), (1280, 640), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            for name in ("Candles", "Depth", "Trades", "Liquidations", "Watchlist"):
                box = page.locator(panel(name)).bounding_box()
                assert box is not None
                assert box["height"] >= 130, (name, width, height)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nobody_is_kept_out(browser: Browser, fleet: Fleet, theme: str) -> None:
    place = f"{fleet.http}/#/market/usdm/BTCUSDT/1m"
    with opened(browser, place, theme="light" if theme == "light" else "dark") as page:
        filled(page)
        live(page, "Depth", "Trades", "Watchlist")
        page.get_by_role("combobox", name="Symbol").fill("b")
        assert grave(page) == []
