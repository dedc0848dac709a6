"""Arrow's stream format and Parquet, by pyarrow, which is the extra `arrow`.

Prices and quantities are decimals with 18 places, so that nothing is rounded; times are timestamps in UTC.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from fsnats.errors import Unusable
from fsnats.formats import Row, Title
from fsnats.formats.columns import Column, Kind, columns_of
from fsnats.history import Missing

GROUP_ROWS = 100_000  # of one row group of Parquet: what is in memory at a time
_TYPES: dict[Kind, Any] = {
    "time": pa.timestamp("ms", tz="UTC"),
    "decimal": pa.decimal128(38, 18),
    "integer": pa.int64(),
    "truth": pa.bool_(),
}


class _Sink:
    """A file that is taken away as it grows."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: Any) -> int:
        taken = bytes(data)
        self._parts.append(taken)
        self._size += len(taken)
        return len(taken)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def taken(self) -> bytes:
        """What was written since the last call."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


class ArrowWriter:
    """One record batch for each `add`."""

    def __init__(self, title: Title) -> None:
        self._title = title
        self._columns = columns_of(title.interval)
        self._sink = _Sink()
        self._writer: Any = None

    def begin(self, missing: Sequence[Missing]) -> bytes:
        self._schema = _schema(self._title, self._columns, missing)
        self._writer = pa.ipc.new_stream(pa.PythonFile(self._sink, mode="w"), self._schema)
        return self._sink.taken()

    def add(self, rows: Sequence[Row]) -> bytes:
        if rows:
            self._writer.write_batch(_batch(rows, self._columns, self._schema))
        return self._sink.taken()

    def end(self, missing: Sequence[Missing], error: str = "") -> bytes:
        self._writer.close()
        return self._sink.taken()


class ParquetWriter:
    """Row groups of GROUP_ROWS; the end of a Parquet file says where they are."""

    def __init__(self, title: Title) -> None:
        self._title = title
        self._columns = columns_of(title.interval)
        self._sink = _Sink()
        self._writer: Any = None
        self._batches: list[Any] = []
        self._waiting = 0

    def begin(self, missing: Sequence[Missing]) -> bytes:
        self._schema = _schema(self._title, self._columns, missing)
        self._writer = pq.ParquetWriter(pa.PythonFile(self._sink, mode="w"), self._schema, compression="zstd")
        return self._sink.taken()

    def add(self, rows: Sequence[Row]) -> bytes:
        if rows:
            self._batches.append(_batch(rows, self._columns, self._schema))
            self._waiting += len(rows)
        if self._waiting >= GROUP_ROWS:
            self._write()
        return self._sink.taken()

    def end(self, missing: Sequence[Missing], error: str = "") -> bytes:
        if self._batches:
            self._write()
        self._writer.close()
        return self._sink.taken()

    def _write(self) -> None:
        self._writer.write_table(pa.Table.from_batches(self._batches, self._schema), row_group_size=GROUP_ROWS * 2)
        self._batches.clear()
        self._waiting = 0


def _schema(title: Title, columns: Sequence[Column], missing: Sequence[Missing]) -> Any:
    told = {**msgspec.to_builtins(title), "missing": msgspec.to_builtins(list(missing))}
    fields = [pa.field(column.name, _TYPES[column.kind], nullable=False) for column in columns]
    return pa.schema(fields, metadata={"fsnats": msgspec.json.encode(told)})


def _batch(rows: Sequence[Row], columns: Sequence[Column], schema: Any) -> Any:
    arrays = []
    for column in columns:
        values = [getattr(row, column.field) for row in rows]
        if column.kind == "decimal":
            try:
                arrays.append(pa.array(values, pa.string()).cast(_TYPES["decimal"]))
            except pa.ArrowInvalid as error:
                raise Unusable(f"{column.name}: {error}") from None
        else:
            arrays.append(pa.array(values, _TYPES[column.kind]))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
