import io
import json
import sys
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fsnats.binance.streams import Market
from fsnats.errors import Unusable
from fsnats.formats import Format, Title, writer
from fsnats.formats import arrow as module
from fsnats.history import Missing
from tests.fsnats.formats.test_text import BARS, DEALS, TITLE


def read(name: Format, data: bytes) -> pa.Table:
    return pa.ipc.open_stream(data).read_all() if name == "arrow" else pq.read_table(io.BytesIO(data))


@pytest.mark.parametrize("name", ["arrow", "parquet"])
def test_candles_keep_their_numbers_and_say_what_is_missing(name: Format) -> None:
    form = writer(name, TITLE)
    data = (
        form.begin([Missing(1, 2)]) + form.add(BARS[:2]) + form.add([]) + form.add(BARS[2:]) + form.end([Missing(1, 2)])
    )
    table = read(name, data)
    assert table.num_rows == 5
    first = table.slice(1, 1).to_pylist()[0]
    assert first["open_time"] == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    assert (first["open"], first["quote_volume"], first["trades"]) == (Decimal("1.10"), Decimal(8), 9)
    told = json.loads(table.schema.metadata[b"fsnats"])
    assert told == {"market": "spot", "symbol": "BTCUSDT", "interval": "1m", "missing": [[1, 2, "ms"]]}


@pytest.mark.parametrize("name", ["arrow", "parquet"])
def test_trades_too_and_none_at_all(name: Format) -> None:
    form = writer(name, Title(Market.SPOT, "BTCUSDT"))
    table = read(name, form.begin([]) + form.add(DEALS) + form.end([]))
    assert table.column("buyer_is_maker").to_pylist() == [True, False, True, False, True]
    form = writer(name, TITLE)
    assert read(name, form.begin([]) + form.end([])).num_rows == 0


def test_parquet_keeps_no_more_than_a_row_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GROUP_ROWS", 10)
    form = module.ParquetWriter(TITLE)
    form.begin([])
    assert [bool(form.add(BARS)) for _ in range(4)] == [False, True, False, True]


def test_a_number_with_more_places_than_fit_is_refused_not_rounded() -> None:
    form = writer("arrow", TITLE)
    form.begin([])
    odd = msgspec.structs.replace(BARS[0], o=f"0.{'1' * 19}")
    with pytest.raises(Unusable, match=r"^open: "):
        form.add([odd])


def test_without_pyarrow_what_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsnats.formats.arrow", None)
    monkeypatch.delattr("fsnats.formats.arrow", raising=False)
    with pytest.raises(Unusable, match="pip install pyarrow"):
        writer("parquet", TITLE)
