"""All-market streams of the futures hosts carry USD-M and COIN-M together since 2026-06-30: keep a market's own rows.

`st` says which market a row belongs to (1 USD-M, 2 COIN-M).  Rows without it are kept.  Bytes of kept rows are never
changed; a payload that loses nothing is returned as it came.
"""

import msgspec

from fsnats.binance.streams import Market

_CODE = {Market.USDM: 1, Market.COINM: 2}


class _Row(msgspec.Struct):
    st: int | None = None


_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read = msgspec.json.Decoder(_Row).decode


def own_rows(market: Market, payload: bytes) -> bytes | None:
    """The payload without the other market's rows, or None when nothing is left of it.

    Raises msgspec.DecodeError for bytes that are not JSON of that shape.
    """
    own = _CODE.get(market)
    if own is None:
        return payload
    if not payload.startswith(b"["):
        return payload if _read(payload).st in (None, own) else None
    rows = _split(payload)
    kept = [row for row in rows if _read(row).st in (None, own)]
    if len(kept) == len(rows):
        return payload
    return b"[" + b",".join(bytes(row) for row in kept) + b"]" if kept else None
