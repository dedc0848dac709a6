import asyncio

from fsnats.bus.memory import MemoryBus
from fsnats.headway import Headway, decode, respond
from fsnats.subjects import HEADWAY


async def test_a_question_is_answered_behind_what_this_turn_of_the_loop_does() -> None:
    bus = MemoryBus()
    heard: list[Headway] = []
    delivered = 0
    bus.subscribe("inbox", lambda _subject, _reply, payload: heard.append(decode(payload)))
    respond(bus, lambda: Headway("gateway-1", delivered, 1))
    bus.publish(HEADWAY, b"", "inbox")
    bus.publish(HEADWAY, b"")  # nobody to answer to
    delivered = 5  # what came together with the question
    assert heard == []
    await asyncio.sleep(0)
    assert heard == [Headway("gateway-1", 5, 1)]
