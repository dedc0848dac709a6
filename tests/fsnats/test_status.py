from fsnats.bus.memory import MemoryBus
from fsnats.status import ask, respond


async def test_everybody_who_is_there_answers() -> None:
    bus = MemoryBus()
    respond(bus, lambda: {"program": "b", "kind": "x", "pid": 2})
    respond(bus, lambda: {"program": "a", "kind": "x", "pid": 1})

    answers = await ask(bus, "_INBOX.me", 0)

    assert [answer["program"] for answer in answers] == ["a", "b"]
