"""The old server's guide: its examples run unchanged but for the address, and get what it says they get."""

import ast
import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.e2e.client import Client, until
from tests.e2e.fleet import Fleet, free_port
from tests.e2e.libraries import NODE
from tests.e2e.likeness import unlike
from tests.e2e.pages import opened
from tests.e2e.transcript import at, block, document


def said(name: str) -> Any:
    """A message of the guide's as an object.  Some have comments, and dots for what is left out."""
    text = re.sub(r"\s*//.*", "", block(name))
    return msgspec.json.decode(re.sub(r",(\s*[\]}])", r"\1", text))


async def test_its_program_in_javascript_prints_live_and_historical_candles(
    fleet: Fleet, node: str, tmp_path: Path
) -> None:
    script = tmp_path / "example.js"
    # The guide defines getHistoricalData and leaves calling it to the reader.
    calling = "\nws.on('open', getHistoricalData);\n"
    script.write_text(at(block("000 node"), fleet.gateway_port) + calling)
    with fleet.beside(node, str(script), NODE_PATH=str(NODE / "node_modules")) as client:
        for pattern in (
            r"^Kết nối thành công$",
            r"^Client ID: client_\w+$",
            r"^Đăng ký thành công: \{",
            r"^BTCUSDT: Giá mở [\d.]+, Giá đóng [\d.]+, Cao [\d.]+, Thấp [\d.]+$",
            r"^ETHUSDT: Giá mở ",
            r"^\[Raw\] BTCUSDT: Giá mở [\d.]+, Giá đóng [\d.]+$",
            r"^\[Raw\] ETHUSDT: Giá mở ",
            r"^Nhận 500 nến lịch sử cho btcusdt$",
        ):
            await until(lambda: re.search(pattern, client.said(), re.MULTILINE), pattern)  # noqa: B023
        assert client.status is None, client.said()
        assert "Lỗi" not in client.said()


async def test_its_program_in_python_prints_live_and_historical_candles(fleet: Fleet, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(at(block("000 python"), fleet.gateway_port))
    with fleet.beside(sys.executable, str(script)) as client:
        for pattern in (
            r"^Kết nối thành công, Client ID: client_\w+$",
            r"^BTCUSDT: Giá mở [\d.]+, Giá đóng [\d.]+$",
            r"^ETHUSDT: Giá mở ",
        ):
            await until(lambda: re.search(pattern, client.said(), re.MULTILINE), pattern)  # noqa: B023
        client.type("h")
        shown = await until(
            lambda: re.search(r"Nhận dữ liệu: (\{'type': 'historicalKlines'.*\})$", client.said(), re.MULTILINE),
            "historical candles",
        )
        assert shown is not None
        history = ast.literal_eval(shown[1])
        assert (history["symbol"], history["interval"], len(history["klines"])) == ("btcusdt", "1m", 500)
        assert all(after[0] - before[0] == 60_000 for before, after in pairwise(history["klines"]))
        client.type("q")
        assert await until(lambda: client.status is not None, "the client ends")
        assert client.status == 0, client.said()
        assert "Lỗi" not in client.said()


async def test_its_page_connects_and_pings(fleet: Fleet) -> None:
    async with opened() as (page, printed):
        await page.clock.install(time=0)
        await page.clock.pause_at(1)
        await page.add_script_tag(content=at(block("000 page"), fleet.gateway_port))
        await until(lambda: printed.count("Nhận dữ liệu:"), "the welcome is printed")
        assert printed.lines[0] == "Kết nối thành công"
        (welcome,) = await printed.objects("Nhận dữ liệu:")
        assert unlike(said("000 welcome"), welcome) == []
        assert re.fullmatch(r"client_\d{13}_[0-9a-z]+", welcome["clientId"])
        assert welcome["message"] == said("000 welcome")["message"]

        await page.add_script_tag(content=block("000 ping"))
        await page.clock.fast_forward(30_000)
        await until(lambda: printed.count("Nhận dữ liệu:") == 2, "the ping is answered")
        assert (await printed.objects("Nhận dữ liệu:"))[1] == {"type": "pong"}
        assert printed.count("Lỗi") == 0
        assert printed.errors == []


async def test_its_reconnect_comes_back(fleet: Fleet) -> None:
    port = free_port()
    gateway = fleet.serve_gateway(port)
    frames: list[str | bytes] = []
    async with opened() as (page, printed):
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(frame)))
        await page.clock.install(time=0)
        await page.clock.pause_at(1)
        await page.add_script_tag(content=at(block("000 reconnect"), port))
        await page.evaluate("connect()")
        await until(lambda: len(frames) == 1, "it is welcomed")
        gateway.kill()
        await until(
            lambda: printed.count("Kết nối bị đóng, thử kết nối lại sau 5 giây") == 1, "it says that it is cut off"
        )
        gateway = fleet.serve_gateway(port)
        await page.clock.fast_forward(5_000)
        await until(lambda: len(frames) == 2, "it is welcomed again")
        assert printed.count("Kết nối bị đóng") == 1
    gateway.kill()


async def test_its_requests_are_answered_as_it_says_and_bring_what_it_shows(fleet: Fleet) -> None:
    async with Client(fleet.ws) as client:
        welcome = await client.reply(lambda each: each.get("type") == "connection", "the welcome")
        assert unlike(said("000 welcome"), welcome) == []

        # By type and symbol.
        answer = await client.ask(block("000 subscribe"), "subscribed")
        assert {**answer, **said("000 subscribed")} == answer
        kline = await client.reply(lambda each: each.get("type") == "kline", "a candle")
        assert unlike(said("000 kline"), kline) == []
        answer = await client.ask(block("000 unsubscribe"), "unsubscribed")
        assert answer["symbols"] == said("000 unsubscribe")["symbols"]
        answer = await client.ask(block("000 subscribe all"), "subscribed")
        assert answer["symbols"] == ["ALL"]
        before = len(client.messages)
        await until(
            lambda: len({each["data"]["s"] for each in client.messages[before:] if each.get("type") == "kline"}) > 3,
            "candles of all symbols",
        )
        await client.ask({**said("000 subscribe all"), "type": "unsubscribe"}, "unsubscribed")
        assert (await client.ask({"type": "listSubscriptions"}, "subscriptions"))["total"] == 0

        # As Binance writes it.
        answer = await client.ask(block("000 subscribe raw"), "subscribed")
        assert answer["rawStreams"] == said("000 subscribe raw")["rawStreams"]
        raw = await client.reply(lambda each: each.get("stream") == "btcusdt@kline_1m", "a raw candle")
        assert unlike(said("000 raw"), raw) == []
        await client.reply(lambda each: each.get("stream") == "ethusdt@depth20", "a book")
        await client.reply(lambda each: each.get("stream") == "bnbusdt@ticker", "a ticker")
        answer = await client.ask(block("000 unsubscribe raw"), "unsubscribed")
        assert (
            answer["rawStreams"]
            == said("000 unsubscribe raw")["rawStreams"]
            == said("000 subscribed raw")["rawStreams"]
        )
        left = await client.ask({"type": "listSubscriptions"}, "subscriptions")
        assert [each["stream"] for each in left["streams"]] == ["bnbusdt@ticker"]
        answer = await client.ask({**said("000 unsubscribe raw"), "type": "subscribe"}, "subscribed")
        assert {**answer, **said("000 subscribed raw")} == answer

        # What else it shows.
        for kind in ("depth", "ticker"):
            await client.ask({"type": "subscribe", "streamType": kind, "symbols": ["btcusdt"]}, "subscribed")
            message = await client.reply(lambda each, kind=kind: each.get("type") == kind, kind)  # type: ignore[misc]
            assert unlike(said(f"000 {kind}"), message) == []
        assert said("000 depth")["data"]["e"] == "depthUpdate"
        assert said("000 ticker")["data"]["e"] == "24hrTicker"

        # The past.
        history = await client.ask(block("000 history"), "historicalKlines")
        assert unlike(said("000 candles"), history) == []
        asked = said("000 history")
        opened_at = [candle[0] for candle in history["klines"]]
        assert len(opened_at) == asked["limit"]
        assert opened_at[0] >= asked["startTime"]
        assert all(after - before == 60_000 for before, after in pairwise(opened_at))
        assert not [each for each in client.messages if each.get("type") == "error"]


def _listed(pattern: str) -> list[str]:
    """The values that the guide names in a line of its lists."""
    found = re.search(pattern, document("000"))
    assert found, pattern
    return [each.strip(" `") for each in found[1].split(",")]


_INTERVALS = r"- \*\*kline\*\*: `interval` \(([^)]+)\)"
_LEVELS = r"- \*\*depth\*\*: `level` \(([^)]+)\)"
_SPEEDS = r"- \*\*markPrice\*\*: `updateSpeed` \(([^)]+)\)"


async def test_every_stream_type_option_and_limit_that_it_names_is_accepted(fleet: Fleet) -> None:
    wanted: list[dict[str, Any]] = [
        {"streamType": kind, "isFutures": futures}
        for pattern, futures in ((r"\*\*Spot Market\*\*: (.+)", False), (r"\*\*Futures Market\*\*: (.+)", True))
        for kind in _listed(pattern)
    ]
    wanted += [{"streamType": "kline", "options": {"interval": each}} for each in _listed(_INTERVALS)]
    wanted += [{"streamType": "depth", "options": {"level": int(each)}} for each in _listed(_LEVELS)]
    wanted += [{"streamType": "markPrice", "options": {"updateSpeed": each}} for each in _listed(_SPEEDS)]
    assert len(wanted) == 3 + 5 + 15 + 3 + 2
    async with Client(fleet.ws) as client:
        for number, each in enumerate(wanted):
            request = {"type": "subscribe", "symbols": ["btcusdt"], "id": number, **each}
            await client.send(request)
            answer = await client.reply(lambda each, number=number: each.get("id") == number, str(request))  # type: ignore[misc]
            assert answer["type"] == "subscribed", answer
        asked = {"type": "getHistoricalKlines", "symbol": "btcusdt", "isFutures": True}
        for interval in _listed(r"- `interval`: Khoảng thời gian \(([^)]+)\)"):
            history = await client.ask({**asked, "interval": interval, "limit": 2}, "historicalKlines")
            assert (history["interval"], len(history["klines"])) == (interval, 2)
        (most,) = re.findall(r"- `limit`: Số lượng nến \(tối đa (\d+)\)", document("000"))
        assert (
            len((await client.ask({**asked, "interval": "1m", "limit": int(most)}, "historicalKlines"))["klines"])
            == 1000
        )
        assert not [each for each in client.messages if each.get("type") == "error"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("{", "INVALID_JSON"),
        ({"type": "subscribe", "streamType": "kline"}, "MISSING_FIELD"),
        ({"type": "subscribe", "streamType": "kline", "symbols": ["nope"]}, "UNKNOWN_SYMBOL"),
        (
            {"type": "subscribe", "streamType": "liquidation", "symbols": ["btcusdt"], "market": "spot"},
            "UNKNOWN_STREAM_TYPE",
        ),
    ],
)
async def test_the_errors_that_it_lists_are_told(fleet: Fleet, request_: object, code: str) -> None:
    async with Client(fleet.ws) as client:
        assert (await client.ask(request_, "error"))["code"] == code
