from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.supervisor.announced import PATIENCE, PAUSE, SETTLE, Announced, Announcement
from fsnats.symbols import Listing, Symbol

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")
STATUSES = ("TRADING", "SETTLING", "PENDING_TRADING")


def listing(**statuses: str) -> Listing:
    return Listing(
        Market.USDM, 0, False, [Symbol(name, name, "PERPETUAL", status) for name, status in statuses.items()]
    )


NOTHING = listing()


def test_a_burst_of_announcements_causes_one_look() -> None:
    announced = Announced()
    for number in range(20):
        announced.hear(Announcement(f"S{number}", "TRADING"), NOTHING, 100 + number / 100)

    assert announced.due == 100 + SETTLE
    announced.looked(listing(**{f"S{number}": "TRADING" for number in range(20)}), 101)
    assert announced.due is None


def test_what_the_list_shows_already_is_no_news() -> None:
    announced = Announced()
    known = listing(AUSDT="TRADING", BUSDT="SETTLING")
    for symbol, status in (("AUSDT", "TRADING"), ("BUSDT", "SETTLING"), ("GONE", "CLOSE"), ("NEW", "PENDING_TRADING")):
        announced.hear(Announcement(symbol, status), known, 100)

    assert announced.due is None


def test_a_change_of_status_is_news() -> None:
    announced = Announced()
    announced.hear(Announcement("AUSDT", "SETTLING"), listing(AUSDT="TRADING"), 100)
    assert announced.due == 100 + SETTLE


def test_a_list_that_lags_behind_is_looked_at_again_and_at_last_given_up() -> None:
    announced = Announced()
    announced.hear(Announcement("AUSDT", "TRADING"), NOTHING, 0)
    looks, late = 0, []
    while announced.due is not None:
        looks += 1
        late = announced.looked(NOTHING, announced.due)

    assert late == ["AUSDT"]
    assert looks == 1 + PATIENCE / PAUSE


def test_a_look_in_vain_leaves_everything_to_be_seen() -> None:
    announced = Announced()
    announced.hear(Announcement("AUSDT", "TRADING"), NOTHING, 0)
    assert announced.looked(None, 1) == []
    assert announced.due == 1 + PAUSE


def test_lost_announcements_are_worth_a_look_of_their_own() -> None:
    announced = Announced()
    announced.missed(100)
    assert announced.due == 100
    announced.looked(NOTHING, 100)
    announced.missed(101)
    assert announced.due == 100 + PAUSE


announcements = st.builds(Announcement, st.sampled_from(SYMBOLS), st.sampled_from(STATUSES))
steps = st.tuples(st.floats(0, 20), announcements)


@given(st.lists(steps))
def test_the_list_is_looked_at_until_it_shows_the_newest_and_never_too_often(
    history: list[tuple[float, Announcement]],
) -> None:
    announced, exchange, known = Announced(), dict[str, str](), NOTHING
    now, looks = 0.0, [float("-inf")]

    def look(until: float) -> None:
        nonlocal known
        while announced.due is not None and announced.due <= until:
            assert announced.due >= looks[-1] + PAUSE
            looks.append(announced.due)
            known = listing(**exchange)
            assert announced.looked(known, announced.due) == []

    for pause, announcement in history:
        now += pause
        look(now)
        exchange[announcement.s] = announcement.cs
        announced.hear(announcement, known, now)
    look(now + SETTLE + PAUSE)

    assert announced.due is None
    assert known.trading == {symbol for symbol, status in exchange.items() if status == "TRADING"}
