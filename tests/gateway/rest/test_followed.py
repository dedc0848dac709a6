"""Which polled streams are followed, and when their newest message may answer."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market, Stream
from fsnats.frames import GAP, LATE, RECOVERED, SNAPSHOT, VERSION, Frame
from fsnats.offset import Offset
from gateway.fanout.joining import Joining
from gateway.rest.followed import AGAIN, IDLE, MOST, Followed, Found
from gateway.rest.live import EACH_SECOND, KNOWN, Live, live

BOOK = b'{"u":7,"s":"BTCUSDT","b":"1","B":"2","a":"3","A":"4"}'
ANSWER = b'{"symbol":"BTCUSDT","bidPrice":"1","bidQty":"2","askPrice":"3","askQty":"4"}'


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_795_174_312.0

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return int(self.now * 1e9)

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class Hub:
    """A gateway's streams, spoken by the test."""

    def __init__(self) -> None:
        self.held: dict[str, Joining] = {}
        self.carried: set[str] = set()

    def carries(self, stream: Stream) -> bool:
        return stream.name in self.carried

    def hold(self, stream: Stream, joining: Joining) -> None:
        self.held[stream.name] = joining

    def let_go(self, stream: Stream, joining: Joining) -> None:
        assert self.held.pop(stream.name) is joining


class World:
    def __init__(self) -> None:
        self.time, self.hub = Time(), Hub()
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.offsets: dict[Market, Offset] = {}
        self.followed = Followed(
            self.hub, self.offsets.get, self.time, lambda seconds, call: self.timers.append((seconds, call))
        )

    def poll(self, live: Live, body: bytes = ANSWER) -> Found | None:
        """Ask as the gateway does."""
        found = self.followed.answer(live)
        if found is None:
            self.followed.asked(live, body)
        return found

    def follow(self, live: Live) -> None:
        """Ask twice, and let a moment pass."""
        assert (self.poll(live), self.poll(live)) == (None, None)
        self.time.now += 0.1

    def speak(self, live: Live, payload: bytes, flags: int = 0, late: float = 0.0) -> None:
        received = int((self.time.now - late) * 1e9)
        self.hub.held[live.stream.name].hold(Frame(VERSION, live.stream.name, received, 1, 1, flags, payload))

    def ring(self) -> None:
        """Let the timers go off."""
        due, self.timers[:] = self.timers[:], []
        for _, call in due:
            call()


def question(market: Market = Market.SPOT, method: str = "ticker/bookTicker", symbol: str = "BTCUSDT") -> Live:
    answerable = live(market, method, {"symbol": symbol})
    assert answerable is not None
    return answerable


def mark_price(world: World, lag: float = 0.0) -> bytes:
    fields = {"E": int((world.time.now - lag) * 1000), "s": "BTCUSDT", "T": 1, **dict.fromkeys("piPr", "5")}
    return msgspec.json.encode(fields)


BEST = question()
MARK = question(Market.USDM, "premiumIndex")


def test_who_asks_once_has_nothing_subscribed_and_who_asks_again_has() -> None:
    world = World()
    world.poll(BEST)
    assert world.hub.held == {}
    world.time.now += AGAIN
    world.poll(BEST)
    assert world.hub.held.keys() == {"btcusdt@bookTicker"}


def test_who_asks_now_and_then_has_nothing_subscribed() -> None:
    world = World()
    for _ in range(5):
        world.poll(BEST)
        world.time.now += AGAIN + 1
    assert world.hub.held == {}


def test_a_stream_that_somebody_listens_to_is_followed_at_once() -> None:
    world = World()
    world.hub.carried.add("btcusdt@bookTicker")
    world.poll(BEST)
    world.time.now += 0.1
    world.speak(BEST, BOOK)
    assert world.poll(BEST) == Found(ANSWER, 0.0)


def test_the_newest_message_answers_while_it_is_new() -> None:
    world = World()
    world.follow(BEST)
    assert world.poll(BEST) is None
    world.time.now += 0.1
    world.speak(BEST, BOOK)
    world.time.now += 0.9
    found = world.poll(BEST)
    assert found is not None
    assert found.body == ANSWER
    assert found.age == pytest.approx(0.9)
    world.time.now += 0.2
    assert world.poll(BEST) is None


def test_what_came_before_the_exchange_answered_is_not_told_after_it() -> None:
    world = World()
    world.follow(BEST)
    world.speak(BEST, BOOK)
    world.followed.asked(BEST, ANSWER)
    assert world.poll(BEST) is None
    world.time.now += 0.1
    world.speak(BEST, BOOK)
    assert world.poll(BEST) is not None


@pytest.mark.parametrize("flags", [GAP, RECOVERED, SNAPSHOT])
def test_after_a_gap_the_next_message_answers_and_not_the_one_before(flags: int) -> None:
    world = World()
    world.follow(BEST)
    world.speak(BEST, BOOK)
    world.speak(BEST, BOOK, flags)
    assert world.poll(BEST) is None
    world.time.now += 0.1
    world.speak(BEST, BOOK)
    assert world.poll(BEST) is not None


def test_what_comes_out_of_order_answers_nothing_and_disturbs_nothing() -> None:
    world = World()
    world.follow(BEST)
    world.speak(BEST, BOOK)
    world.speak(BEST, BOOK.replace(b"1", b"9"), LATE | RECOVERED)
    assert world.poll(BEST) == Found(ANSWER, 0.0)


def test_a_message_that_was_long_on_its_way_does_not_answer() -> None:
    world = World()
    world.follow(BEST)
    world.speak(BEST, BOOK, late=1.5)  # NATS was gone
    assert world.poll(BEST) is None


def test_an_exchange_that_lags_does_not_answer_by_its_stream() -> None:
    world = World()
    terms = b'{"interestRate":"0.1"}'
    assert (world.poll(MARK, terms), world.poll(MARK, terms)) == (None, None)
    for lag, is_answered in ((3.0, False), (-3.0, False), (0.2, True)):
        world.time.now += 0.1
        world.speak(MARK, mark_price(world, lag))
        assert (world.followed.answer(MARK) is not None) is is_answered
    world.offsets[Market.USDM] = Offset(Market.USDM, 3000.0, 1.0, 0)  # our clock is behind
    assert world.followed.answer(MARK) is None


def test_terms_that_no_stream_tells_are_believed_for_a_minute() -> None:
    world = World()
    terms = b'{"interestRate":"0.1"}'
    assert (world.poll(MARK, terms), world.poll(MARK, terms)) == (None, None)
    world.time.now += KNOWN - 1
    world.speak(MARK, mark_price(world))
    found = world.poll(MARK)
    assert found is not None
    assert msgspec.json.decode(found.body)["interestRate"] == "0.1"
    world.time.now += 2
    world.speak(MARK, mark_price(world))
    assert world.poll(MARK, terms) is None


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b'{"s":1}', b'\xff{"u":1}'])
def test_a_message_that_is_not_what_it_should_be_answers_nothing(payload: bytes) -> None:
    world = World()
    world.follow(BEST)
    world.speak(BEST, payload)
    assert world.poll(BEST) is None


def test_what_nobody_asks_for_any_more_is_left() -> None:
    world = World()
    world.follow(BEST)
    world.follow(MARK)
    assert [seconds for seconds, _ in world.timers] == [IDLE]
    world.time.now += IDLE - 0.2
    world.poll(MARK)
    world.time.now += 0.2
    world.ring()
    assert world.hub.held.keys() == {"btcusdt@markPrice@1s"}
    world.time.now += IDLE
    world.ring()
    assert world.hub.held == {}
    assert world.timers == []
    world.follow(BEST)
    assert len(world.timers) == 1


def test_no_more_are_followed_than_there_is_room_for() -> None:
    world = World()
    for number in range(MOST + 10):
        world.follow(question(symbol=f"A{number}USDT"))
    assert len(world.followed) == len(world.hub.held) == MOST


@given(st.lists(st.tuples(st.sampled_from(["poll", "speak", "gap", "wait"]), st.floats(0.01, 2.0)), max_size=40))
def test_an_answer_is_never_older_than_it_may_be_nor_than_the_exchanges_last(steps: list[tuple[str, float]]) -> None:
    world = World()
    world.follow(BEST)
    spoken: float | None = None  # when the newest message came, if it may answer
    asked = world.time.now - 0.1
    for what, seconds in steps:
        world.time.now += seconds
        match what:
            case "speak":
                world.speak(BEST, BOOK)
                spoken = world.time.now
            case "gap":
                world.speak(BEST, b"{}", GAP)
                spoken = None
            case "poll":
                found = world.poll(BEST)
                is_new = spoken is not None and world.time.now - spoken <= 1.0 and spoken > asked
                assert (found is not None) is is_new
                if found is None:
                    asked = world.time.now


def test_streams_that_speak_once_a_second_have_half_a_second_for_the_way() -> None:
    assert MARK.age == EACH_SECOND
