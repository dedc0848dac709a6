"""Acts on what the watch over streams finds: tells readers and operators, and takes the steps that may help."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from fsnats.binance.streams import Market, Route, Stream
from fsnats.clock import Clock
from fsnats.fleet.events import Journal, Kind
from workers.ingest import onesided
from workers.ingest.layout import Layout
from workers.ingest.line import Line
from workers.ingest.onesided import OneSided
from workers.ingest.probe import Step
from workers.ingest.router import Router
from workers.ingest.silence import Doubt, Flows, Named, Try, Watch
from workers.ingest.track import Missing
from workers.ingest.trail import Trails

logger = logging.getLogger(__name__)

MUTE = 3.0  # seconds without any data after which all of a connection's streams count as its own trouble
_RECENT = 60.0  # seconds in which a stream spoke that counts as flowing
_SHOWN = 20  # streams that the status lists
_NAMES = 8  # streams that a line of the log names

_OTHER_ROUTE = {Route.PUBLIC: Route.MARKET, Route.MARKET: Route.PUBLIC}


class Carrier(onesided.Carrier, Protocol):
    """A connection, as far as it matters here."""

    @property
    def last_data(self) -> float | None: ...


class Feed(Protocol):
    """What keeps connections."""

    @property
    def carriers(self) -> Iterable[Carrier]: ...


class SilentStream(msgspec.Struct, frozen=True):
    """What the status shows of one silent stream.  Seconds."""

    stream: str
    seconds: float
    cadence: float | None
    reason: str
    trying: str


class Watchdog:
    """One worker's."""

    def __init__(
        self,
        market: Market,
        router: Router,
        layout: Layout,
        clock: Clock,
        tell: Callable[[Line, Missing, str], None],
        journal: Journal | None = None,
    ) -> None:
        """`tell` publishes a notice."""
        self._journal = journal or Journal(clock.time_ns)
        self._market = market
        self._router = router
        self._layout = layout
        self._clock = clock
        self._notice = tell
        self.trails = Trails()
        self._watch = Watch(self.trails)
        self._onesided = OneSided()
        self._elsewhere: dict[str, Route] = {}  # streams that are tried on another route
        self._kinds_elsewhere: dict[str, Route] = {}  # types that were found to flow on another route
        self.answered = self._watch.answered
        self.habit = self._watch.habit

    def routes(self, streams: Mapping[str, Stream]) -> dict[str, Route]:
        """Where to carry these streams."""
        for name, stream in streams.items() if self._kinds_elsewhere else ():
            # One that flows where it should stays there, whatever is true of its type.
            if stream.kind in self._kinds_elsewhere and name not in self._layout:
                self._elsewhere[name] = self._kinds_elsewhere[stream.kind]
        return {name: self._route(stream) for name, stream in streams.items()}

    def _route(self, stream: Stream) -> Route:
        return self._elsewhere.get(stream.name, stream.route)

    def look(self, feeds: Iterable[Feed], doubt: Callable[[list[str]], None]) -> bool:
        """Look once; to be called every LOOK seconds.  Returns whether the layout changed.

        `doubt` hears of streams that are about to be named: whoever finds out whether they trade calls `answered`.
        """
        now = self._clock.monotonic()
        by_feed = [list(feed.carriers) for feed in feeds]
        carriers = [carrier for carriers in by_feed for carrier in carriers]
        listening: dict[str, float] = {}
        mute: set[str] = set()
        speaking: set[str] = set()
        for carrier in carriers:
            acknowledged = carrier.subscriptions.acknowledged
            for name, since in carrier.subscriptions.listening.items():
                listening[name] = min(since, listening.get(name, since))
            is_mute = carrier.last_data is not None and now - carrier.last_data > MUTE and len(acknowledged) > 1
            (mute if is_mute else speaking).update(acknowledged)
        outcomes = self._watch.look(now, self._router.carried, listening, mute - speaking)
        self._onesided.look(now, by_feed, self._watch.speaks)
        named = [outcome for outcome in outcomes if isinstance(outcome, Named)]
        flows = [outcome for outcome in outcomes if isinstance(outcome, Flows)]
        doubts = [outcome.stream.name for outcome in outcomes if isinstance(outcome, Doubt)]
        for each in named:
            self._tell(each, now)
        if named:
            logger.warning(
                "streams are silent",
                extra={
                    "event": "streams.silent",
                    "market": self._market,
                    "count": len(named),
                    "streams": _listed(named),
                },
            )
        if flows:
            self._flow(flows)
        if doubts:
            doubt(doubts)
        tries = [outcome for outcome in outcomes if isinstance(outcome, Try)]
        return self._try(tries, carriers) if tries else False

    def _tell(self, named: Named, now: float) -> None:
        """Tell readers, and have what comes next looked at as after a lost connection."""
        silence = named.silence
        line = self._router.line(silence.stream.name)
        assert line is not None
        now_ns = self._clock.time_ns()
        since_ns = named.heard_ns or now_ns - int((now - silence.since) * 1e9)
        self._notice(line, Missing(since_ns // 1_000_000, now_ns // 1_000_000, "ms"), "silent")
        self._journal.note(Kind.SILENT, stream=silence.stream.name, reason=silence.reason)
        line.resuming = True

    def _flow(self, flows: list[Flows]) -> None:
        for each in flows:
            reason = f"{each.helped} helped" if each.helped else ""
            self._journal.note(Kind.FLOWS, stream=each.silence.stream.name, reason=reason)
        longest = max(each.seconds for each in flows)
        helped = {str(each.helped) for each in flows if each.helped is not None}
        logger.warning(
            "silent streams flow again",
            extra={
                "event": "streams.flow_again",
                "market": self._market,
                "count": len(flows),
                "streams": _listed(flows),
                "seconds": round(longest, 1),
                "helped": ", ".join(sorted(helped)) or None,
            },
        )
        for stream in [each.silence.stream for each in flows if each.helped is Step.REROUTE]:
            route = self._route(stream)
            if route is stream.route:
                self._kinds_elsewhere.pop(stream.kind, None)
            elif self._kinds_elsewhere.get(stream.kind) is not route and not self._flows_at_home(stream.kind):
                self._kinds_elsewhere[stream.kind] = route
                logger.error(
                    "the exchange serves a type of stream on another route than documented",
                    extra={"event": "streams.other_route", "market": self._market, "type": stream.kind, "route": route},
                )

    def _flows_at_home(self, kind: str) -> bool:
        """Whether any stream of a type flows where it is documented: then the type did not move, only a stream did."""
        recent = self._clock.time_ns() - int(_RECENT * 1e9)
        return any(
            line.stream.kind == kind and line.received_ns > recent and name not in self._elsewhere
            for name, line in self._router.carried.items()
        )

    def _try(self, tries: list[Try], carriers: list[Carrier]) -> bool:
        renewed = {each.stream.name for each in tries if each.step is Step.RENEW}
        listed = {each.stream.name for each in tries if each.step is Step.LIST}
        for carrier in carriers:
            if listed & carrier.subscriptions.acknowledged.keys():
                carrier.audit()
            if renewed:
                carrier.renew(renewed)
        changed = False
        for each in tries:
            name = each.stream.name
            match each.step:
                case Step.MOVE:
                    self._layout.move(name)
                case Step.REROUTE:
                    self._elsewhere[name] = _OTHER_ROUTE[self._route(each.stream)]
                case Step.HOME:
                    self._elsewhere.pop(name, None)
                    self._layout.displace(name)
                case _:
                    continue
            changed = True
        for name in self._elsewhere.keys() - self._router.carried.keys():
            del self._elsewhere[name]
        return changed

    @property
    def wondering(self) -> Mapping[str, float]:
        """The symbols about which REST may be asked, to be answered to `trails`; and since when."""
        return self._watch.wondering

    @property
    def silent(self) -> int:
        """How many streams are named."""
        return len(self._watch.silent)

    @property
    def unheard(self) -> int:
        """How many streams never spoke since they are carried."""
        return self._watch.unheard

    def status(self) -> Mapping[str, object]:
        """What `fsnats status` shows."""
        now = self._clock.monotonic()
        silent = self._watch.silent
        return {
            "count": len(silent),
            "unheard": self.unheard,
            "one_sided": self._onesided.count,
            "streams": [
                SilentStream(
                    each.stream.name,
                    round(now - each.since, 1),
                    each.cadence,
                    each.reason,
                    str(each.probe.step) if each.probe.step else "",
                )
                for each in silent[:_SHOWN]
            ],
        }


def _listed(outcomes: Sequence[Named | Flows]) -> str:
    """Streams, and why they should speak, for a line of the log."""
    told = [f"{each.silence.stream.name} ({each.silence.reason})" for each in outcomes[:_NAMES]]
    return ", ".join(told) + (f" and {len(outcomes) - _NAMES} more" if len(outcomes) > _NAMES else "")
