"""What clients do wrong is answered or closed as documented, and is nobody else's trouble."""

from collections.abc import AsyncIterator

import pytest
from websockets.exceptions import InvalidStatus

from gateway import closing
from tests.e2e.client import Client
from tests.e2e.fleet import Fleet

STREAM = "btcusdt@depth@100ms"


@pytest.fixture
async def bystander(fleet: Fleet) -> AsyncIterator[Client]:
    """A client that reads ten times a second, and goes on doing so after the test without a hole."""
    async with Client(f"{fleet.ws}/stream?streams={STREAM}") as client:
        await client.delivered(STREAM)
        yield client
        await client.delivered(STREAM, more=3, within=5)
        payloads = client.payloads(STREAM)
        assert [each["U"] for each in payloads[1:]] == [each["u"] + 1 for each in payloads[:-1]]


@pytest.mark.parametrize(
    ("request_", "code", "part"),
    [
        ({"streamType": "kline", "symbols": ["nosuch"], "options": {"interval": "1m"}}, "UNKNOWN_SYMBOL", "nosuch"),
        ({"streamType": "kline", "symbols": ["btcusdt"], "options": {"interval": "7m"}}, "UNKNOWN_INTERVAL", "7m"),
        ({"streamType": "klines", "symbols": ["btcusdt"]}, "UNKNOWN_STREAM_TYPE", "klines"),
        ({"rawStreams": ["btcusdt@nonsense"]}, "UNKNOWN_STREAM", "btcusdt@nonsense"),
        ({"streamType": "depth", "symbols": ["btcusdt"], "options": {"level": 7}}, "UNKNOWN_LEVEL", 7),
    ],
)
async def test_wrong_subscription_is_refused_by_name(
    fleet: Fleet, bystander: Client, request_: dict[str, object], code: str, part: object
) -> None:
    async with Client(f"{fleet.ws}/") as client:
        error = await client.ask({"type": "subscribe", **request_}, "error")
        assert error["code"] == code
        assert str(part) in error["message"].lower()
        assert error["part"] in (part, [part])
        assert (await client.ask({"type": "listSubscriptions"}, "subscriptions"))["total"] == 0


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("{nonsense", "INVALID_JSON"),
        ("[1]", "INVALID_REQUEST"),
        (b"\x00\x01", "BINARY_NOT_SUPPORTED"),
        ('{"type":"dance"}', "UNKNOWN_TYPE"),
        ("[" * 20_000, "INVALID_JSON"),
    ],
    ids=["malformed", "array", "binary", "type", "deep"],
)
async def test_unreadable_request_is_answered_and_the_connection_stays(
    fleet: Fleet, bystander: Client, sent: str | bytes, code: str
) -> None:
    async with Client(f"{fleet.ws}/") as client:
        assert (await client.ask(sent, "error"))["code"] == code
        assert await client.ask({"type": "ping"}, "pong")


@pytest.mark.parametrize("path", ["/", "/ws", "/stream", "/usdm/ws"])
async def test_message_above_64_kib_is_closed_with_1009(fleet: Fleet, bystander: Client, path: str) -> None:
    async with Client(f"{fleet.ws}{path}") as client:
        await client.send('"' + "x" * 64 * 1024 + '"')
        assert (await client.closed())[0] == closing.TOO_BIG.code


@pytest.mark.parametrize("path", ["/ws", "/usdm/stream"])
async def test_binary_message_is_closed_as_the_exchange_does(fleet: Fleet, bystander: Client, path: str) -> None:
    async with Client(f"{fleet.ws}{path}") as client:
        await client.send(b"\x00")
        assert await client.closed() == (closing.INVALID_REQUEST.code, closing.INVALID_REQUEST.reason)


async def test_malformed_json_is_answered_on_spot_and_closed_on_futures(fleet: Fleet, bystander: Client) -> None:
    async with Client(f"{fleet.ws}/ws") as spot, Client(f"{fleet.ws}/usdm/ws") as usdm:
        for client in (spot, usdm):
            await client.send("{nonsense")
            error = await client.reply(lambda each: "error" in each, "an error")
            assert error["error"]["code"] == 3
        assert await usdm.closed() == (closing.INVALID_REQUEST.code, closing.INVALID_REQUEST.reason)
        assert await spot.command("LIST_SUBSCRIPTIONS", [], 7) == {"result": [], "id": 7}


async def test_1025th_stream_is_refused_and_closes_the_connection(fleet: Fleet, bystander: Client) -> None:
    names = [f"nosuch{number}@trade" for number in range(1025)]
    async with Client(f"{fleet.ws}/ws") as client:
        assert await client.command("SUBSCRIBE", names[:1024], 1) == {"result": None, "id": 1}
        refusal = await client.command("SUBSCRIBE", names[1024:], 2)
        assert refusal["error"] == {"code": 4, "msg": "Too many subscriptions"}
        assert await client.closed() == (closing.INVALID_REQUEST.code, closing.INVALID_REQUEST.reason)


async def test_unknown_stream_is_acknowledged_and_never_asked_of_the_exchange(fleet: Fleet, bystander: Client) -> None:
    async with Client(f"{fleet.ws}/ws") as client:
        assert await client.command("SUBSCRIBE", ["nosuch@trade", "ethusdt@nonsense"], 1) == {"result": None, "id": 1}
        await client.command("SUBSCRIBE", ["ethusdt@depth@100ms"], 2)
        await client.reply(lambda each: each.get("e") == "depthUpdate", "data of the known one")
        carried = {name for each in fleet.ledger()["connections"] for name in each["streams"]}
        assert "ethusdt@depth@100ms" in carried
        assert not carried & {"nosuch@trade", "ethusdt@nonsense"}


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nonsense", 404), ("/spot/nothing", 404), ("/coinm/ws", 404), ("/ws?timeUnit=MICROSECOND", 400)],
)
async def test_handshake_that_cannot_be_served_is_refused_in_words(
    fleet: Fleet, bystander: Client, path: str, status: int
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with Client(f"{fleet.ws}{path}"):
            pass
    assert refused.value.response.status_code == status
    assert refused.value.response.body
