import asyncio

from fsnats.bus.answers import Answer, Collection


async def test_a_collection_is_whole_with_the_last_one_or_with_a_status() -> None:
    loop = asyncio.get_running_loop()
    three, ended = Collection(3, loop.create_future()), Collection(3, loop.create_future())
    for number in range(4):
        three.take(Answer(b"%d" % number))
        assert three.whole.done() == (number >= 2)
    ended.take(Answer(b"", b"NATS/1.0 404\r\n\r\n", "404"))

    assert await ended.whole == [Answer(b"", b"NATS/1.0 404\r\n\r\n", "404")]
