"""The dashboard's page Fleet, in a browser, while something happens to the fleet; nothing is ever loaded again."""

import asyncio
import contextlib
import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.e2e.client import Client
from tests.e2e.fleet import Fleet, free_port, get
from tests.e2e.page import LOST, cut_off, grave, opened

SOON = 30_000.0  # milliseconds until it must be seen, on a machine that does much else
WORKERS, STREAMS = 20, 1000  # of a large fleet


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("watched")
    with Fleet(directory, markets="spot", symbols="BTCUSDT,ETHUSDT,BNBUSDT", symbols_per_worker=2) as running:
        yield running


@contextlib.contextmanager
def listening(fleet: Fleet) -> Iterator[None]:
    """A client that keeps streams flowing, in a loop of its own: the browser's driver has the test's."""
    subscribed, over = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def listen() -> None:
        async with Client(fleet.ws) as client:
            symbols = ["BTCUSDT", "ETHUSDT", "BNBUSDT"]
            for kind in ("aggTrade", "kline"):
                await client.send({"type": "subscribe", "streamType": kind, "symbols": symbols})
            subscribed.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(listen(),))
    thread.start()
    try:
        assert subscribed.wait(30)
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def card(page: Page, worker: str) -> Locator:
    return page.locator(".fleet-card").filter(has=page.get_by_role("heading", name=worker, exact=True))


def standing(page: Page) -> Locator:
    return page.locator(".fleet-standing")


def row(page: Page, table: str, name: str) -> Locator:
    return page.get_by_role("table", name=table).get_by_role("row").filter(has_text=name)


def test_the_map_leads_from_the_exit_to_the_streams(browser: Browser, fleet: Fleet) -> None:
    with listening(fleet), opened(browser, f"{fleet.http}/#/fleet") as page:
        way = page.get_by_role("region", name="Exit direct")
        expect(way.get_by_role("heading", name="ingest-spot-0")).to_be_visible(timeout=SOON)
        expect(card(page, "ingest-spot-0")).to_contain_text("well")
        connection = way.get_by_role("button", name="0 4 of 4 streams")
        expect(connection).to_be_visible(timeout=SOON)
        expect(page.get_by_text("Nothing is wrong.")).to_be_visible()
        expect(row(page, "Programs", "NATS")).to_contain_text("ready")
        expect(row(page, "Gateways", "(this one)")).to_contain_text("yes")
        expect(row(page, "Gateways", "(this one)").get_by_role("cell").nth(2)).to_have_text("6")
        connection.click()
        expect(page).to_have_url(f"{fleet.http}/#/fleet/ingest-spot-0/ingest-spot-0-0")
        expect(page.locator(".fleet-facts")).to_contain_text("connected")
        expect(page.get_by_role("heading", name="Streams of ingest-spot-0-0")).to_be_visible()
        rows = page.get_by_role("table", name="Streams").get_by_role("row")
        expect(rows).to_have_count(1 + 4, timeout=SOON)
        stream = rows.filter(has_text="btcusdt@aggTrade")
        expect(stream).to_contain_text("flows", timeout=SOON)
        expect(stream).to_contain_text("ingest-spot-0-0")
        page.get_by_label("Find streams").fill("ethusdt")
        expect(rows).to_have_count(1 + 2, timeout=SOON)
        page.get_by_label("Find streams").fill("")
        stream.get_by_role("button", name="btcusdt@aggTrade").click()
        hops = page.get_by_role("table", name="Lag of btcusdt@aggTrade, hop by hop")
        expect(hops.get_by_role("row").filter(has_text="in the gateway")).to_contain_text(" ms", timeout=SOON)
        page.get_by_role("button", name="Stop measuring").click()
        expect(hops).to_have_count(0)
        expect(row(page, "Time on the way, where it takes longest", "in the gateway")).to_contain_text(
            " ms", timeout=SOON
        )
        page.get_by_role("button", name="All streams").click()
        expect(rows).to_have_count(1 + 6, timeout=SOON)
        # On a large screen the view scrolls, below banner and navigation, and not the page.
        assert page.evaluate("document.documentElement.scrollHeight === innerHeight")
        assert cut_off(page) == []
        page.go_back()
        expect(page.get_by_role("heading", name="Streams of ingest-spot-0-0")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nobody_is_kept_out_of_it(browser: Browser, fleet: Fleet, theme: str) -> None:
    colours: Literal["light", "dark"] = "light" if theme == "light" else "dark"
    with listening(fleet), opened(browser, f"{fleet.http}/#/fleet/*", theme=colours, width=400) as page:
        expect(page.get_by_role("table", name="Streams").get_by_role("row")).to_have_count(1 + 6, timeout=SOON)
        assert grave(page) == []
        with shown(page, fleet, in_trouble):
            expect(card(page, "ingest-spot-0")).to_contain_text("in trouble", timeout=SOON)
            expect(card(page, "ingest-spot-1")).to_contain_text("does not answer")
            assert grave(page) == []


def in_trouble(told: dict[str, Any]) -> dict[str, Any]:
    """The same fleet, but for a worker that does not answer, one in trouble and slow clients."""
    there = [{**each, "slow_clients": 3} for each in told["programs"] if each["program"] != "ingest-spot-1"]
    trouble = {"what": "something", "where": {"program": "ingest-spot-0"}, "do": "something else"}
    return {"programs": there, "troubles": [{**trouble, "severity": each} for each in ("error", "warning")]}


@contextlib.contextmanager
def shown(page: Page, fleet: Fleet, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[None]:
    """Another fleet than there is, while the block runs."""
    told: dict[str, Any] = json.loads(get(f"{fleet.http}/api/fleet")[1])
    told |= change(told)

    def answer(route: Route) -> None:
        told["at"] += 1000
        route.fulfill(json=told)

    page.route("**/api/fleet", answer)
    yield
    page.unroute_all(behavior="wait")  # an answer on its way, when the page is gone, would be an error


def test_a_killed_worker_turns_red_says_why_and_heals(browser: Browser, fleet: Fleet) -> None:
    with listening(fleet), opened(browser, f"{fleet.http}/#/fleet") as page:
        worker = card(page, "ingest-spot-1")
        expect(worker).to_contain_text("well", timeout=SOON)
        trouble = page.locator(".fleet-troubles li").filter(has_text="ingest-spot-1")
        fleet.kill("ingest-spot-1")
        again = fleet.pid("ingest-spot-1")
        os.kill(again, signal.SIGSTOP)  # it is back within a second: between two looks, now and then
        try:
            expect(worker).to_have_class("fleet-card bad", timeout=SOON)
            expect(trouble).to_contain_text("signal 9", timeout=SOON)
            expect(trouble).to_contain_text("What to do: it is started again by itself")
            expect(page.locator("#announcer")).to_contain_text("ingest-spot-1")
        finally:
            os.kill(again, signal.SIGCONT)
        expect(trouble.locator(".badge")).to_have_text("look", timeout=SOON)  # for half a minute: it was started again
        expect(worker).to_have_class("fleet-card poor")
        expect(worker.get_by_role("button", name="0 2 of 2 streams")).to_be_visible(timeout=SOON)
        expect(page.locator("#announcer")).to_contain_text("well again")
        log = page.get_by_role("log", name="As it happens")
        expect(log.get_by_text("ingest-spot-1 ended").first).to_be_visible(timeout=SOON)
        expect(log.get_by_text("ingest-spot-1 is ready").first).to_be_visible(timeout=SOON)


def test_what_happens_is_told_as_it_happens(browser: Browser, fleet: Fleet) -> None:
    with listening(fleet), opened(browser, f"{fleet.http}/#/fleet") as page:
        expect(page.get_by_role("button", name="0 4 of 4 streams")).to_be_visible(timeout=SOON)
        before = page.locator(".fleet-log li").count()
        log = page.get_by_role("log", name="As it happens")
        fetched = log.get_by_text("fetched and sent").first
        for _ in range(20):  # a cut is over so soon that perhaps no trade fell into it
            fleet.tell_simulator("faults/cut")
            with contextlib.suppress(PlaywrightTimeout):
                fetched.wait_for(timeout=3_000)
                break
        expect(fetched).to_be_visible()
        expect(log.get_by_text("ingest-spot-0-0 is not connected").first).to_be_visible(timeout=SOON)
        assert page.locator(".fleet-log li").count() > before


def test_a_nats_that_stands_still_or_dies_is_unmistakable_and_what_is_shown_is_called_old(
    browser: Browser, fleet: Fleet
) -> None:
    with opened(browser, f"{fleet.http}/#/fleet", expected=LOST) as page:
        expect(standing(page)).to_contain_text("Seen", timeout=SOON)
        nats = fleet.pid("nats-server")
        os.kill(nats, signal.SIGSTOP)
        try:
            expect(standing(page)).to_contain_text("NATS IS GONE", timeout=SOON)
            expect(standing(page)).to_contain_text("what is shown is")
            expect(row(page, "Programs", "NATS")).to_contain_text("gone")
            assert grave(page) == []
            expect(page.locator(".view-fleet")).to_have_class("view view-fleet fleet-stale")
            expect(page.locator("#announcer")).to_contain_text("NATS IS GONE")
        finally:
            os.kill(nats, signal.SIGCONT)
        expect(standing(page)).to_contain_text("Seen", timeout=SOON)
        expect(card(page, "ingest-spot-0")).to_be_visible()
        fleet.kill("nats-server")
        expect(page.locator(".fleet-troubles")).to_contain_text("nats started again", timeout=SOON)
        expect(page.get_by_role("log", name="As it happens")).to_contain_text("nats ended", timeout=SOON)
        expect(standing(page)).to_contain_text("Seen", timeout=SOON)


def test_gateways_come_and_go_and_the_one_that_serves_the_page_may_be_gone_for_a_while(
    browser: Browser, fleet: Fleet
) -> None:
    port = free_port()
    with opened(browser, f"{fleet.http}/#/fleet") as other:
        expect(other.get_by_role("table", name="Gateways").get_by_role("row")).to_have_count(2, timeout=SOON)
        gateway = fleet.serve_gateway(port)
        expect(other.get_by_role("table", name="Gateways").get_by_role("row")).to_have_count(3, timeout=SOON)
        with opened(browser, f"http://127.0.0.1:{port}/#/fleet", expected=LOST) as page:
            expect(standing(page)).to_contain_text("Seen", timeout=SOON)
            gateway.kill()
            expect(standing(page)).to_contain_text("THE GATEWAY IS GONE", timeout=SOON)
            expect(page.locator("#health")).to_contain_text("cannot be reached")
            expect(other.get_by_role("table", name="Gateways").get_by_role("row")).to_have_count(2, timeout=SOON)
            gateway = fleet.serve_gateway(port)
            expect(standing(page)).to_contain_text("Seen", timeout=SOON)
        gateway.kill()


def large(told: dict[str, Any]) -> dict[str, Any]:
    """So many workers, streams and troubles besides."""
    names = [f"s{number}usdt@aggTrade" for number in range(STREAMS)]
    connections = [{"id": "x", "status": "connected", "exit": "direct", "streams": names, "live": STREAMS}]
    worker = {"kind": "ingest", "market": "usdm", "symbols": STREAMS, "messages": 1, "connections": connections}
    many = [{**worker, "program": f"ingest-usdm-{number}", "pid": number} for number in range(WORKERS)]
    trouble = {"severity": "error", "do": "x"}
    troubles = [{**trouble, "what": f"number {n}", "where": {"stream": names[n]}} for n in range(100)]
    return {"programs": told["programs"] + many, "troubles": troubles}


def test_a_large_fleet_is_shown_without_thousands_of_elements(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, f"{fleet.http}/#/fleet/*") as page, shown(page, fleet, large):
        expect(page.get_by_text(re.compile(r"20,0\d\d of 20,0\d\d"))).to_be_visible(timeout=SOON)
        expect(card(page, "ingest-usdm-19")).to_contain_text("1,000 streams")
        expect(page.get_by_text("and 70 troubles more")).to_be_visible()
        assert page.locator("*").count() < 2000
