"""Replay windows for tests: one on a real server, one that plays the server's part on a bus in memory."""

import msgspec

from fsnats import replay
from fsnats.binance.streams import Market
from fsnats.bus import Answer, Bus
from fsnats.bus.memory import MemoryBus
from fsnats.config import Config
from fsnats.frames import VERSION, Frame, encode
from fsnats.replay import window
from fsnats.subjects import PREFIX, subject_of
from fsnats.supervisor.replay import ReplayKeeper


async def open_window(bus: Bus, market: Market) -> None:
    """Make a market's window as the supervisor does, on a real server or in memory."""
    if isinstance(bus, MemoryBus):
        MemoryWindow(bus, market)
        return
    keeper = ReplayKeeper(Config(markets=(market,)))
    await keeper.ensure(bus)
    assert not keeper.trouble


def publish(bus: Bus, market: Market, name: str, epoch: int, seq: int, payload: bytes = b"{}", flags: int = 0) -> Frame:
    """Publish a frame as a worker does."""
    frame = Frame(VERSION, name, 1, epoch, seq, flags, payload)
    assert bus.publish(subject_of(market, name), encode(frame))
    return frame


async def settled(bus: Bus, market: Market, name: str, frame: Frame) -> None:
    """Return when the window has taken a frame in: it does so behind the back of whoever publishes."""
    newest: list[Frame | None] = [None]
    while newest[0] != frame:
        newest[0] = await replay.last(bus, market, name)


class _Question(msgspec.Struct):
    seq: int = 0
    next_by_subj: str = ""
    batch: int = 0
    multi_last: list[str] = []


class MemoryWindow:
    """Takes in a market's frames and answers direct gets as JetStream does."""

    def __init__(self, bus: MemoryBus, market: Market) -> None:
        self._bus = bus
        self._kept: list[tuple[int, str, bytes]] = []  # position, subject, frame
        self._count = 0
        self._subject = f"$JS.API.DIRECT.GET.{window(market)}"
        bus.subscribe(f"{PREFIX}.{market}.>", self._take)
        bus.subscribe(self._subject, lambda _subject, reply, payload: self._ask(reply, payload))
        bus.subscribe(f"{self._subject}.>", self._last)

    def forget(self, count: int) -> None:
        """Lose the oldest frames."""
        del self._kept[:count]

    def _take(self, subject: str, _reply: str, payload: bytes) -> None:
        self._count += 1
        self._kept.append((self._count, subject, payload))

    def _last(self, subject: str, reply: str, _payload: bytes) -> None:
        wanted = subject.removeprefix(f"{self._subject}.")
        self._answer(reply, [kept for kept in self._kept if kept[1] == wanted][-1:], one=True)

    def _ask(self, reply: str, payload: bytes) -> None:
        question = msgspec.json.decode(payload, type=_Question)
        if question.multi_last:
            newest = {kept[1]: kept for kept in self._kept if kept[1] in question.multi_last}
            self._answer(reply, sorted(newest.values()))
            return
        found = [kept for kept in self._kept if kept[0] >= question.seq and kept[1] == question.next_by_subj]
        self._answer(reply, found, question.batch or 1, one=not question.batch)

    def _answer(self, reply: str, found: list[tuple[int, str, bytes]], most: int = 1 << 30, one: bool = False) -> None:
        if not found:
            self._bus.answer(reply, Answer(b"", b"NATS/1.0 404 Message Not Found\r\n\r\n", "404"))
            return
        pending = len(found)
        for position, _, frame in found[:most]:
            pending -= 1
            head = b"NATS/1.0\r\nNats-Sequence: %d\r\nNats-Num-Pending: %d\r\n\r\n" % (position, pending)
            self._bus.answer(reply, Answer(frame, head))
        if not one:
            self._bus.answer(reply, Answer(b"", b"NATS/1.0 204 EOB\r\n\r\n", "204"))
