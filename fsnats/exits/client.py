"""A program's way out: asks the desk which exit to take and when, and tells it what became of it.

The desk is the supervisor's, one truth for all processes.  While it does not answer (a worker started by hand, a
supervisor that hangs, NATS down) the program keeps to the share of the limits that the desk told it last, to what all
programs said of exits, and to what it sees itself.
"""

import logging
import os
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

import msgspec

from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.config import Config
from fsnats.errors import UNREADABLE, BusUnavailable, ConfigError, ExchangeUnavailable
from fsnats.exits.address import ENVIRONMENT, Exit, named_apart, read_pool
from fsnats.exits.areas import ruled_out
from fsnats.exits.environment import from_environment
from fsnats.exits.messages import Grant, Report, Request
from fsnats.exits.pool import Pool
from fsnats.exits.trust import client_context
from fsnats.exits.verdicts import REACTIONS, verdict_on
from fsnats.subjects import DIALS, EXIT_REPORTS

logger = logging.getLogger(__name__)

_TIMEOUT = 1.0  # seconds to wait for the desk
_ALONE = 0.1  # the share of an exit's budgets that a process takes that never heard of a desk
_RETHINK = 60.0  # seconds after which somebody who waits for any exit asks again: another one may have worked


def exits_to(url: str, pool: str, environ: Mapping[str, str]) -> list[Exit]:
    """The exits of a pool towards a URL.  Raises ConfigError."""
    try:
        entries = read_pool(pool)
    except ValueError as error:
        raise ConfigError("FSNATS_PROXY", str(error)) from None
    try:
        return named_apart([from_environment(url, environ) if one == ENVIRONMENT else one for one in entries])  # type: ignore[misc]  # ENVIRONMENT is the only text
    except ValueError as error:
        raise ConfigError("FSNATS_PROXY=env", str(error)) from None


class Exits:
    """All that a program needs to leave the machine; `to` is the way to one URL."""

    def __init__(self, config: Config, bus: Bus, program: str, clock: Clock) -> None:
        """Raises ConfigError for certificates or proxies of the environment that cannot be used."""
        self._config = config
        self._bus = bus
        self._program = program
        self._clock = clock
        self._alone = Pool(_ALONE, _ALONE)
        self._names: set[str] = set()
        self._report = msgspec.json.Decoder(Report).decode
        bus.subscribe(EXIT_REPORTS, self._heard)
        self.tls = client_context(config.ca_file)
        for market in config.markets:  # better now than at the first dial
            self.to(config.ws_url(market))

    def to(self, url: str, scope: str = "", strand: int = 0) -> "Way":
        """The way to a URL.  A `scope` says that it leads to REST, and which limit of weight that counts towards.

        Ways with different numbers of a `strand` go by different exits where there are several.
        """
        choices = exits_to(url, self._config.proxy, os.environ)
        self._names.update(one.name for one in choices)
        return Way(self, url, choices, scope, strand)

    async def ask(self, request: Request) -> Grant:
        """The desk's answer, or one's own."""
        request = msgspec.structs.replace(request, program=self._program)
        try:
            answer = await self._bus.request(DIALS, msgspec.json.encode(request), _TIMEOUT)
            grant = msgspec.json.decode(answer, type=Grant)
            if grant.share is not None and request.scope:
                self._alone.allow_weight(grant.share)
            elif grant.share is not None:
                self._alone.allow_dials(grant.share)
            return grant
        except (BusUnavailable, *UNREADABLE):
            own = self._alone.choose(request, self._clock.monotonic())
            assert own is not None, "a process has a handful of exits"
            return own

    def tell(self, report: Report) -> None:
        """Remember what became of a try, and let the others know."""
        report = msgspec.structs.replace(report, program=self._program)
        is_news = self._alone.told(report, self._clock.monotonic())
        if not self._bus.publish(EXIT_REPORTS, msgspec.json.encode(report)) and is_news:
            log_report(report)

    def _heard(self, _subject: str, _reply: str, payload: bytes) -> None:
        try:
            report = self._report(payload)
        except UNREADABLE:
            return  # the desk says so
        if report.program != self._program and report.exit in self._names:
            self._alone.told(report, self._clock.monotonic())

    async def sleep(self, seconds: float) -> None:
        """Wait on this program's clock."""
        await self._clock.sleep(seconds)


class Way:
    """From this program to one host, by whichever exit is best."""

    def __init__(self, exits: Exits, url: str, choices: list[Exit], scope: str, strand: int = 0) -> None:
        self._exits = exits
        self._strand = strand
        self._host = urlsplit(url).hostname or ""
        self._scope = scope
        self._choices = {one.name: one for one in choices}
        self.tls = exits.tls
        self.waiting: str | None = None  # why no exit may be used now

    @property
    def exits(self) -> list[Exit]:
        """Every exit of the pool."""
        return list(self._choices.values())

    async def other(self, avoid: Collection[str]) -> Exit | None:
        """An exit other than these by which one more dial is allowed now; None where there is none."""
        choices = tuple(name for name in self._choices if name not in avoid)
        if not choices:
            return None
        grant = await self._exits.ask(Request(choices, self._host, strand=self._strand, patience=0.0))
        return self._choices.get(grant.exit or "")

    async def admitted(self, avoid: Collection[str] = ()) -> Exit:
        """Return when one more dial is allowed, by this exit: another than those to avoid, where one may be had."""
        other = await self.other(avoid) if avoid else None
        if other is not None:
            return other
        while True:
            grant = await self._exits.ask(Request(tuple(self._choices), self._host, strand=self._strand))
            chosen = self._choices.get(grant.exit or "")
            if chosen is None:
                self._wait_for_any(grant)
                await self._exits.sleep(min(max(grant.delay, 0.1), _RETHINK))
                continue
            self.waiting = None
            if grant.delay > 0:
                logger.info(
                    "waiting for the exit's budget of dials",
                    extra={"event": "exit.waiting", "seconds": round(grant.delay, 1)},
                )
                await self._exits.sleep(grant.delay)
            return chosen

    async def allotted(self, weight: int, patience: float, leave: float = 0.0) -> Exit:
        """Return when a request of this weight may be made, by this exit, and the part `leave` is left to others.

        Raises ExchangeUnavailable, saying how long to stay away, where that is further than `patience` seconds off;
        with the status 429 where it would only be too much.
        """
        waited = 0.0
        while True:
            asked = Request(
                tuple(self._choices),
                self._host,
                weight=weight,
                scope=self._scope,
                patience=patience - waited,
                leave=leave,
            )
            grant = await self._exits.ask(asked)
            chosen = self._choices.get(grant.exit or "")
            if chosen is not None:
                if grant.delay > 0:
                    await self._exits.sleep(grant.delay)
                return chosen
            delay = max(grant.delay, 0.1)
            if waited + delay > patience:
                reason = f"no exit may be used for another {delay:.0f} s ({grant.reason})"
                raise ExchangeUnavailable("http", reason, status=429 if grant.limited else None, retry_after=delay)
            waited += delay
            await self._exits.sleep(delay)

    def failed(self, by: Exit, error: ExchangeUnavailable) -> None:
        """A dial or a request failed."""
        verdict = verdict_on(error)
        if verdict is not None:
            self._exits.tell(Report(by.name, self._host, verdict, str(error), error.retry_after, scope=self._scope))

    def worked(self, by: Exit, used_weight: int | None = None) -> None:
        """Data came."""
        self._exits.tell(Report(by.name, self._host, used=used_weight, scope=self._scope))

    def _wait_for_any(self, grant: Grant) -> None:
        if self.waiting != grant.reason:
            logger.warning(
                "no exit may be used", extra={"event": "exit.none", "host": self._host, "error": grant.reason}
            )
        self.waiting = grant.reason


def log_report(report: Report) -> None:
    """Say that an exit went out of use, or came back."""
    extra: dict[str, object] = {"exit": report.exit, "host": report.host}
    if report.verdict is None:
        logger.info("an exit works again", extra={"event": "exit.works_again", **extra})
        return
    area = ruled_out(report.verdict, report.host, report.scope)
    extra |= {"verdict": report.verdict, "not_for": area, "error": report.reason}
    level = logging.ERROR if REACTIONS[report.verdict].error else logging.WARNING
    logger.log(level, "an exit is out of use for a while", extra={"event": "exit.out_of_use", **extra})
