"""Access tokens, with a gateway of its own beside the fleet's, and real clients."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway import closing
from tests.e2e.client import Client, until
from tests.e2e.fleet import Fleet, free_port, get

EVERY, SPOT = "every-t0ken-every-t0ken", "spot-t0ken-spot-t0ken"
ENTRIES = {
    EVERY: "name = 'desk'\n",
    SPOT: "name = 'spot'\nmarkets = ['spot']\ntypes = ['depth']\nconnections = 1\nrequests = 5\n",
}
STREAM = "btcusdt@depth@100ms"


class House:
    """A gateway that asks for tokens, and their file."""

    def __init__(self, fleet: Fleet, directory: Path) -> None:
        self.port = free_port()
        self.file = directory / "tokens.toml"
        self.write(EVERY, SPOT)
        self.process = fleet.serve_gateway(self.port, gateway_tokens_file=self.file)

    def write(self, *tokens: str, **more: str) -> None:
        new = self.file.with_suffix(".new")
        new.touch(mode=0o600)
        entries = (f"[[token]]\ntoken = '{token}'\n{more.get(token[:4], ENTRIES[token])}" for token in tokens)
        new.write_text("".join(entries))
        new.replace(self.file)

    def get(self, path: str) -> tuple[int, str]:
        return get(f"http://127.0.0.1:{self.port}/{path}")

    def client(self, token: str, path: str = "/") -> Client:
        return Client(f"ws://127.0.0.1:{self.port}{path}{'&' if '?' in path else '?'}token={token}")

    async def refused(self, path: str = "/", **headers: str) -> tuple[int, str, Any]:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{self.port}{path}", additional_headers=headers, proxy=None)
        response = refused.value.response
        return response.status_code, response.body.decode(), response.headers


@pytest.fixture(scope="module")
def house(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(fleet, tmp_path_factory.mktemp("tokens"))
    yield house
    house.process.kill()


async def test_a_token_opens_the_door_by_header_or_by_url(house: House) -> None:
    async with house.client(EVERY, f"/stream?streams={STREAM}") as client:
        await client.delivered(STREAM)
    bearer = {"Authorization": f"Bearer {EVERY}"}
    async with connect(f"ws://127.0.0.1:{house.port}/ws/{STREAM}", additional_headers=bearer, proxy=None) as other:
        assert "depthUpdate" in str(await other.recv())


async def test_without_a_valid_token_the_answer_is_401(house: House) -> None:
    status, text, headers = await house.refused()
    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
    assert text.startswith("a token is needed")
    assert (await house.refused(f"/?token={EVERY}x"))[:2] == (401, "the token is not valid\n")
    assert (await house.refused(Authorization="Bearer guess"))[:2] == (401, "the token is not valid\n")
    assert house.get("readyz")[0] == house.get("metrics")[0] == 200  # as open as before


async def test_what_a_token_does_not_allow_is_403_or_an_error(house: House) -> None:
    for path, named in {"/usdm": "usdm", "/usdm/ws": "usdm", "/ws/btcusdt@trade": "btcusdt@trade: "}.items():
        status, text, _ = await house.refused(f"{path}?token={SPOT}")
        assert (status, named in text) == (403, True)
    async with house.client(SPOT) as client:
        subscription = {"type": "subscribe", "streamType": "trade", "symbols": ["btcusdt"]}
        assert (await client.ask(subscription, "error"))["code"] == "FORBIDDEN"
        assert (await client.ask({**subscription, "market": "usdm"}, "error"))["code"] == "FORBIDDEN"
        await client.ask({"type": "subscribe", "rawStreams": [STREAM]}, "subscribed")
        await client.delivered(STREAM)
        assert (await house.refused(f"/?token={SPOT}"))[0] == 429


async def test_requests_that_come_too_fast_are_refused_and_then_closed(house: House) -> None:
    async with house.client(SPOT) as client:
        for number in range(20):
            await client.send({"type": "ping", "id": number})
        error = await client.reply(lambda each: each.get("type") == "error", "an error")
        assert error["code"] == "TOO_MANY_REQUESTS"
        answered = [each["id"] for each in client.messages if each["type"] in ("pong", "error")]
        assert answered == list(range(len(answered)))
        assert error["id"] >= 4  # five a second; the bytes of the first four count a little, too
        for _ in range(100):
            await client.send({"type": "ping"})
        assert await client.closed() == (closing.TOO_MANY_REQUESTS.code, closing.TOO_MANY_REQUESTS.reason)


async def test_revoked_tokens_are_closed_and_others_stay(house: House) -> None:
    async with house.client(EVERY, f"/stream?streams={STREAM}") as stays, house.client(SPOT) as goes:
        await stays.delivered(STREAM)
        house.write(EVERY)
        assert await goes.closed() == (closing.TOKEN_REVOKED.code, closing.TOKEN_REVOKED.reason)
        assert (await house.refused(f"/?token={SPOT}"))[0] == 401
        house.file.write_text(f"token = {EVERY}")
        await until(lambda: "the tokens of before stay" in house.process.said(), "the broken file is refused")
        await stays.delivered(STREAM)
        async with house.client(EVERY) as again:
            house.write(EVERY, SPOT, ever="name = 'desk'\nstreams = 5\n")
            assert await again.closed() == (closing.TOKEN_CHANGED.code, closing.TOKEN_CHANGED.reason)
    async with house.client(SPOT), house.client(EVERY):
        metrics = house.get("metrics")[1]
        assert 'fsnats_gateway_clients_by_token{program="gateway",name="desk"} 1\n' in metrics
        assert 'fsnats_gateway_clients_by_token{program="gateway",name="spot"} 1\n' in metrics
        assert 'fsnats_gateway_refused_total{program="gateway",status="401"}' in metrics
        assert "t0ken" not in metrics
    assert "t0ken" not in house.process.said().replace("tokens.toml", "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot read '{}': No such file or directory"),
        ("[[token]]\nname = 'x'\ntoken = 's3cr3t'", "'{}': the token of 'x' must have at least 16 characters"),
    ],
)
def test_a_file_that_cannot_be_used_ends_the_start(fleet: Fleet, tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "tokens.toml"
    if text is not None:
        path.write_text(text)
    process = fleet.start(f"gateway-{tmp_path.name}", "gateway", environ=fleet.environ(gateway_tokens_file=path))
    process.wait()
    assert process.status == 78
    assert process.said().startswith(f"fsnats: FSNATS_GATEWAY_TOKENS_FILE: {says.format(path)}")
    assert "s3cr3t" not in process.said()
