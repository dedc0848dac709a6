import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from fsnats.binance.rest import Answer, BadRequest
from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.catalogue import GROUPS, LISTINGS
from fsnats.changes import Change
from fsnats.config import Config
from fsnats.errors import BusUnavailable, ConfigError, ExchangeUnavailable
from fsnats.frames import GAP, VERSION, Frame, encode
from fsnats.groups import Group
from fsnats.supervisor.catalogue import Catalogue
from fsnats.supervisor.census import Census
from fsnats.supervisor.lists import replaying
from fsnats.symbols import Listing, Symbol
from tests.clock import HandClock
from tests.conftest import eventually


def answer(*names: str, status: str = "TRADING", simulated: bool = False) -> Answer:
    rows = [{"symbol": name, "status": status, "contractStatus": status} for name in names]
    return Answer(json.dumps({"symbols": rows}).encode(), simulated, None)


def listing(*names: str, market: Market = Market.SPOT) -> Listing:
    return Listing(market, 0, False, [Symbol(name, name, "", "TRADING") for name in names])


class Markets:
    """What the markets answer, and what was told of their lists."""

    def __init__(self) -> None:
        self.replies: dict[Market, Answer | Exception] = {}
        self.asked: list[Market] = []
        self.told: list[Change] = []

    async def ask(self, market: Market) -> Answer:
        self.asked.append(market)
        reply = self.replies[market]
        if isinstance(reply, Exception):
            raise reply
        return reply


@pytest.fixture
def markets() -> Markets:
    markets = Markets()
    markets.replies = {Market.SPOT: answer("BTCUSDT", "ETHUSDT"), Market.USDM: answer("BTCUSDT")}
    return markets


DOWN = ExchangeUnavailable("dns", "Name or service not known")
CONFIG = Config(symbols_per_worker=1, catalogue_refresh=300.0)


def take(bus: NatsBus, markets: Markets, clock: HandClock, config: Config = CONFIG) -> Census:
    return Census(config, markets.ask, Catalogue(bus), clock, lambda: 1.0, markets.told.append)


@asynccontextmanager
async def running(census: Census, changed: Callable[[], None] = lambda: None) -> AsyncIterator[None]:
    """Let it ask again and again, for as long as the block."""
    task = asyncio.create_task(census.run(changed))
    try:
        yield
    finally:
        task.cancel()


def places(groups: list[Group]) -> dict[str, int]:
    return {name: group.number for group in groups for name in group.symbols}


def numbers(census: Census) -> list[tuple[Market, int]]:
    return [(group.market, group.number) for group in census.all_groups]


async def test_a_capture_lists_what_it_holds_in_the_place_of_the_exchange(bus: NatsBus, clock: HandClock) -> None:
    ask = replaying({Market.SPOT: answer("BTCUSDT").body, Market.USDM: answer().body})
    config = Config(markets=(Market.SPOT, Market.USDM))
    census = Census(config, ask, Catalogue(bus), clock, lambda: 0.0, lambda change: None)
    await census.begin(impatient=True)
    spot, usdm = census.listings[Market.SPOT], census.listings[Market.USDM]
    assert (spot.trading, spot.simulated, spot.replayed) == (frozenset({"BTCUSDT"}), True, True)
    # Only streams of all symbols were captured: nobody knows one of them.
    assert (usdm.trading, usdm.replayed) == (frozenset(), True)
    assert await Catalogue(bus).listing(Market.SPOT) == spot


async def test_the_first_census_stores_listings_and_groups(bus: NatsBus, markets: Markets, clock: HandClock) -> None:
    census = take(bus, markets, clock)
    await census.begin(impatient=True)

    assert numbers(census) == [(Market.SPOT, 0), (Market.SPOT, 1), (Market.USDM, 0)]
    catalogue = Catalogue(bus)
    assert await catalogue.groups(Market.SPOT) == census.groups[Market.SPOT]
    assert await catalogue.listing(Market.USDM) == census.listings[Market.USDM]


async def test_the_impatient_are_told_at_once(bus: NatsBus, markets: Markets, clock: HandClock) -> None:
    markets.replies[Market.USDM] = DOWN

    with pytest.raises(ExchangeUnavailable, match="dns"):
        await take(bus, markets, clock).begin(impatient=True)


async def test_a_restart_without_the_exchange_carries_on_with_what_was_known(
    bus: NatsBus, markets: Markets, clock: HandClock
) -> None:
    await take(bus, markets, clock).begin(impatient=True)
    markets.replies = {market: DOWN for market in markets.replies}

    census = take(bus, markets, clock)
    await census.begin(impatient=False)

    assert numbers(census) == [(Market.SPOT, 0), (Market.SPOT, 1), (Market.USDM, 0)]
    assert census.troubles == {Market.SPOT: str(DOWN), Market.USDM: str(DOWN)}


async def test_a_restart_without_the_exchange_carries_what_is_wanted_now(
    bus: NatsBus, markets: Markets, clock: HandClock
) -> None:
    await take(bus, markets, clock, Config(symbols=("BTCUSDT",))).begin(impatient=True)
    markets.replies = {market: DOWN for market in markets.replies}

    for wanted, carried in ((("ETHUSDT",), {"ETHUSDT"}), ((), {"BTCUSDT", "ETHUSDT"}), (("NEWUSDT",), set())):
        census = take(bus, markets, clock, Config(symbols=wanted))
        await census.begin(impatient=False)  # one that nobody knew may be new: no reason to end
        assert places(census.groups[Market.SPOT]).keys() == carried


async def test_a_market_that_never_answered_is_asked_again_soon(
    bus: NatsBus, markets: Markets, clock: HandClock
) -> None:
    markets.replies[Market.USDM] = DOWN
    census = take(bus, markets, clock)
    await census.begin(impatient=False)
    assert numbers(census) == [(Market.SPOT, 0), (Market.SPOT, 1)]

    changes: list[bool] = []
    async with running(census, lambda: changes.append(True)):
        await clock.advance(1.0)
        await clock.advance(2.0)
        assert markets.asked.count(Market.USDM) == 3
        assert markets.asked.count(Market.SPOT) == 1
        markets.replies[Market.USDM] = answer("BTCUSDT")
        await clock.advance(4.0)
        await eventually(lambda: changes)

    assert numbers(census)[2:] == [(Market.USDM, 0)]
    assert census.troubles == {}


async def test_symbols_that_come_and_go_move_nobody_else(bus: NatsBus, markets: Markets, clock: HandClock) -> None:
    census = take(bus, markets, clock)
    await census.begin(impatient=True)
    changes: list[bool] = []
    async with running(census, lambda: changes.append(True)):
        markets.replies[Market.SPOT] = answer("NEWUSDT", "ETHUSDT", "ADAUSDT")
        await clock.advance(300.0)
        await eventually(lambda: len(changes) == 2)
        assert places(census.groups[Market.SPOT]) == {"NEWUSDT": 0, "ETHUSDT": 1, "ADAUSDT": 2}
        (change,) = markets.told
        assert (change.market, change.listed, change.delisted) == (Market.SPOT, ["ADAUSDT", "NEWUSDT"], ["BTCUSDT"])

        markets.replies[Market.SPOT] = answer("ADAUSDT")
        await clock.advance(300.0)
        await eventually(lambda: len(changes) == 4)
    assert places(census.groups[Market.SPOT]) == {"ADAUSDT": 2}

    # The values of vanished groups stay until their workers have stopped.
    assert len(await Catalogue(bus).groups(Market.SPOT)) == 3
    await census.tidy()
    assert await Catalogue(bus).groups(Market.SPOT) == census.groups[Market.SPOT]


async def test_a_later_failure_keeps_everything(bus: NatsBus, markets: Markets, clock: HandClock) -> None:
    census = take(bus, markets, clock)
    await census.begin(impatient=True)
    before = numbers(census)
    async with running(census):
        for failure in (DOWN, BadRequest(-1100, "illegal"), answer()):
            markets.replies = {Market.SPOT: failure, Market.USDM: failure}
            await clock.advance(300.0)
            await eventually(lambda: len(census.troubles) == 2)
            census.troubles.clear()

    assert numbers(census) == before
    assert markets.asked.count(Market.SPOT) == 4


async def test_a_catalogue_that_nats_lost_is_made_again_as_it_was_also_without_the_exchange(
    bus: NatsBus, markets: Markets, clock: HandClock
) -> None:
    census = take(bus, markets, clock)
    await census.begin(impatient=True)
    async with running(census):
        markets.replies[Market.SPOT] = answer("ADAUSDT", "ETHUSDT")
        await clock.advance(300.0)
        await eventually(lambda: "ADAUSDT" in census.listings[Market.SPOT].trading)
        before, catalogue = dict(census.groups), Catalogue(bus)
        assert places(before[Market.SPOT]) == {"ADAUSDT": 0, "ETHUSDT": 1}

        for bucket in (LISTINGS, GROUPS):
            assert b'"success":true' in await bus.request(f"$JS.API.STREAM.DELETE.KV_{bucket}", b"", 5)
        markets.replies = {market: DOWN for market in markets.replies}
        await clock.advance(10.0)
        census.renew()
        await clock.advance(0.0)
        await eventually(lambda: len(census.troubles) == 2)
        assert {market: await catalogue.groups(market) for market in before} == before
        assert await catalogue.listing(Market.SPOT) == census.listings[Market.SPOT]

        # Nobody moves either when the server has lost it and the exchange lists them in another order.
        markets.replies = {Market.SPOT: answer("ETHUSDT", "ADAUSDT"), Market.USDM: answer("BTCUSDT")}
        assert b'"success":true' in await bus.request(f"$JS.API.STREAM.DELETE.KV_{GROUPS}", b"", 5)
        await clock.advance(10.0)
        census.renew()
        await clock.advance(0.0)
        await eventually(lambda: not census.troubles)
        assert {market: await catalogue.groups(market) for market in before} == before


async def test_a_list_that_nats_does_not_store_is_stored_soon_and_only_after_who_owns_its_symbols(
    bus: NatsBus, markets: Markets, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [BusUnavailable("no answer")] * 2
    put_listing = Catalogue.put_listing

    async def refusing(catalogue: Catalogue, listing: Listing) -> None:
        owned = [name for group in await catalogue.groups(listing.market) for name in group.symbols]
        assert listing.trading == set(owned)
        if listing.market is Market.SPOT and "NEWUSDT" in listing.trading and refusals:
            raise refusals.pop()
        await put_listing(catalogue, listing)

    monkeypatch.setattr(Catalogue, "put_listing", refusing)
    census = take(bus, markets, clock)
    await census.begin(impatient=True)
    changes: list[bool] = []
    async with running(census, lambda: changes.append(True)):
        markets.replies[Market.SPOT] = answer("BTCUSDT", "ETHUSDT", "NEWUSDT")
        await clock.advance(300.0)
        await eventually(lambda: census.troubles and changes == [True])
        assert (markets.told, "NEWUSDT" in census.listings[Market.SPOT].trading) == ([], False)
        assert census.unkept == {Market.SPOT}

        await clock.advance(1.0)
        await eventually(lambda: not refusals)
        await clock.advance(2.0)
        await eventually(lambda: not census.troubles and changes == [True, True])
        assert [change.listed for change in markets.told] == [["NEWUSDT"]]
        assert census.unkept == set()
        assert markets.asked.count(Market.USDM) == 2  # the other market has nothing to do with it


async def test_an_exchange_that_wants_to_be_left_alone_is(bus: NatsBus, markets: Markets, clock: HandClock) -> None:
    markets.replies[Market.USDM] = ExchangeUnavailable("http", "HTTP 418", status=418, retry_after=120.0)
    census = take(bus, markets, clock)
    await census.begin(impatient=False)
    async with running(census):
        await clock.advance(119.0)
        assert markets.asked.count(Market.USDM) == 1
        await clock.advance(1.0)

    assert markets.asked.count(Market.USDM) == 2


async def test_a_spot_symbol_that_is_shown_before_its_first_trade_is_listed_not_resumed(
    bus: NatsBus, markets: Markets, clock: HandClock
) -> None:
    census = take(bus, markets, clock)
    await census.begin(impatient=True)
    changes: list[bool] = []
    async with running(census, lambda: changes.append(True)):
        for number, status in enumerate(("BREAK", "BREAK", "TRADING", "BREAK", "TRADING"), start=1):
            symbols = [{"symbol": "BTCUSDT", "status": "TRADING"}, {"symbol": "NEWUSDT", "status": status}]
            markets.replies[Market.SPOT] = Answer(json.dumps({"symbols": symbols}).encode(), False, None)
            await clock.advance(300.0)
            await eventually(lambda number=number: len(changes) == 2 * number)  # type: ignore[misc]

    told = [change for change in markets.told if "ETHUSDT" not in change.delisted]
    assert [(one.listed, one.halted, one.resumed) for one in told] == [
        (["NEWUSDT"], [], []),
        ([], ["NEWUSDT"], []),
        ([], [], ["NEWUSDT"]),
    ]


async def test_what_changed_while_nobody_looked_is_told_after_a_restart(
    bus: NatsBus, markets: Markets, clock: HandClock
) -> None:
    await take(bus, markets, clock).begin(impatient=True)
    assert markets.told == []
    markets.replies[Market.USDM] = answer("BTCUSDT", "NEWUSDT")
    await take(bus, markets, clock).begin(impatient=True)

    assert [(change.market, change.listed) for change in markets.told] == [(Market.USDM, ["NEWUSDT"])]


def announcement(symbol: str, status: str = "TRADING", flags: int = 0) -> bytes:
    payload = b'{"e":"contractInfo","s":"%b","cs":"%b","bks":[]}' % (symbol.encode(), status.encode())
    return encode(Frame(VERSION, "!contractInfo", 0, 1, 1, flags, payload if not flags else b"{}"))


async def test_an_announced_contract_is_there_long_before_the_next_poll(
    bus: NatsBus, markets: Markets, clock: HandClock
) -> None:
    census = take(bus, markets, clock)
    await census.begin(impatient=True)
    changes: list[bool] = []
    async with running(census, lambda: changes.append(True)):
        await clock.advance(10.0)
        markets.replies[Market.USDM] = answer("BTCUSDT", "NEWUSDT")
        census.heard(Market.USDM, announcement("NEWUSDT"))
        await clock.advance(1.0)
        await eventually(lambda: changes)

        assert census.listings[Market.USDM].trading == {"BTCUSDT", "NEWUSDT"}
        # What everybody knows causes no further look, and the poll goes on from here.
        census.heard(Market.USDM, announcement("NEWUSDT"))
        await clock.advance(290.0)
        assert markets.asked.count(Market.USDM) == 2
        await clock.advance(10.0)
        assert markets.asked.count(Market.USDM) == 3
        assert markets.asked.count(Market.SPOT) == 2


async def test_an_announcement_does_not_trouble_an_exchange_that_wants_to_be_left_alone(
    bus: NatsBus, markets: Markets, clock: HandClock
) -> None:
    markets.replies[Market.USDM] = ExchangeUnavailable("http", "HTTP 429", status=429, retry_after=120.0)
    census = take(bus, markets, clock)
    await census.begin(impatient=False)
    async with running(census):
        await clock.advance(10.0)
        census.heard(Market.USDM, announcement("NEWUSDT"))
        await clock.advance(109.0)
        assert markets.asked.count(Market.USDM) == 1
        await clock.advance(1.0)
        assert markets.asked.count(Market.USDM) == 2


async def test_lost_announcements_cause_a_look(bus: NatsBus, markets: Markets, clock: HandClock) -> None:
    census = take(bus, markets, clock)
    await census.begin(impatient=True)
    async with running(census):
        await clock.advance(10.0)
        census.heard(Market.USDM, announcement("", flags=GAP))
        await clock.advance(0.0)
        assert markets.asked.count(Market.USDM) == 2


async def test_a_fresh_list_is_taken_at_once_for_whoever_needs_it(
    bus: NatsBus, markets: Markets, clock: HandClock
) -> None:
    census = take(bus, markets, clock)
    await census.begin(impatient=True)
    async with running(census):
        await clock.advance(10.0)
        markets.replies[Market.SPOT] = answer("BTCUSDT")
        asking = [asyncio.create_task(census.fresh(Market.SPOT, clock.monotonic())) for _ in range(3)]
        listings = await asyncio.gather(*asking)
        assert [sorted(each.trading) for each in listings if each is not None] == [["BTCUSDT"]] * 3
        assert markets.asked.count(Market.SPOT) == 2  # one look answers all

        # What was taken since then needs no further look; a look soon after another waits for its time.
        assert await census.fresh(Market.SPOT, clock.monotonic() - 3) is not None
        later = asyncio.create_task(census.fresh(Market.SPOT, clock.monotonic() + 0.001))
        await clock.advance(4.9)
        assert markets.asked.count(Market.SPOT) == 2
        await clock.advance(0.1)
        assert await later is not None
        assert markets.asked.count(Market.SPOT) == 3


async def test_there_is_no_fresh_list_of_a_market_that_does_not_answer_or_is_not_ours(
    bus: NatsBus, markets: Markets, clock: HandClock
) -> None:
    census = take(bus, markets, clock)
    await census.begin(impatient=True)
    async with running(census):
        markets.replies[Market.SPOT] = DOWN
        await clock.advance(10.0)
        assert await census.fresh(Market.SPOT, clock.monotonic()) is None
        assert await census.fresh(Market.COINM, clock.monotonic()) is None


async def test_an_announcement_that_the_list_never_shows_is_told(
    bus: NatsBus, markets: Markets, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    census = take(bus, markets, clock)
    await census.begin(impatient=True)
    changes: list[bool] = []
    async with running(census, lambda: changes.append(True)):
        census.heard(Market.USDM, announcement("NEWUSDT"))
        for number in range(12):
            await clock.advance(5.0)
            await eventually(lambda number=number: len(changes) > number)  # type: ignore[misc]

    assert [vars(record)["symbols"] for record in caplog.records if record.levelno == logging.WARNING] == ["NEWUSDT"]


@pytest.mark.parametrize("data", [b"", b"rubbish", encode(Frame(VERSION, "!contractInfo", 0, 1, 1, 0, b"[1]"))])
async def test_an_announcement_that_cannot_be_read_disturbs_nothing(
    bus: NatsBus, markets: Markets, clock: HandClock, data: bytes
) -> None:
    take(bus, markets, clock).heard(Market.USDM, data)


async def test_an_unknown_symbol_is_a_warning_as_long_as_one_is_known(
    bus: NatsBus, markets: Markets, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    census = take(bus, markets, clock, Config(symbols=("btcusdt", "TYPO")))
    with caplog.at_level(logging.WARNING):
        await census.begin(impatient=True)

    assert [vars(record)["symbol"] for record in caplog.records] == ["TYPO"]
    assert numbers(census) == [(Market.SPOT, 0), (Market.USDM, 0)]
    stored = await Catalogue(bus).listing(Market.SPOT)
    assert stored is not None
    assert stored.trading == {"BTCUSDT"}  # gateways refuse the others


async def test_no_known_symbol_at_all_is_an_error(bus: NatsBus, markets: Markets, clock: HandClock) -> None:
    with pytest.raises(ConfigError, match="none of TYPO trades on spot, usdm") as error:
        await take(bus, markets, clock, Config(symbols=("TYPO",))).begin(impatient=False)
    assert error.value.setting == "FSNATS_SYMBOLS"
