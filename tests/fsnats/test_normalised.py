import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.streams import Market, Stream, parse
from fsnats.errors import StreamNameError, Unusable
from fsnats.normalised import FORMS, TYPES, Sort, iso, normalised, type_of, values

TICKER = (
    b'{"e":"24hrTicker","E":1703520000000,"s":"BTCUSDT","p":"500.50","P":"1.19","w":"1","c":"42500.50","Q":"1",'
    b'"o":"42000.00","h":"43000.00","l":"41500.00","v":"15000.5","q":"637507500.0","O":0,"C":1,"F":1,"L":2,"n":2}'
)
KLINE = (
    b'{"e":"kline","E":1703520060000,"s":"BTCUSDT","k":{"t":1703520000000,"T":1703520059999,"s":"BTCUSDT","i":"1m",'
    b'"f":1,"L":2,"o":"42500.00","c":"42530.00","h":"42550.00","l":"42480.00","v":"125.5","n":1250,"x":true,'
    b'"q":"5337415.00","V":"1","Q":"1","B":"0"}}'
)
TRADE = (
    b'{"e":"trade","E":1703520000500,"s":"BTCUSDT","t":123456789,"p":"42500.00","q":"0.5","T":1703520000000,"m":false}'
)


def test_a_ticker_is_the_eleven_fields_of_the_seed_in_its_envelope() -> None:
    text = normalised(parse(Market.SPOT, "btcusdt@ticker"), TICKER, 1)

    assert text == (
        b'{"type":"ticker","data":{"type":"ticker","symbol":"BTCUSDT","price":42500.50,"open":42000.00,"high":43000.00,'
        b'"low":41500.00,"volume":15000.5,"quote_volume":637507500.0,"price_change":500.50,"price_change_percent":1.19,'
        b'"timestamp":1703520000000},"timestamp":"2023-12-25T16:00:00.000Z"}'
    )


def test_a_candle_has_the_seeds_fields_and_the_time_of_its_event_around_them() -> None:
    message = json.loads(normalised(parse(Market.USDM, "btcusdt@kline_1m"), KLINE, 1))

    assert message["timestamp"] == iso(1703520060000)
    assert message["data"] == {
        "type": "kline",
        "symbol": "BTCUSDT",
        "interval": "1m",
        "timestamp": 1703520000000,
        "open": 42500.0,
        "high": 42550.0,
        "low": 42480.0,
        "close": 42530.0,
        "volume": 125.5,
        "is_closed": True,
        "trades": 1250,
        "quote_volume": 5337415.0,
    }


def test_a_trade_has_the_seven_fields_of_the_seed() -> None:
    data = json.loads(normalised(parse(Market.SPOT, "btcusdt@trade"), TRADE, 1))["data"]

    assert list(data) == ["type", "symbol", "trade_id", "price", "quantity", "timestamp", "is_buyer_maker"]
    assert (data["trade_id"], data["is_buyer_maker"], data["timestamp"]) == (123456789, False, 1703520000000)


def test_what_the_payload_does_not_tell_is_when_it_was_received_or_null() -> None:
    book = b'{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}'
    text = normalised(parse(Market.SPOT, "bnbusdt@bookTicker"), book, 1703520000001)
    assert b'"bid_price":25.35190000,' in text
    assert b'"timestamp":1703520000001},"timestamp":"2023-12-25T16:00:00.001Z"' in text

    mark = b'{"e":"markPriceUpdate","E":5,"s":"BTCUSD_261225","p":"1.0","P":"","i":"1.2","r":"","T":0}'
    (data,) = values(parse(Market.COINM, "btcusd_261225@markPrice"), mark, 1)
    assert (data["funding_rate"], data["estimated_settle_price"], data["next_funding_time"]) == (None, None, 0)


def test_arrays_are_arrays_and_take_the_symbol_from_each_row() -> None:
    rows = b'[{"e":"24hrMiniTicker","E":7,"s":"A","c":"1"},{"e":"24hrMiniTicker","E":8,"s":"B","c":"2"}]'
    message = json.loads(normalised(parse(Market.SPOT, "!miniTicker@arr"), rows, 1))

    assert [(row["symbol"], row["price"], row["timestamp"]) for row in message["data"]] == [("A", 1, 7), ("B", 2, 8)]
    assert (message["type"], message["timestamp"]) == ("mini_ticker", iso(7))
    assert json.loads(normalised(parse(Market.SPOT, "!miniTicker@arr"), b"[]", 9))["data"] == []


def test_books_and_liquidations_and_continuous_candles_are_told_as_well() -> None:
    partial = b'{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[]}'
    (data,) = values(parse(Market.SPOT, "btcusdt@depth5"), partial, 3, Decimal)
    assert data == {
        "type": "partial_depth",
        "symbol": "BTCUSDT",
        "last_update_id": 160,
        "bids": [[Decimal("0.0024"), Decimal(10)]],
        "asks": [],
        "timestamp": 3,
    }
    force = b'{"e":"forceOrder","E":9,"o":{"s":"ETHUSDT","S":"SELL","q":"0.014","p":"9910","T":8}}'
    (data,) = values(parse(Market.USDM, "!forceOrder@arr"), force, 1)
    assert (data["symbol"], data["side"], data["price"], data["timestamp"]) == ("ETHUSDT", "SELL", 9910.0, 8)
    candle = KLINE.replace(b'"s":"BTCUSDT","k"', b'"ps":"BTCUSDT","ct":"PERPETUAL","k"')
    (data,) = values(parse(Market.USDM, "btcusdt_perpetual@continuousKline_1m"), candle, 1)
    assert (data["type"], data["symbol"], data["contract_type"]) == ("continuous_kline", "BTCUSDT", "PERPETUAL")


def test_exact_numbers_stay_the_strings_that_they_were() -> None:
    text = normalised(parse(Market.SPOT, "btcusdt@ticker"), TICKER, 1, exact=True)
    assert b'"price":"42500.50","open":"42000.00"' in text
    assert b'"timestamp":1703520000000}' in text


_OF_EACH = 150  # messages of a recording that are looked at, of each kind

# One payload of every kind that has a normalised form; numbers are put in where it has `@`.
_TICK = '"p":@,"P":@,"w":@,"c":@,"Q":@,"o":@,"h":@,"l":@,"v":@,"q":@'
_BAR = '"k":{"t":1,"T":2,"i":"1m","o":@,"c":@,"h":@,"l":@,"v":@,"n":3,"x":true,"q":@,"V":@,"Q":@,"B":@}'
_ORDER = '{"s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC","q":@,"p":@,"ap":@,"X":"FILLED","l":@,"z":@,"T":8}'
_SIDES = "[[@,@],[@,@]]"
PAYLOADS = {
    "btcusdt@ticker": f'{{"E":5,"s":"BTCUSDT",{_TICK}}}',
    "!ticker@arr": f'[{{"E":5,"s":"A",{_TICK}}},{{"E":6,"s":"B",{_TICK}}}]',
    "btcusdt@miniTicker": f'{{"E":5,"s":"BTCUSDT",{_TICK}}}',
    "!miniTicker@arr": f'[{{"E":5,"s":"A",{_TICK}}}]',
    "btcusdt@kline_1m": f'{{"E":5,"s":"BTCUSDT",{_BAR}}}',
    "btcusdt_perpetual@continuousKline_1m": f'{{"E":5,"ps":"BTCUSDT","ct":"PERPETUAL",{_BAR}}}',
    "btcusdt@trade": '{"E":5,"s":"BTCUSDT","t":1,"p":@,"q":@,"T":4,"m":true}',
    "btcusdt@aggTrade": '{"E":5,"s":"BTCUSDT","a":1,"f":1,"l":2,"p":@,"q":@,"T":4,"m":true}',
    "btcusdt@bookTicker": '{"E":5,"u":1,"s":"BTCUSDT","b":@,"B":@,"a":@,"A":@}',
    "!bookTicker": '{"E":5,"u":1,"s":"BTCUSDT","b":@,"B":@,"a":@,"A":@}',
    "btcusdt@markPrice": '{"E":5,"s":"BTCUSDT","p":@,"P":@,"i":@,"r":@,"T":6}',
    "!markPrice@arr": '[{"E":5,"s":"BTCUSDT","p":@,"P":@,"i":@,"r":@,"T":6}]',
    "btcusd@markPrice": '[{"E":5,"s":"BTCUSD_PERP","p":@,"P":@,"i":@,"r":@,"T":6}]',
    "btcusdt@forceOrder": f'{{"E":5,"o":{_ORDER}}}',
    "!forceOrder@arr": f'{{"E":5,"o":{_ORDER}}}',
    "btcusdt@depth": f'{{"E":5,"s":"BTCUSDT","U":1,"u":2,"b":{_SIDES},"a":{_SIDES}}}',
    "btcusdt@rpiDepth@500ms": f'{{"E":5,"s":"BTCUSDT","U":1,"u":2,"b":{_SIDES},"a":{_SIDES}}}',
    "btcusdt@depth5": f'{{"lastUpdateId":2,"bids":{_SIDES},"asks":{_SIDES}}}',
    "btcusdt@depth10": f'{{"E":5,"s":"BTCUSDT","u":2,"b":{_SIDES},"a":{_SIDES}}}',
}
_MARKETS = {
    "!ticker@arr": Market.USDM,
    "btcusdt_perpetual@continuousKline_1m": Market.USDM,
    "btcusdt@markPrice": Market.USDM,
    "!markPrice@arr": Market.USDM,
    "!bookTicker": Market.USDM,
    "btcusd@markPrice": Market.COINM,
    "btcusdt@forceOrder": Market.USDM,
    "!forceOrder@arr": Market.USDM,
    "btcusdt@rpiDepth@500ms": Market.USDM,
    "btcusdt@depth10": Market.USDM,
}

# As the exchange writes them and as it might: many digits, zeros at both ends, exponents, signs.
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,3})?", fullmatch=True)


def told(found: Any, path: str) -> Any:
    """What lies at a path such as `k.o` of a payload."""
    for key in path.split("."):
        found = found[key]
    return found


def numbers_of(value: Any) -> list[Any]:
    """The numbers of a field, which is one, or those of levels."""
    return [each for level in value for each in level] if isinstance(value, list) else [value]


def check_each_number(stream: Stream, payload: bytes) -> int:
    """Compare every number of a payload's normalised form with what was sent; returns how many there were."""
    sent = json.loads(payload)
    rows = sent if isinstance(sent, list) else [sent]
    plain = json.loads(normalised(stream, payload, 1), parse_float=Decimal, parse_int=Decimal)["data"]
    exact = json.loads(normalised(stream, payload, 1, exact=True))["data"]
    python = values(stream, payload, 1, Decimal)
    count = 0
    for row, of_json, of_exact, of_python in zip(
        rows, *(each if isinstance(each, list) else [each] for each in (plain, exact, python)), strict=True
    ):
        form = FORMS[stream.kind][1]
        if stream.kind == "partialDepth" and "lastUpdateId" in row:
            form = tuple((name, name if sort is Sort.LEVELS else path, sort) for name, path, sort in form)
        for name, path, sort in form:
            if sort is Sort.ITSELF:
                continue
            try:
                was = numbers_of(told(row, path))
            except KeyError:  # spot's best prices have no time, old tickers not every field
                assert of_json[name] is None
                continue
            if was == [""]:  # a delivery contract has no funding rate
                assert of_json[name] is of_exact[name] is of_python[name] is None
                continue
            assert numbers_of(of_json[name]) == [Decimal(each) for each in was], (name, payload)
            assert numbers_of(of_exact[name]) == was, (name, payload)
            assert numbers_of(of_python[name]) == [Decimal(each) for each in was], (name, payload)
            count += len(was)
    return count


def test_there_is_a_payload_of_every_kind() -> None:
    kinds = {parse(_MARKETS.get(name, Market.SPOT), name).kind for name in PAYLOADS}
    assert kinds == set(FORMS)


@pytest.mark.parametrize("name", PAYLOADS)
@settings(max_examples=30)
@given(st.data())
def test_every_number_of_every_type_equals_the_decimal_that_was_sent(name: str, data: st.DataObject) -> None:
    head, *rest = PAYLOADS[name].split("@")
    payload = head + "".join(f'"{data.draw(NUMBERS)}"{part}' for part in rest)
    assert check_each_number(parse(_MARKETS.get(name, Market.SPOT), name), payload.encode()) == len(rest) - _unread(
        name
    )


def _unread(name: str) -> int:
    """How many of a payload's numbers the normalised form has no field for."""
    rows = PAYLOADS[name].count('"w":@')
    candles = 3 if '"k":' in PAYLOADS[name] else 0  # what takers bought, and what is not used
    return rows * (4 if "mini" in name else 2) + candles  # the average and the last quantity; of mini tickers changes


# How the stream is called whose payload is in a file without its name.
_SUFFIXES = {"markPriceUpdate": "markPrice", "kline": "kline_1m", "partialDepth": "depth20"}


class Kept(msgspec.Struct):
    """A line of a recording."""

    market: Market
    kind: str
    raw: str | None


def recorded(recordings: Path) -> Iterator[tuple[Stream, bytes]]:
    """Messages of captures, so many of each kind, and single payloads, with their streams."""
    for capture in sorted((recordings / "captures").glob("*.jsonl.gz")):
        seen: Counter[str] = Counter()
        with gzip.open(capture, "rb") as lines:
            for line in lines:
                kept = msgspec.json.decode(line, type=Kept)
                found = named(kept.market, kept.raw) if kept.raw and kept.kind == "ws" else None
                if found is not None and seen[found[0].kind] < _OF_EACH:
                    seen[found[0].kind] += 1
                    yield found
    for example in sorted((recordings / "examples").glob("*.json")):
        market, kind, *_ = example.name.split(".")
        text = example.read_text().strip()
        symbol = re.search(r'"s":"([^"]+)"', text)
        if kind == "miniTickerArr":
            kind, text = "", f'{{"stream":"!miniTicker@arr","data":{text}}}' if text.startswith("[") else text
        elif symbol and not text.startswith('{"stream"'):
            text = f'{{"stream":"{symbol[1].lower()}@{_SUFFIXES.get(kind, kind)}","data":{text}}}'
        found = named(Market(market), text) if kind != "rest" else None
        if found is not None:
            yield found


def named(market: Market, text: str) -> tuple[Stream, bytes] | None:
    """Stream and payload of a message that names its stream; None where there is no normalised form of it."""
    match = re.fullmatch(r'\{"stream":"([^"]+)","data":(.+)\}', text, re.DOTALL)
    try:
        stream = parse(market, match[1]) if match else None
    except StreamNameError:  # of those days
        return None
    if match is None or stream is None or stream.kind not in FORMS:
        return None
    return stream, match[2].encode()


def test_every_number_that_was_recorded_equals_the_decimal_that_binance_sent(recordings: Path) -> None:
    looked_at: Counter[str] = Counter()
    for stream, payload in recorded(recordings):
        looked_at[type_of(stream)] += check_each_number(stream, payload)
    of_two_files = {"ticker", "mini_ticker", "mark_price", "partial_depth"}
    assert looked_at.keys() == {"kline", "trade", "agg_trade", "book_ticker", "depth"} | of_two_files
    assert min(looked_at.values()) >= 20
    assert looked_at.total() > 50_000


@pytest.mark.parametrize(
    "wrong", ['"+1"', '".5"', '"1."', '"01"', '"NaN"', '"1,0"', '" 1"', "true", "[]", "{}", '"1\\u0030"']
)
def test_what_is_no_number_is_refused_and_not_left_out(wrong: str) -> None:
    stream = parse(Market.SPOT, "btcusdt@trade")
    payload = TRADE.replace(b'"42500.00"', wrong.encode())
    for call in (lambda: normalised(stream, payload, 1), lambda: values(stream, payload, 1)):
        with pytest.raises(Unusable, match="price"):
            call()


@pytest.mark.parametrize(
    "wrong",
    [b'[["1","x"]]', b'[["1",2]]', b'[["1"]]', b'[["1","2",[]]]', b'["1"]', b'{"1":"2"}', b'[["1","\xff"]]'],
)
def test_levels_that_are_none_are_refused(wrong: bytes) -> None:
    payload = b'{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":%b,"a":[]}' % wrong
    with pytest.raises(Unusable, match="bids"):
        normalised(parse(Market.SPOT, "btcusdt@depth"), payload, 1)


def test_a_number_may_also_come_without_quotation_marks() -> None:
    payload = TRADE.replace(b'"42500.00"', b"42500.00")
    assert b'"price":42500.00,' in normalised(parse(Market.SPOT, "btcusdt@trade"), payload, 1)


@pytest.mark.parametrize("moment", ["-1", "253402300800000", "1" * 400])
def test_an_event_time_that_is_none_is_refused(moment: str) -> None:
    payload = TRADE.replace(b"1703520000500", moment.encode())
    with pytest.raises(Unusable, match="btcusdt@trade"):
        normalised(parse(Market.SPOT, "btcusdt@trade"), payload, 1)


def test_what_is_nested_beyond_all_measure_is_refused() -> None:
    with pytest.raises(Unusable, match="btcusdt@trade"):
        normalised(parse(Market.SPOT, "btcusdt@trade"), b'{"x":' + b"[" * 100_000, 1)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_every_number_is_the_decimal_that_binance_sent(number: Decimal) -> None:
    sent = f"{number:f}"
    payload = TRADE.replace(b"42500.00", sent.encode())
    stream = parse(Market.SPOT, "btcusdt@trade")

    (line,) = [part for part in normalised(stream, payload, 1).split(b",") if part.startswith(b'"price":')]
    assert line == b'"price":' + sent.encode()
    assert json.loads(normalised(stream, payload, 1), parse_float=Decimal, parse_int=Decimal)["data"]["price"] == number
    assert values(stream, payload, 1, Decimal)[0]["price"] == number
    assert json.loads(normalised(stream, payload, 1, exact=True))["data"]["price"] == sent


@pytest.mark.parametrize("wrong", [b"", b"{", b"7", b'[{"e":7},8]', b'"x"', b"\xff"])
def test_a_payload_of_another_shape_is_refused(wrong: bytes) -> None:
    with pytest.raises(Unusable, match="btcusdt@trade"):
        normalised(parse(Market.SPOT, "btcusdt@trade"), wrong, 1)


def test_a_stream_without_a_normalised_form_says_so() -> None:
    with pytest.raises(Unusable, match="btcusdt@avgPrice: no normalised form"):
        type_of(parse(Market.SPOT, "btcusdt@avgPrice"))


def test_there_are_as_many_types_as_streams_have() -> None:
    examples = ["a@ticker", "a@miniTicker", "a@kline_1m", "a@trade", "a@aggTrade", "a@bookTicker", "a@markPrice"]
    examples += ["a@forceOrder", "a@depth", "a@depth5", "a_perpetual@continuousKline_1m"]
    assert {type_of(parse(Market.USDM, name)) for name in examples} == set(TYPES)
