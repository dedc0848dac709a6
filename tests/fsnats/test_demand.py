from hypothesis import given
from hypothesis import strategies as st

from fsnats import demand
from fsnats.binance.streams import Market


def test_an_empty_set_is_announced_too() -> None:
    (page,) = demand.whole("g", Market.SPOT, [], 3)

    assert (page.kind, page.streams, page.round, page.pages) == ("whole", [], 3, 1)


@given(st.integers(0, 12_345))
def test_pages_hold_the_whole_set_in_order_and_stay_small(count: int) -> None:
    names = [f"symbol{number}usdt@kline_1m" for number in range(count)]
    pages = list(demand.whole("g", Market.SPOT, names, 1))

    assert [name for page in pages for name in page.streams] == names
    assert [page.page for page in pages] == list(range(len(pages)))
    assert {page.pages for page in pages} == {len(pages)}
    assert all(len(demand.encode(page)) < 1024 * 1024 for page in pages)


def test_an_announcement_survives_the_bus() -> None:
    announcement = demand.Announcement("g", Market.USDM, "add", ["btcusdt@trade"])

    assert demand.decode(demand.encode(announcement)) == announcement
