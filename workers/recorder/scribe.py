"""Makes rows for the store of what the bus delivered.  Pure: the same deliveries make the same rows."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fsnats import frames, recording
from fsnats.binance.streams import Market, Stream, parse
from fsnats.errors import UNREADABLE, FrameError, StreamNameError
from fsnats.frames import GAP
from fsnats.recording import Entry
from fsnats.store import RawFrame, Series
from workers.recorder.deliveries import Delivery
from workers.recorder.rows import origin_of, row_of, series_of
from workers.recorder.sheet import Sheet

_NAMES_MOST = 100_000  # remembered; anybody may publish any name


class _Kept(NamedTuple):
    """What is kept of a stream: rows of a series, or none, and its frames or not."""

    series: Series | None
    raw: bool


class Scribe:
    """`counts` says what it met: `read`, and what became nothing: `unwanted`, `gaps` (notices), `unreadable`."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = tuple(entries)
        self._kept: dict[tuple[Market, str], _Kept] = {}
        self.counts: Counter[str] = Counter()
        self.sample = ""  # why the newest unreadable frame was

    def sheet(self, delivered: Sequence[Delivery]) -> Sheet:
        """The rows that deliveries make, in their order."""
        sheet = Sheet()
        for delivery in delivered:
            self.counts["read"] += 1
            try:
                self._enter(sheet, delivery)
            except (FrameError, *UNREADABLE) as error:
                self.counts["unreadable"] += 1
                self.sample = str(error)
        return sheet

    def _enter(self, sheet: Sheet, delivery: Delivery) -> None:
        market = delivery.market
        frame = frames.decode(delivery.data)
        kept = self._kept.get((market, frame.stream)) or self._look(market, frame.stream)
        if kept.raw:
            sheet.keep(
                RawFrame(market, frame.stream, frame.received_ns, frame.epoch, frame.seq, frame.flags, frame.payload)
            )
        elif kept.series is None:
            self.counts["unwanted"] += 1
        if frame.flags & GAP:
            # What is missing shows by itself: nothing covers it.
            self.counts["gaps"] += 1
        elif kept.series is not None:
            sheet.add(kept.series, origin_of(frame.flags), row_of(kept.series, frame.payload))

    def _look(self, market: Market, name: str) -> _Kept:
        if len(self._kept) >= _NAMES_MOST:
            self._kept.clear()
        stream: Stream | None = None
        try:
            stream = parse(market, name)
        except StreamNameError:
            pass  # not one of the exchange's: nobody can have asked for it
        wish = recording.wish(self._entries, stream) if stream is not None and stream.name == name else None
        series = series_of(stream) if stream is not None and wish is not None and wish.rows else None
        kept = self._kept[market, name] = _Kept(series, wish is not None and wish.raw)
        return kept
