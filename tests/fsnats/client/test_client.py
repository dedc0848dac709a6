import asyncio
import logging
import traceback
from http import HTTPStatus

import pytest
from websockets.asyncio.client import ClientConnection

from fsnats.client import Client, Forbidden, Gap, Message, Rejected, Unusable
from fsnats.client import client as client_module
from tests.conftest import eventually, free_port
from tests.fsnats.client.gateways import SIMULATED, SUBSCRIBED, TRADE, WELCOME, Gateway, running, said


async def test_whether_the_data_is_simulated_is_known_with_the_first_message_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for welcome, simulated in ((WELCOME, False), (SIMULATED, True)):
        caplog.clear()
        async with running(Gateway([welcome, TRADE])) as gateway, Client(gateway.url) as client:
            assert client.simulated is None
            for _ in range(2):
                value = await anext(client.stream("a@trade"))
                assert isinstance(value, Message)
                assert client.simulated is simulated
        assert caplog.text.count("SIMULATED DATA") == simulated


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN])
async def test_who_is_not_let_in_is_told_why(status: HTTPStatus) -> None:
    async with running(Gateway(refusing=status)) as gateway, Client(gateway.url, token="0123456789abcdef") as client:
        with pytest.raises(Forbidden, match=f"the gateway answers {status}: because$"):
            await anext(client.stream("a@trade"))
        assert gateway.asked == ["Bearer 0123456789abcdef"]


async def test_a_path_where_nothing_is_served_is_refused_at_once() -> None:
    async with running(Gateway(refusing=HTTPStatus.NOT_FOUND)) as gateway, Client(gateway.url) as client:
        with pytest.raises(Rejected, match=r"404: the gateway refuses: because$") as refused:
            await anext(client.stream("a@trade"))
        assert refused.value.code == "404"
    with pytest.raises(Unusable, match="without '/ws'"):
        Client("ws://h/ws")


async def test_a_url_that_cannot_be_used_is_not_repeated_for_it_may_hold_a_secret() -> None:
    async with Client("ws://s3cr3t@127.0.0.1:1") as client:
        with pytest.raises(Unusable, match=r"^'127\.0\.0\.1:1': username provided without password$") as refused:
            await anext(client.stream("a@trade"))
    assert "s3cr3t" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("status", [HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE])
async def test_what_passes_is_waited_for_and_logged_with_its_reason(
    status: HTTPStatus, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with running(Gateway([TRADE], refusing=status)) as gateway, Client(gateway.url) as client:
        reading = asyncio.ensure_future(anext(client.stream("a@trade")))
        await eventually(said(caplog.records, f"the gateway answers {status}: because; next try in "))
        gateway.refusing = None
        assert isinstance(await reading, Message)


async def test_a_gateway_that_is_not_there_is_logged_as_such(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    async with Client(f"ws://127.0.0.1:{port}") as client:
        reading = asyncio.ensure_future(anext(client.stream("a@trade"), None))
        await eventually(said(caplog.records, f"no connection to 127.0.0.1:{port}: [Errno 111]"))
        await client.close()
        assert await reading is None


async def test_what_came_between_two_connections_of_a_stream_that_had_not_spoken_yet_is_told_to_be_uncertain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client_module, "DELAY_FIRST", 0.01)
    async with running(Gateway([SUBSCRIBED])) as gateway, Client(gateway.url) as client:
        values = client.stream("a@trade")
        reading = asyncio.ensure_future(anext(values))
        await eventually(lambda: gateway.told)
        gateway.lines = [TRADE]
        await gateway.leave()
        gap = await reading
        assert isinstance(gap, Gap)
        assert gap.reason == "not certain that nothing is missing"
        assert isinstance(await anext(values), Message)


async def test_streams_are_ended_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    both = asyncio.Barrier(2)
    close = ClientConnection.close

    async def together(connection: ClientConnection) -> None:
        await both.wait()
        await close(connection)

    async with running(Gateway([TRADE])) as gateway, asyncio.timeout(20):
        client = Client(gateway.url)
        streams = [client.stream("a@trade") for _ in range(2)]
        for stream in streams:
            await anext(stream)
        with monkeypatch.context() as patched:
            patched.setattr(ClientConnection, "close", together)
            await client.close()
        assert [await anext(stream, None) for stream in streams] == [None, None]


async def test_a_client_that_is_closed_while_it_connects_reads_nothing() -> None:
    gateway = Gateway([TRADE])
    gateway.may_answer.clear()
    async with running(gateway):
        client = Client(gateway.url)
        reading = asyncio.ensure_future(anext(client.stream("a@trade"), None))
        await eventually(lambda: gateway.asked)
        await client.close()
        gateway.may_answer.set()
        assert await reading is None
        await eventually(lambda: not gateway.connections)
