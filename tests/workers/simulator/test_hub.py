import pytest

from fsnats.binance.streams import Market, parse
from fsnats.websocket.frames import text
from workers.simulator.hub import Channel, Hub, in_microseconds
from workers.simulator.ledger import Ledger

TRADE = parse(Market.SPOT, "btcusdt@trade")


class Ear:
    """A listener that keeps what it was given."""

    def __init__(self, *, combined: bool = False, microseconds: bool = False, muted: bool = False) -> None:
        self.combined = combined
        self.microseconds = microseconds
        self.muted = muted
        self.outbox: list[bytes] = []
        self.writes: list[bytes] = []

    def flush(self) -> None:
        self.writes.append(b"".join(self.outbox))
        self.outbox.clear()

    def backlog(self) -> int:
        return 0


class Journal:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def opened(self, channel: Channel) -> None:
        self.lines.append(f"opened {channel.name}")

    def closed(self, channel: Channel) -> None:
        self.lines.append(f"closed {channel.name}")


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def hub(ledger: Ledger) -> Hub:
    return Hub(ledger, record=True, stamp=False)


def deliver(hub: Hub, payload: bytes) -> None:
    hub.deliver(hub.channels[Market.SPOT, TRADE.name], payload)
    hub.flush()


def test_the_first_listener_opens_a_channel_and_the_last_closes_it(hub: Hub) -> None:
    journal, one, two = Journal(), Ear(), Ear()
    hub.watcher = journal
    hub.join(one, Market.SPOT, TRADE)
    hub.join(two, Market.SPOT, TRADE)
    hub.leave(one, Market.SPOT, TRADE.name)
    hub.leave(one, Market.SPOT, TRADE.name)
    assert journal.lines == ["opened btcusdt@trade"]
    hub.leave(two, Market.SPOT, TRADE.name)
    assert journal.lines == ["opened btcusdt@trade", "closed btcusdt@trade"]
    assert not hub.channels


def test_each_listener_gets_its_own_framing(hub: Hub) -> None:
    bare, combined = Ear(), Ear(combined=True)
    hub.join(bare, Market.SPOT, TRADE)
    hub.join(combined, Market.SPOT, TRADE)
    deliver(hub, b'{"e":1}')
    assert bare.writes == [text(b'{"e":1}')]
    assert combined.writes == [text(b'{"stream":"btcusdt@trade","data":{"e":1}}')]


def test_events_of_one_turn_are_joined_into_one_write(hub: Hub) -> None:
    ear = Ear()
    hub.join(ear, Market.SPOT, TRADE)
    channel = hub.channels[Market.SPOT, TRADE.name]
    for payload in (b"1", b"2", b"3"):
        hub.deliver(channel, payload)
    hub.flush()
    assert ear.writes == [text(b"1") + text(b"2") + text(b"3")]


def test_a_ghost_gets_nothing_but_its_events_are_produced(hub: Hub, ledger: Ledger) -> None:
    ghost = Ear(muted=True)
    hub.join(ghost, Market.SPOT, TRADE)
    deliver(hub, b"{}")
    events = ledger.of(Market.SPOT, TRADE.name)
    assert (ghost.writes, events.produced, events.delivered) == ([], 1, 0)


def test_the_ledger_keeps_the_bytes_when_recording(hub: Hub, ledger: Ledger) -> None:
    hub.join(Ear(), Market.SPOT, TRADE)
    deliver(hub, b'{"e":1}')
    assert ledger.payloads(Market.SPOT, TRADE.name) == [b'{"e":1}']


def test_a_stamp_is_the_first_key(ledger: Ledger) -> None:
    hub, ear = Hub(ledger, record=True, stamp=True), Ear()
    hub.join(ear, Market.SPOT, TRADE)
    deliver(hub, b'{"e":1}')
    assert ledger.payloads(Market.SPOT, TRADE.name)[0].startswith(b'{"TS":')
    assert ear.writes[0].endswith(b',"e":1}')


def test_microseconds_are_in_every_time_and_ends_of_candles_stay_ends() -> None:
    payload = b'{"E":1672515782136,"s":"A","k":{"t":1672515780000,"T":1672515839999,"f":100,"o":"1672515839999"}}'
    assert in_microseconds(payload) == (
        b'{"E":1672515782136000,"s":"A","k":{"t":1672515780000000,"T":1672515839999999,"f":100,"o":"1672515839999"}}'
    )


def test_a_connection_in_microseconds_gets_them(hub: Hub) -> None:
    ear = Ear(microseconds=True)
    hub.join(ear, Market.SPOT, TRADE)
    deliver(hub, b'{"E":1672515782136}')
    assert ear.writes == [text(b'{"E":1672515782136000}')]


def test_a_judged_channel_outlives_its_listeners(ledger: Ledger) -> None:
    hub, ear = Hub(ledger, record=False, stamp=False, judged=True), Ear()
    hub.join(ear, Market.SPOT, TRADE)
    hub.leave(ear, Market.SPOT, TRADE.name)
    deliver(hub, b'{"t":1,"p":"1","q":"1","T":1,"m":true}')
    assert [identity.key for _, identity in ledger.of(Market.SPOT, TRADE.name).identities] == ["1"]
    hub.join(ear, Market.SPOT, TRADE)
    deliver(hub, b'{"t":2,"p":"1","q":"1","T":1,"m":true}')
    assert len(ear.writes) == 1


def test_event_times_of_a_clock_that_is_off_move_and_others_do_not(hub: Hub) -> None:
    ear = Ear()
    hub.join(ear, Market.SPOT, TRADE)
    hub.skew = -1000
    deliver(hub, b'{"E":1795174312345,"T":1795174312345}')
    hub.skew, hub.odd = 0, 1
    deliver(hub, b'{"E":1795174312345,"T":1795174312345}')
    deliver(hub, b'{"E":1795174312345,"T":1795174312345}')
    assert ear.writes == [
        text(b'{"E":%d,"T":1795174312345}' % time) for time in (1795174311345, 1795177912345, 1795174312345)
    ]
