import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gateway import closing
from gateway.admission.door import NOBODY, Guest
from gateway.admission.grants import Grant
from gateway.admission.tokens import Pass, Tokens
from gateway.clients import LOOKED_AT, MOMENT, Clients
from tests.clock import HandClock

BOT = Grant(name="bot", streams=5)


class Member:
    """A client that notes what is done to it, and is gone when it was closed."""

    def __init__(self, clients: "Clients[Member]", digest: bytes = b"") -> None:
        self.guest = Guest(Pass(BOT, digest), "") if digest else NOBODY
        self.looks: list[float] = []
        self.goodbyes: list[float] = []
        self.codes: list[int] = []
        self._clients = clients
        clients.add(self)

    def keep_alive(self, now: float) -> None:
        self.looks.append(now)

    def say_goodbye(self, closes_in: float) -> None:
        self.goodbyes.append(closes_in)

    def close(self, code: int, reason: str) -> None:
        self.codes.append(code)
        self._clients.remove(self)


class Source:
    """A file of tokens: what is `written` is there at the next look."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = self.written = tokens

    def look(self) -> None:
        self.tokens = self.written


@asynccontextmanager
async def _looking_after(
    clients: Clients[Member], clock: HandClock, flush: Callable[[], None] = lambda: None
) -> AsyncIterator[None]:
    task = asyncio.ensure_future(clients.look_after(flush, clock))
    await clock.advance(0.0)
    yield
    task.cancel()
    await asyncio.wait([task])


async def test_everybody_is_looked_at_once_a_second_and_few_in_one_turn(clock: HandClock) -> None:
    clients = Clients[Member](None)
    members = [Member(clients) for _ in range(4 * LOOKED_AT)]
    written = list[int]()

    def flush() -> None:
        written.append(sum(len(member.looks) for member in members))

    async with _looking_after(clients, clock, flush):
        await clock.advance(3.0)
    assert written[:4] == [LOOKED_AT, 2 * LOOKED_AT, 3 * LOOKED_AT, 4 * LOOKED_AT], "each turn is written"
    assert {len(member.looks) for member in members} <= {2, 3}
    assert len({member.looks[0] for member in members}) == 4


async def test_who_left_meanwhile_is_not_looked_at(clock: HandClock) -> None:
    clients = Clients[Member](None)
    members = [Member(clients) for _ in range(LOOKED_AT + 1)]
    async with _looking_after(clients, clock):
        await clock.advance(1.0)
        clients.remove(members[-1])
        await clock.advance(1.0)
    assert members[-1].looks == []
    assert len(clients) == LOOKED_AT


async def test_who_may_not_read_any_more_what_its_token_allowed_is_closed(clock: HandClock) -> None:
    source = Source(Tokens({b"1": BOT, b"2": BOT, b"3": BOT}))
    clients = Clients[Member](source)
    stays, revoked, changed = (Member(clients, digest) for digest in (b"1", b"2", b"3"))
    async with _looking_after(clients, clock):
        await clock.advance(2.0)
        assert len(clients) == 3
        source.written = Tokens({b"1": BOT, b"3": Grant(name="bot", streams=4)})
        await clock.advance(1.0)
    assert (stays.codes, revoked.codes, changed.codes) == (
        [],
        [closing.TOKEN_REVOKED.code],
        [closing.TOKEN_CHANGED.code],
    )


async def test_all_are_sent_away_one_after_the_other_each_after_a_goodbye(clock: HandClock) -> None:
    clients = Clients[Member](None)
    members = [Member(clients) for _ in range(4)]
    began = clock.monotonic()
    leaving = asyncio.ensure_future(clients.send_away(8.0, clock))
    await clock.advance(0.1)
    assert [len(member.goodbyes) for member in members] == [1, 0, 0, 0]
    await clock.advance(4.0)
    assert members[0].codes == [closing.RESTARTING.code]
    assert members[3].codes == []
    while not leaving.done():
        await clock.advance(0.1)
    assert clock.monotonic() - began <= 8.2
    assert [member.goodbyes for member in members] == [[2.0]] * 4
    assert [member.codes for member in members] == [[closing.RESTARTING.code]] * 4


async def test_nobody_to_send_away_still_takes_a_moment(clock: HandClock) -> None:
    leaving = asyncio.ensure_future(Clients[Member](None).send_away(600.0, clock))
    await clock.advance(MOMENT - 0.1)
    assert not leaving.done()
    await clock.advance(0.2)
    assert leaving.done()


async def test_at_once_means_at_once(clock: HandClock) -> None:
    clients = Clients[Member](None)
    members = [Member(clients) for _ in range(3)]
    await clients.send_away(0.0, clock)
    assert [member.codes for member in members] == [[closing.RESTARTING.code]] * 3
    assert list(clients) == []
