import json

import jsonschema_rs
import pytest

from fsnats.binance.streams import Market, parse
from fsnats.normalised import TYPES, normalised
from gateway.openapi.normalised import schemas

BOOK = b'{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}'
ROWS = b'[{"e":"24hrMiniTicker","E":7,"s":"A","c":"1"},{"e":"24hrMiniTicker","E":8,"s":"B","c":"2"}]'
DEPTH = b'{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":[["0.1","2"]],"a":[]}'


def whole(name: str) -> dict[str, object]:
    return {"$ref": f"#/components/schemas/{name}_message", "components": {"schemas": schemas()}}


def test_every_type_is_described() -> None:
    notices = {"gap", "resumed", "goodbye", "close"}
    assert schemas().keys() == {*TYPES, *(f"{name}_message" for name in (*TYPES, "raw")), *notices}


@pytest.mark.parametrize(
    ("name", "stream", "payload"),
    [
        ("book_ticker", "bnbusdt@bookTicker", BOOK),
        ("mini_ticker", "!miniTicker@arr", ROWS),
        ("depth", "btcusdt@depth", DEPTH),
    ],
)
@pytest.mark.parametrize("exact", [False, True])
def test_messages_are_as_described(name: str, stream: str, payload: bytes, exact: bool) -> None:
    message = json.loads(normalised(parse(Market.SPOT, stream), payload, 1703520000001, exact=exact))
    jsonschema_rs.validate(whole(name), message)
    assert not jsonschema_rs.is_valid(whole(name), message | {"data": {"type": name}})
