import pytest

from fsnats.bus import Answer
from fsnats.bus.jetstream import NO_STREAM, Reply, ask, field, held, number, put
from fsnats.bus.memory import MemoryBus
from fsnats.bus.nats import NatsBus
from fsnats.errors import BusUnavailable


class Info(Reply):
    created: str = ""


async def test_an_error_that_is_expected_is_returned_and_every_other_one_raised(bus: NatsBus) -> None:
    reply = await ask(bus, "STREAM.INFO.nobody", kind=Info, fine=NO_STREAM)
    assert (reply.error is not None, reply.created) == (True, "")
    with pytest.raises(BusUnavailable, match=r"JetStream refused: stream not found \(10059\)"):
        await ask(bus, "STREAM.INFO.nobody", kind=Info)


async def test_what_is_asked_for_is_read_of_the_answer(bus: NatsBus) -> None:
    made = await ask(bus, "STREAM.CREATE.one", b'{"name":"one","subjects":["one"],"storage":"memory"}', kind=Info)
    assert made.error is None
    assert (await ask(bus, "STREAM.INFO.one", kind=Info)).created == made.created != ""


async def test_a_put_is_over_when_it_lies_there_and_says_why_it_does_not(bus: NatsBus) -> None:
    wish = b'{"name":"one","subjects":["one"],"storage":"memory","max_msgs":1,"discard":"new"}'
    await ask(bus, "STREAM.CREATE.one", wish, kind=Info)
    await put(bus, "one", b"first")
    with pytest.raises(BusUnavailable, match=r"JetStream refused: maximum messages exceeded"):
        await put(bus, "one", b"second")
    with pytest.raises(BusUnavailable, match="nobody answers"):
        await put(bus, "two", b"nobody takes it in")


@pytest.mark.parametrize("answer", [b"{", b"[]", b'{"error":7}', b'{"error":"\xff"}'])
async def test_what_is_no_answer_is_said_so(answer: bytes) -> None:
    bus = MemoryBus()
    bus.subscribe("$JS.API.>", lambda _s, reply, _p: bus.answer(reply, Answer(answer)))
    bus.subscribe("one", lambda _s, reply, _p: bus.answer(reply, Answer(answer)))
    with pytest.raises(BusUnavailable, match="cannot read"):
        await ask(bus, "INFO", kind=Reply)
    with pytest.raises(BusUnavailable, match="cannot read"):
        await put(bus, "one", b"")


async def test_what_a_stream_holds_is_read_with_what_is_told_of_it_or_why_not(bus: NatsBus) -> None:
    wish = b'{"name":"many","subjects":["many.>"],"storage":"memory","allow_direct":true}'
    await ask(bus, "STREAM.CREATE.many", wish, kind=Info)
    assert await held(bus, "many", b'{"seq":1,"next_by_subj":"many.>"}', 1) == []
    for each in range(1_025):
        bus.publish(f"many.{each}", b"%d" % each)
    await put(bus, "many.last", b"last")
    (newest,) = await held(bus, "many.many.last", b"", 1)
    assert (newest.payload, field(newest, "Nats-Subject"), number(newest, "Nats-Sequence")) == (
        *(b"last", "many.last", 1_026),
    )
    some = await held(bus, "many", b'{"seq":7,"next_by_subj":"many.>","batch":3}', 4)
    assert [each.payload for each in some] == [b"6", b"7", b"8"]
    with pytest.raises(BusUnavailable, match=r"many answers NATS/1\.0 413"):
        await held(bus, "many", b'{"multi_last":["many.>"],"batch":2000}', 2_001)


def test_what_a_header_does_not_tell_is_said_so() -> None:
    answer = Answer(b"", b"NATS/1.0\r\nNats-Sequence: many\r\n\r\n")
    with pytest.raises(BusUnavailable, match="tells 'many' for Nats-Sequence"):
        number(answer, "Nats-Sequence")
    with pytest.raises(BusUnavailable, match="does not tell Nats-Subject"):
        field(answer, "Nats-Subject")
