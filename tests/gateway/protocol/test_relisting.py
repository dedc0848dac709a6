import json

from fsnats.binance.streams import parse
from gateway.protocol import forms, relisting
from tests.gateway.protocol.worlds import USDM, change


def test_a_change_names_its_market_and_every_list() -> None:
    assert json.loads(relisting.changed(change(USDM, resumed=["BTCUSDT"]))) == {
        "type": "symbols",
        "market": "usdm",
        "listed": [],
        "delisted": [],
        "halted": [],
        "resumed": ["BTCUSDT"],
        "time": 17,
    }


def test_an_end_looks_like_any_gap() -> None:
    stream = parse(USDM, "btcusdt@depth")
    notice = relisting.ended(stream, "delisted", 17)

    assert notice.startswith(forms.raw(stream, name_market=True).gap)
    gap = {"e": "gap", "stream": "btcusdt@depth", "from": 17, "to": 17, "unit": "ms", "reason": "delisted"}
    assert json.loads(notice)["data"] == gap | {"resync": True}
