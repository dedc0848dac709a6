import json

import msgspec
import pytest
from websockets.asyncio.client import connect

from fsnats.binance.rest import Rest
from fsnats.binance.streams import Market, parse
from workers.ingest.candles import MissingBars, bars_between, read, request
from workers.ingest.pages import Answer, Fill
from workers.ingest.track import Missing
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings

KLINE = parse(Market.SPOT, "btcusdt@kline_1m")


def raw(*rows: object) -> list[msgspec.Raw]:
    return [msgspec.Raw(json.dumps(row).encode()) for row in rows]


def bar(opened: int, closed: bool, trades: int = 4) -> bytes:
    return json.dumps({"k": {"t": opened, "T": opened + 59_999, "x": closed, "n": trades}}).encode()


def test_bars_whose_closing_nobody_saw_are_missing() -> None:
    assert bars_between(bar(0, False), bar(120_000, False)) == MissingBars(0, 119_999, "bar", 4)
    assert bars_between(bar(0, True), bar(120_000, False)) == MissingBars(60_000, 119_999, "bar")
    assert bars_between(bar(0, True), bar(60_000, False)) is None
    assert bars_between(bar(0, False), bar(0, True)) is None


def candle(opened: int, trades: int = 4) -> list[object]:
    return [opened, "1", "1", "1", "1", "1", opened + 59_999, "1", trades, "1", "1", "0", "of the future"]


def test_candles_that_rest_does_not_have_yet_are_asked_for_again() -> None:
    hole = MissingBars(0, 179_999, "bar", trades=4)
    answer = read(KLINE, hole, raw(candle(0), candle(60_000)))

    assert [opened for opened, _ in answer.come] == [0, 60_000]
    assert answer.rest == MissingBars(120_000, 179_999, "bar")
    assert read(KLINE, MissingBars(120_000, 179_999, "bar"), raw(candle(120_000))).rest is None
    assert read(KLINE, hole, raw()).rest == hole


def test_candles_that_rest_passes_over_are_told() -> None:
    answer = read(KLINE, MissingBars(0, 299_999, "bar"), raw(candle(60_000), candle(240_000)))

    assert [opened for opened, _ in answer.come] == [60_000, 240_000]
    assert answer.absent == [Missing(0, 59_999, "bar"), Missing(120_000, 239_999, "bar")]
    assert answer.rest is None


def test_a_candle_that_knows_fewer_trades_than_the_stream_told_of_is_not_its_last_word() -> None:
    hole = MissingBars(0, 59_999, "bar", trades=5)

    assert read(KLINE, hole, raw(candle(0, trades=4))) == Answer([], [], hole)
    assert read(KLINE, hole, raw(candle(0, trades=5))).rest is None


async def test_rows_of_candles_become_closed_bars() -> None:
    async with Simulator(Settings()) as simulator, Rest(Market.SPOT, simulator.rest_url(Market.SPOT), None) as rest:
        answer = await rest.get("klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": 4})
    rows = msgspec.json.decode(answer.body, type=list[msgspec.Raw])
    first = json.loads(bytes(rows[0]))
    ((opened, payload),) = read(KLINE, MissingBars(first[0], first[6], "bar"), rows).come
    event = json.loads(payload)

    assert opened == event["k"]["t"] == first[0]
    assert event["k"]["x"] is True
    assert [event["k"][key] for key in "ohlcvTqnVQB"] == first[1:6] + first[6:12]


NAMES = {
    "btcusdt@kline_1m": Market.SPOT,
    "btcusdt@kline_1d@+08:00": Market.SPOT,
    "btcusdt_perpetual@continuousKline_1m": Market.USDM,
    "btcusd@indexPriceKline_1m": Market.COINM,
    "btcusd_perp@markPriceKline_1m": Market.COINM,
}


def test_each_kind_of_candle_has_a_method_and_parameters_of_its_own() -> None:
    times = {"startTime": 0, "endTime": 59_999, "limit": 1000}
    asked = {name: request(parse(market, name), MissingBars(0, 59_999, "bar")) for name, market in NAMES.items()}

    assert asked == {
        "btcusdt@kline_1m": Fill("klines", {"symbol": "BTCUSDT", "interval": "1m", **times}),
        "btcusdt@kline_1d@+08:00": Fill("klines", {"symbol": "BTCUSDT", "interval": "1d", "timeZone": "8", **times}),
        "btcusdt_perpetual@continuousKline_1m": Fill(
            "continuousKlines", {"pair": "BTCUSDT", "contractType": "PERPETUAL", "interval": "1m", **times}
        ),
        "btcusd@indexPriceKline_1m": Fill("indexPriceKlines", {"pair": "BTCUSD", "interval": "1m", **times}),
        "btcusd_perp@markPriceKline_1m": Fill("markPriceKlines", {"symbol": "BTCUSD_PERP", "interval": "1m", **times}),
    }


@pytest.mark.parametrize("name", NAMES)
async def test_a_candle_of_rest_looks_like_one_of_its_stream(name: str) -> None:
    market = NAMES[name]
    stream = parse(market, name)
    async with Simulator(Settings(rate=50)) as simulator, Rest(market, simulator.rest_url(market), None) as rest:
        route = f"/{stream.route}" if stream.route else ""
        async with connect(f"{simulator.ws_url(market)}{route}/ws/{name}", proxy=None) as socket:
            said = json.loads(await socket.recv())
        hole = MissingBars(said["k"]["t"] - 5 * (said["k"]["T"] - said["k"]["t"] + 1), said["k"]["t"] - 1, "bar")
        fill = request(stream, hole)
        answer = read(
            stream,
            hole,
            msgspec.json.decode((await rest.get(fill.method, fill.parameters)).body, type=list[msgspec.Raw]),
        )

    assert [opened for opened, _ in answer.come] == [
        hole.first + n * (hole.last + 1 - hole.first) // 5 for n in range(5)
    ]
    assert answer.rest is None
    for opened, payload in answer.come:
        made = json.loads(payload)
        assert list(made) == list(said)
        assert list(made["k"]) == list(said["k"])
        assert {**made, "E": 0, "k": 0} == {**said, "E": 0, "k": 0}
        assert (made["k"]["t"], made["k"]["x"], made["k"]["i"]) == (opened, True, said["k"]["i"])
        assert made["k"].get("s") == said["k"].get("s")
