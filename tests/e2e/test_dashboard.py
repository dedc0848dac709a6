"""The dashboard's shell in a real browser: whichever view it shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.fleet import Fleet, free_port
from tests.e2e.page import LOST, opened

TOKEN = "s3cr3t-s3cr3t-s3cr3t"


@pytest.fixture
def guarded(revocable: tuple[str, Path]) -> str:
    """A gateway that asks for a token."""
    return revocable[0]


@pytest.fixture
def revocable(fleet: Fleet, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The same, and the file of its tokens."""
    tokens = tmp_path / "tokens.toml"
    tokens.touch(mode=0o600)
    tokens.write_text(f"[[token]]\nname = 'desk'\ntoken = '{TOKEN}'\nmarkets = ['spot']\n")
    port = free_port()
    process = fleet.serve_gateway(port, gateway_tokens_file=tokens)
    yield f"http://127.0.0.1:{port}/", tokens
    process.kill()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_says_that_its_data_is_simulated(browser: Browser, fleet: Fleet, theme: str) -> None:
    with opened(browser, fleet.http, theme="light" if theme == "light" else "dark") as page:
        expect(page.locator("#banner")).to_contain_text("SIMULATED")
        expect(page.locator("#health")).to_have_text("Connected")
        expect(page.get_by_role("navigation", name="Views").get_by_role("link", name="Market")).to_have_attribute(
            "aria-current", "page"
        )


def test_from_every_view_a_click_leads_to_each_other_one(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, fleet.http) as page:
        main, views = page.locator("#main"), page.get_by_role("navigation", name="Views")
        for name in ("Fleet", "Market", "Try it", "Fleet", "Try it", "Market"):
            link = views.get_by_role("link", name=name)
            link.click()
            address = link.get_attribute("href")
            assert address is not None
            expect(link).to_have_attribute("aria-current", "page")
            expect(main.locator(f".view-{address.removeprefix('#/')}")).to_have_count(1)
            expect(main.get_by_role("heading").first).to_be_visible()
            page.wait_for_url(f"**/{address}**")
        page.go_back()
        expect(views.get_by_role("link", name="Try it")).to_have_attribute("aria-current", "page")


def test_the_user_chooses_the_colours_for_good(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, fleet.http, theme="light") as page:
        page.get_by_role("button", name="Theme: auto").click()
        page.get_by_role("button", name="Theme: light").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.get_by_role("button", name="Theme: dark").click()
        expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")


def test_a_gateway_that_wants_a_token_is_given_one(browser: Browser, guarded: str) -> None:
    with opened(browser, guarded, expected=LOST) as page:
        dialog = page.get_by_role("dialog")
        field = dialog.get_by_label("Access token")
        expect(dialog).to_contain_text("a token is needed")
        field.fill("wr0ng-wr0ng-wr0ng-wr0ng")
        field.press("Enter")
        expect(dialog).to_contain_text("the token is not valid")
        field.fill(TOKEN)
        field.press("Enter")
        expect(page.locator("#banner")).to_contain_text("SIMULATED")
        expect(page.get_by_role("combobox", name="Market").get_by_role("option")).to_have_text(["Spot"])
        assert TOKEN not in page.url
        page.reload()
        expect(page.get_by_role("combobox", name="Market")).to_be_visible()
        page.get_by_role("button", name="Forget the token").click()
        expect(dialog).to_be_visible()


def test_a_page_without_a_place_opens_one_view_and_no_socket_twice(browser: Browser, fleet: Fleet) -> None:
    with opened(browser, "about:blank", allowed=fleet.http) as page:
        sockets: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        page.goto(fleet.http)
        expect(page.locator(".chart .freshness")).to_have_text("live")
        expect(page.locator(".watchlist .freshness")).to_have_text("live")
        assert len(sockets) == 3  # candles, what else there is of the symbol, the watchlist


def test_a_token_that_is_taken_back_is_asked_for_anew(browser: Browser, revocable: tuple[str, Path]) -> None:
    url, tokens = revocable
    with opened(browser, url, expected=LOST) as page:
        field = page.get_by_role("dialog").get_by_label("Access token")
        field.fill(TOKEN)
        field.press("Enter")
        expect(page.locator(".chart .freshness")).to_have_text("live")
        tokens.write_text(tokens.read_text().replace(TOKEN, "0ther-0ther-0ther-0ther"))
        expect(page.get_by_role("dialog")).to_contain_text("the token is not valid")
        field.fill("0ther-0ther-0ther-0ther")
        field.press("Enter")
        expect(page.locator(".chart .freshness")).to_have_text("live")


def test_a_token_is_in_no_log(fleet: Fleet) -> None:
    assert not [path for path in Path(fleet.directory).glob("*.log") if TOKEN in path.read_text(errors="replace")]
