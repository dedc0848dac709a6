import asyncio

from fsnats.websocket.deadlines import Deadlines
from tests.conftest import eventually


async def test_what_is_not_discarded_expires_in_its_order() -> None:
    expired: list[str] = []
    deadlines = Deadlines(0.05, expired.append)
    for item in "abcd":
        deadlines.add(item)
    deadlines.discard("b")
    deadlines.discard("never added")
    await eventually(lambda: len(expired) == 3)
    assert expired == ["a", "c", "d"]

    deadlines.add("e")
    await eventually(lambda: expired[3:] == ["e"])


async def test_nothing_expires_before_its_time() -> None:
    expired: list[float] = []
    loop = asyncio.get_running_loop()
    deadlines = Deadlines[float](0.2, lambda begun: expired.append(loop.time() - begun))
    deadlines.add(loop.time())
    await asyncio.get_running_loop().create_task(asyncio.sleep(0.1))
    deadlines.add(loop.time())
    await eventually(lambda: len(expired) == 2)

    assert min(expired) >= 0.19  # the loop's timers are rounded to a millisecond


async def test_after_the_end_nothing_expires() -> None:
    deadlines = Deadlines[str](0.0, lambda item: pytest_fail(item))
    deadlines.add("a")
    deadlines.close()
    await asyncio.sleep(0.01)


def pytest_fail(item: str) -> None:
    raise AssertionError(f"{item} expired")
