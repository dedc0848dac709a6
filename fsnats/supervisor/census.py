"""Ask the markets what they list, and keep the catalogue: the listings, and which group owns which symbol.

A market that cannot be asked keeps what the catalogue holds of it, also from before a restart of ours, so losing the
exchange never stops a worker.  Every market is asked again every few minutes; futures announce a change, and are asked
then.  A catalogue that could not be kept is tried again soon, and one that was lost with its server is made again as it
was, whether or not the exchange answers.
"""

import asyncio
import logging
from collections.abc import Callable

import msgspec

from fsnats import frames
from fsnats.backoff import Backoff
from fsnats.binance.rest import BadRequest
from fsnats.binance.streams import Market
from fsnats.changes import Change, between, with_pending
from fsnats.clock import Clock
from fsnats.config import Config
from fsnats.errors import UNREADABLE, BusUnavailable, ConfigError, ExchangeUnavailable, FrameError, FsnatsError
from fsnats.groups import Group, regroup
from fsnats.supervisor.announced import Announced, Announcement
from fsnats.supervisor.catalogue import Catalogue
from fsnats.supervisor.lists import Ask, read_listing
from fsnats.symbols import Listing, Symbol, carrying, not_traded

logger = logging.getLogger(__name__)

RETRY_FIRST, RETRY_MOST = 1.0, 60.0  # seconds between two tries at a market that has not answered yet

_announcement = msgspec.json.Decoder(Announcement).decode


class Census:
    """What is listed and who owns it, by market.  `troubles` says why a market could not be asked last time."""

    def __init__(
        self,
        config: Config,
        ask: Ask,
        catalogue: Catalogue,
        clock: Clock,
        jitter: Callable[[], float],
        tell: Callable[[Change], None],
    ) -> None:
        """`tell` hears of every change, as soon as the catalogue shows it."""
        self._config = config
        self._ask = ask
        self._catalogue = catalogue
        self._clock = clock
        self._jitter = jitter
        self._tell = tell
        self._answered: set[Market] = set()
        self._vanished: set[tuple[Market, int]] = set()
        self._stay_away: dict[Market, float] = {}
        self._announced = {market: Announced() for market in config.markets}
        self._news = {market: asyncio.Event() for market in config.markets}
        self._taken: dict[Market, float] = {}  # when the newest list was asked for, monotonic seconds
        self._looks = {market: asyncio.Event() for market in config.markets}  # set when the next look is over
        self.listings: dict[Market, Listing] = {}
        self.groups: dict[Market, list[Group]] = {}
        self.troubles: dict[Market, str] = {}
        self.unkept: set[Market] = set()  # those whose list NATS did not store last time

    @property
    def all_groups(self) -> list[Group]:
        """Every group that needs a worker."""
        return [group for market in self._config.markets for group in self.groups.get(market, [])]

    async def begin(self, *, impatient: bool) -> None:
        """Ask every market once.

        Raises BusUnavailable, ConfigError when the configured symbols leave nothing, and, to the impatient, the
        ExchangeUnavailable of a market that does not answer; others get what the catalogue holds of it.
        """
        await self._catalogue.open()
        async with asyncio.TaskGroup() as tasks:
            results = {market: tasks.create_task(self._take(market)) for market in self._config.markets}
        for market, result in results.items():
            listing = result.result()
            if isinstance(listing, ExchangeUnavailable):
                if impatient:
                    raise listing
                self._troubled(market, listing)
                stored = await self._catalogue.listing(market)
                if stored is not None:
                    await self._apply(stored)
                continue
            self._answered.add(market)
            await self._apply(listing)
        self._check_symbols()

    async def run(self, changed: Callable[[], None]) -> None:
        """Ask every market again and again, for ever; call `changed` when groups may have come or gone."""
        async with asyncio.TaskGroup() as tasks:
            for market in self._config.markets:
                tasks.create_task(self._follow(market, changed))

    def heard(self, market: Market, data: bytes) -> None:
        """Take a frame of the market's `!contractInfo`: what is news is looked up soon."""
        announced, now = self._announced[market], self._clock.monotonic()
        try:
            frame = frames.decode(data)
            if frame.flags & frames.GAP:
                announced.missed(now)
            else:
                announced.hear(_announcement(frame.payload), self.listings.get(market), now)
        except (FrameError, *UNREADABLE) as error:
            logger.warning(
                "an announcement cannot be read",
                extra={"event": "bus.unreadable", "market": market, "error": str(error)},
            )
            return
        self._news[market].set()

    def renew(self) -> None:
        """NATS is back: it may have lost the catalogue, and we announcements.  Look at every market soon."""
        for market, announced in self._announced.items():
            announced.missed(self._clock.monotonic())
            self._news[market].set()

    async def fresh(self, market: Market, since: float) -> Listing | None:
        """What a market lists, asked after `since` (monotonic seconds): looks soon where need be.

        None where the market cannot be asked now, or is none of ours.  `run` must be running.
        """
        if market not in self._looks:
            return None
        if self._taken.get(market, float("-inf")) < since:
            self._announced[market].missed(self._clock.monotonic())
            self._news[market].set()
            await self._looks[market].wait()
        return self.listings.get(market) if self._taken.get(market, float("-inf")) >= since else None

    async def tidy(self) -> None:
        """Forget the groups that vanished, after their workers have stopped.  Raises BusUnavailable."""
        for market, number in list(self._vanished):
            await self._catalogue.drop_group(market, number)
            self._vanished.discard((market, number))

    async def _follow(self, market: Market, changed: Callable[[], None]) -> None:
        backoff = Backoff(RETRY_FIRST, RETRY_MOST, self._jitter)
        while True:
            is_well = market in self._answered and market not in self.unkept
            delay = self._config.catalogue_refresh if is_well else backoff.next_delay()
            await self._until_due(market, delay)
            asked = self._clock.monotonic()
            answer = await self._take(market)
            found = answer if isinstance(answer, Listing) else None
            failures: list[FsnatsError] = [answer] if isinstance(answer, ExchangeUnavailable) else []
            try:
                if (known := found or self.listings.get(market)) is not None:
                    await self._apply(known)
                self.unkept.discard(market)
            except BusUnavailable as error:
                self.unkept.add(market)
                failures.append(error)
            for failure in failures:
                self._troubled(market, failure)
            if failures:
                self._looked(market, None)
                continue
            self._answered.add(market)
            backoff.healthy()
            self._taken[market] = asked
            self.troubles.pop(market, None)
            self._looked(market, found)
            changed()

    async def _until_due(self, market: Market, delay: float) -> None:
        """Wait so long, or until announcements make it worth a look; in any case as long as the exchange wants."""
        now = self._clock.monotonic()
        earliest = now + self._stay_away.pop(market, 0.0)
        regular = max(now + delay, earliest)
        news = self._news[market]
        while True:
            news.clear()
            due = self._announced[market].due
            until = regular if due is None else min(regular, max(due, earliest))
            left = until - self._clock.monotonic()
            if left <= 0:
                return
            async with asyncio.TaskGroup() as tasks:
                waiting = [tasks.create_task(self._clock.sleep(left)), tasks.create_task(news.wait())]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in waiting:
                    task.cancel()

    def _looked(self, market: Market, listing: Listing | None) -> None:
        self._looks[market].set()
        self._looks[market] = asyncio.Event()
        late = self._announced[market].looked(listing, self._clock.monotonic())
        if late:
            extra = {"market": market, "symbols": _some(sorted(late))}
            logger.warning(
                "the exchange announced what its list does not show", extra={"event": "symbols.not_listed", **extra}
            )

    async def _take(self, market: Market) -> Listing | ExchangeUnavailable:
        # The failure is returned, not raised: one market's must not cancel the others'.
        try:
            answer = await self._ask(market)
            return read_listing(market, answer, self._clock.time_ns() // 1_000_000)
        except ExchangeUnavailable as error:
            return error
        except BadRequest as error:
            return ExchangeUnavailable("http", f"{market} does not understand exchangeInfo: {error}", status=400)

    def _troubled(self, market: Market, error: FsnatsError) -> None:
        self.troubles[market] = str(error)
        if isinstance(error, ExchangeUnavailable) and error.retry_after is not None:
            self._stay_away[market] = error.retry_after
        logger.warning(
            "cannot renew the list of symbols",
            extra={"event": "symbols.not_renewed", "market": market, "error": str(error)},
        )

    async def _apply(self, listing: Listing) -> None:
        """Store a listing and its groups.

        What is stored is looked at each time, not remembered: somebody may have given the server a new disk.  What is
        known here goes before it: workers run for these groups, and of these symbols everybody was told.
        """
        market = listing.market
        await self._catalogue.open()
        stored = await self._catalogue.listing(market)
        before = self.listings.get(market) or stored
        listing = carrying(with_pending(listing, before), self._config.symbols)
        change = between(before, listing)
        stored_groups = await self._catalogue.groups(market)
        groups = regroup(listing, self.groups.get(market) or stored_groups, self._config.symbols_per_worker)
        # In this order nobody is let in to a symbol that nobody owns.
        await self._catalogue.put_groups(groups)
        if not _same(listing, stored):
            await self._catalogue.put_listing(listing)
        if change:
            self._tell(change)
        if change or before is None:
            _report(listing, change, groups)
        numbers = {group.number for group in groups}
        self._vanished = {(m, number) for m, number in self._vanished if m is not market or number not in numbers}
        self._vanished |= {(market, group.number) for group in stored_groups if group.number not in numbers}
        self.listings[market] = listing
        self.groups[market] = groups

    def _check_symbols(self) -> None:
        """Warn of configured symbols that nobody trades, and refuse to run for none at all."""
        if len(self._answered) < len(self._config.markets):
            return  # they may be on the market that did not answer, or new there
        for name, reason in not_traded(self._config.symbols, self.listings.values()).items():
            logger.warning(
                "a configured symbol is not traded",
                extra={"event": "symbols.not_traded", "symbol": name, "reason": reason},
            )
        if not self.all_groups and not all(listing.replayed for listing in self.listings.values()):
            markets = ", ".join(self._config.markets)
            raise ConfigError("FSNATS_SYMBOLS", f"none of {', '.join(self._config.symbols)} trades on {markets}")


def _same(listing: Listing, before: Listing | None) -> bool:
    def content(one: Listing) -> tuple[bool, bool, list[Symbol]]:
        return one.simulated, one.replayed, one.symbols

    return before is not None and content(listing) == content(before)


def _report(listing: Listing, change: Change, groups: list[Group]) -> None:
    extra: dict[str, object] = {"market": listing.market, "trading": len(listing.trading), "groups": len(groups)}
    for what in ("listed", "delisted", "halted", "resumed"):
        if names := getattr(change, what):
            extra[what] = _some(names)
    logger.info("the list of symbols changed", extra={"event": "symbols.changed", **extra})


def _some(names: list[str]) -> str:
    """A list of names that fits on a line."""
    return " ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
