"""Plays captures on the bus, in the place of the workers that were captured."""

import asyncio
import contextlib
import math
from collections.abc import Iterable, Iterator

import msgspec

from fsnats import demand, frames, headway, notices
from fsnats.binance.streams import Market, parse
from fsnats.bus import Bus
from fsnats.captures.audience import Audience
from fsnats.captures.brake import Brake
from fsnats.captures.lines import Message
from fsnats.clock import Clock
from fsnats.errors import UNREADABLE, StreamNameError
from fsnats.frames import GAP, LATE, RECOVERED, VERSION, Frame
from fsnats.subjects import DEMAND_REQUEST, HEADWAY, subject_of
from fsnats.subjects import demand as demand_subject

CHUNK_BYTES = (
    64 * 1024
)  # between two questions; with two open, what a client has to take in one go stays far below 1 MB
FOREVER = 2**63

_PAUSE = 0.02  # seconds between two questions while nothing is sent
_EARLY = 0.0005  # seconds by which a message may come too soon: a sleep is no more exact
_SETTLE = 5.0  # seconds for the last of it to reach those who read slowly
_KEPT = RECOVERED | LATE | GAP


class Playing(msgspec.Struct, frozen=True, kw_only=True):
    """How to play: how much faster than life (math.inf: as fast as everybody takes it), and what was received between
    two moments, in nanoseconds since 1970; `wait` for clients that listen to so many streams."""

    speed: float = 1.0
    first_ns: int = 0
    last_ns: int = FOREVER
    wait: int = 0


class Progress(msgspec.Struct):
    """How far it is; `at_ns` is the time in the capture."""

    messages: int = 0
    notices: int = 0
    bytes: int = 0
    seconds: float = 0.0  # that playing took, up to the end of the newest round, or until it was stopped
    rounds: int = 0
    at_ns: int = 0
    begun: bool = False
    deaf_clients: int = 0  # who do not read, and are not waited for


class _Place(msgspec.Struct):
    subject: str
    seq: int = 0
    round: int = 0
    last_ns: int = 0


class Player:
    """Numbers what it plays in a count of its own, and begins when `begin` says so."""

    def __init__(self, bus: Bus, name: str, clock: Clock, playing: Playing) -> None:
        """`name` is one that nobody else on the bus has."""
        self._bus = bus
        self._clock = clock
        self._playing = playing
        self._epoch = clock.time_ns()
        self._places: dict[tuple[Market, str], _Place] = {}
        self._brake = Brake()
        self._inbox = f"_INBOX.{name}"
        self._answered = asyncio.Event()
        self._unasked = 0  # bytes sent since the last question
        self.progress = Progress()

    async def begin(self) -> None:
        """Find the gateways, and wait for the clients that are to be waited for."""
        self._bus.subscribe(f"{self._inbox}.*", self._answer)
        audience = Audience()

        def announced(_subject: str, _reply: str, payload: bytes) -> None:
            with contextlib.suppress(*UNREADABLE):  # somebody else's
                audience.hear(demand.decode(payload), self._clock.monotonic())

        heard = [self._bus.subscribe(demand_subject(market), announced) for market in Market]
        self._bus.publish(DEMAND_REQUEST, b"")
        patience = self._clock.monotonic() + _SETTLE
        while audience.streams(self._clock.monotonic()) < self._playing.wait or (
            not self._brake.gateways and self._clock.monotonic() < patience
        ):
            self._ask()
            await self._pause()
        for sid in heard:
            self._bus.unsubscribe(sid)
        self.progress.begun = True

    async def play(self, messages: Iterable[Message]) -> None:
        """Play one round of everything, and return when the gateways have written it to everybody who reads."""
        self.progress.rounds += 1
        begun, first = self._clock.monotonic(), 0
        try:
            for message in self._chosen(messages):
                first = first or message.due_ns
                if self._playing.speed != math.inf:
                    due = begun + (message.due_ns - first) / 1e9 / self._playing.speed
                    while (early := due - self._clock.monotonic()) > _EARLY:
                        await self._clock.sleep(early)
                await self._publish(message)
            self._ask()
            await self._held(ahead=1)
        finally:
            self.progress.seconds += self._clock.monotonic() - begun

    def _chosen(self, messages: Iterable[Message]) -> Iterator[Message]:
        first, last = self._playing.first_ns, self._playing.last_ns
        return (message for message in messages if first <= message.received_ns <= last)

    async def _publish(self, message: Message) -> None:
        key = (message.market, message.stream)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place(subject_of(*key), round=self.progress.rounds)
        elif place.round != self.progress.rounds:
            place.round = self.progress.rounds
            await self._send(place, message.stream, message.received_ns, GAP, _begins_again(message, place))
        if message.is_gap:
            self.progress.notices += 1
        else:
            self.progress.messages += 1
        await self._send(place, message.stream, message.received_ns, message.flags & _KEPT, message.data)

    async def _send(self, place: _Place, stream: str, received_ns: int, flags: int, payload: bytes) -> None:
        place.seq += 1
        place.last_ns = self.progress.at_ns = received_ns
        now = self._clock.time_ns()
        frame = Frame(VERSION, stream, received_ns, self._epoch, place.seq, flags, payload, now)
        data = frames.encode(frame)
        while not self._bus.publish(place.subject, data):
            # What was on the way is lost with the connection; readers see it in the sequence.
            await self._clock.sleep(_PAUSE)
        self.progress.bytes += len(payload)
        self._unasked += len(data)
        if self._unasked >= CHUNK_BYTES:
            self._ask()
            await self._held()

    async def _held(self, ahead: int = 2) -> None:
        """Wait until more may be sent."""
        await asyncio.sleep(0)
        while not self._brake.is_open(self._clock.monotonic(), ahead):
            await self._pause()
            if not self._answered.is_set():
                self._ask()  # nobody says by himself that he reads again
        self.progress.deaf_clients = self._brake.given_up

    async def _pause(self) -> None:
        self._answered.clear()
        try:
            async with asyncio.timeout(_PAUSE):
                await self._answered.wait()
        except TimeoutError:
            return

    def _ask(self) -> None:
        self._unasked = 0
        if self._bus.is_connected:
            number = self._brake.ask(self._clock.monotonic())
            self._bus.publish(HEADWAY, b"", f"{self._inbox}.{number}")

    def _answer(self, subject: str, _reply: str, payload: bytes) -> None:
        try:
            number, one = int(subject.rpartition(".")[2]), headway.decode(payload)
        except (ValueError, *UNREADABLE):
            return  # nobody whom we asked answers so
        self._brake.answer(number, one, self._clock.monotonic())
        self._answered.set()


def _begins_again(message: Message, place: _Place) -> bytes:
    """The notice that the stream is behind its end, and goes on at its beginning."""
    before, after = place.last_ns // 1_000_000, message.received_ns // 1_000_000
    try:
        stream = parse(message.market, message.stream)
    except StreamNameError:
        return b"{}"
    return notices.gap(stream, before, after, "ms", "the replay begins again")
