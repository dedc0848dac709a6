import csv
import io
import json

import msgspec
import pytest

from fsnats.binance.rows import Candle
from fsnats.binance.streams import Market
from fsnats.formats import Format, Title, writer
from fsnats.formats.text import CsvWriter, JsonWriter
from fsnats.history import Missing
from fsnats.store.forms import AggTrade

TITLE = Title(Market.SPOT, "BTCUSDT", "1m")
BARS = [
    Candle(n * 60_000, "1.10", "2", "0.5", "1.00", "7", n * 60_000 + 59_999, "8.0", 9, "3", "4", "0") for n in range(5)
]
DEALS = [AggTrade(n, "1.10", "0.30", 2 * n, 2 * n + 1, 1000 + n, n % 2 == 0) for n in range(5)]


def test_json_is_one_object_with_the_exchanges_own_rows() -> None:
    form = JsonWriter(TITLE)
    text = form.begin([]) + form.add(BARS[:2]) + form.add([]) + form.add(BARS[2:]) + form.end([])
    made = json.loads(text)
    assert (made["market"], made["symbol"], made["interval"]) == ("spot", "BTCUSDT", "1m")
    assert msgspec.convert(made["klines"], list[Candle]) == BARS
    assert (made["complete"], made["missing"]) == (True, [])


def test_json_says_at_its_end_what_is_missing_and_why() -> None:
    form = JsonWriter(Title(Market.USDM, "BTCUSDT", "1m", "perpetual"))
    made = json.loads(form.begin([]) + form.end([Missing(1, 2)], "the exchange is gone"))
    assert (made["continuous"], made["klines"], made["complete"]) == ("perpetual", [], False)
    assert made["missing"] == [{"from": 1, "to": 2, "unit": "ms"}]
    assert made["error"] == "the exchange is gone"


def test_trades_have_the_names_that_the_exchange_gives_them() -> None:
    form = JsonWriter(Title(Market.SPOT, "BTCUSDT"))
    made = json.loads(form.begin([]) + form.add(DEALS) + form.end([]))
    assert made["trades"][1] == {"a": 1, "p": "1.10", "q": "0.30", "f": 2, "l": 3, "T": 1001, "m": False}


def test_csv_has_names_and_the_exchanges_digits() -> None:
    form = CsvWriter(TITLE)
    rows = list(csv.DictReader(io.StringIO((form.begin([]) + form.add(BARS) + form.end([])).decode())))
    assert len(rows) == 5
    assert (rows[1]["open_time"], rows[1]["open"], rows[1]["close"], rows[1]["trades"]) == (
        "60000",
        "1.10",
        "1.00",
        "9",
    )


def test_csv_of_trades_spells_truth_as_json_does() -> None:
    form = CsvWriter(Title(Market.SPOT, "BTCUSDT"))
    rows = list(csv.DictReader(io.StringIO((form.begin([]) + form.add(DEALS) + form.end([])).decode())))
    assert [row["buyer_is_maker"] for row in rows[:2]] == ["true", "false"]
    assert rows[1]["quantity"] == "0.30"


@pytest.mark.parametrize(("name", "kind"), [("json", JsonWriter), ("csv", CsvWriter)])
def test_text_needs_nothing_else(name: Format, kind: type) -> None:
    assert isinstance(writer(name, TITLE), kind)
