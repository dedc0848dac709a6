import asyncio
import traceback
from http import HTTPStatus

import pytest

from fsnats.client.combined import Combined
from fsnats.client.conversation import Forbidden
from fsnats.errors import Unavailable, Unusable
from tests.conftest import eventually, free_port
from tests.fsnats.client.gateways import Gateway, running, said

TRADE = '{"stream":"a@trade","data":{"e":"trade"}}'


class Notes:
    """What a reader hears."""

    def __init__(self) -> None:
        self.payloads: list[tuple[str, bytes]] = []
        self.changes: list[Exception | None] = []
        self.complaints: list[Exception] = []

    async def receive(self, name: str, payload: bytes) -> None:
        self.payloads.append((name, payload))

    async def change(self, reason: Exception | None) -> None:
        self.changes.append(reason)

    async def complain(self, error: Exception) -> None:
        self.complaints.append(error)

    def reader(self, url: str, **more: int) -> Combined:
        return Combined(url, self.receive, self.change, self.complain, headers={"Authorization": "Bearer x"}, **more)  # type: ignore[arg-type]


async def test_payloads_come_with_their_streams_and_complaints_apart() -> None:
    notes = Notes()
    async with running(Gateway([TRADE, '{"error":{"code":2,"msg":"no"},"id":1}', "nonsense", TRADE])) as gateway:
        reading = asyncio.ensure_future(notes.reader(gateway.url).run())
        await eventually(lambda: len(notes.payloads) == 2)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert notes.payloads[0] == ("a@trade", b'{"e":"trade"}')
    assert [str(each) for each in notes.complaints] == [
        'refused: {"code":2,"msg":"no"}',
        "not understood: 'nonsense'",
    ]
    assert gateway.asked == ["Bearer x"]


async def test_without_a_valid_token_it_gives_up_at_once() -> None:
    async with running(Gateway(refusing=HTTPStatus.UNAUTHORIZED)) as gateway:
        with pytest.raises(Forbidden, match="the server answers 401: because"):
            await Notes().reader(gateway.url).run()


async def test_what_passes_is_told_and_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    notes = Notes()
    shown = f"127.0.0.1:{free_port()}"
    reading = asyncio.ensure_future(notes.reader(f"ws://joe:secret@{shown}").run())
    await eventually(said(caplog.records, f"no connection to {shown}: [Errno 111]"))
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert "secret" not in caplog.text
    notes.changes.clear()
    async with running(Gateway(refusing=HTTPStatus.FORBIDDEN)) as gateway:  # Binance's firewall says so for a while
        with pytest.raises(Unavailable, match="1 tries in a row failed: the server answers 403: because"):
            await notes.reader(gateway.url, tries=1).run()
    assert str(notes.changes[0]) == "the server answers 403: because"


async def test_a_server_that_wants_to_be_left_alone_is(caplog: pytest.LogCaptureFixture) -> None:
    gateway = Gateway(refusing=HTTPStatus.TOO_MANY_REQUESTS)
    gateway.retry_after = "120"
    async with running(gateway):
        reading = asyncio.ensure_future(Notes().reader(gateway.url).run())
        await eventually(said(caplog.records, "the server answers 429: because; next try in 120.0 s"))
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading


def test_a_url_with_a_query_is_refused_without_being_repeated() -> None:
    with pytest.raises(Unusable, match="the URL has no query") as refused:
        Notes().reader("ws://h?token=secret")
    assert "secret" not in str(refused.value)


async def test_a_url_that_cannot_be_used_is_not_repeated_for_it_may_hold_a_secret() -> None:
    reader = Notes().reader("ws://s3cr3t@127.0.0.1:1")
    with pytest.raises(Unusable, match=r"^'127\.0\.0\.1:1': username provided without password$") as refused:
        await reader.run()
    assert "s3cr3t" not in "".join(traceback.format_exception(refused.value))
