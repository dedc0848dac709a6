"""What a native subscription wants to come before what is live: the newest value, what was missed, or history."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from fsnats.binance.limits import HISTORY_ROWS
from fsnats.binance.streams import Loss, Stream
from fsnats.errors import UNREADABLE
from gateway.effects import Effect, History, Listen, Resume, Snapshot
from gateway.protocol.fields import INTEGER, OBJECT, TRUTH, Field, optional
from gateway.protocol.problems import Problem, bad

# Streams whose past REST tells row by row.
_REMEMBERED = frozenset({"kline", "aggTrade", "trade"})


class _Place(msgspec.Struct):
    epoch: int
    seq: int


_place = msgspec.json.Decoder(_Place)


class Before(NamedTuple):
    """One request's wishes."""

    snapshot: bool = True
    history: int = 0
    resume: Mapping[str, Resume] = {}  # by stream name

    def applied(self, effects: list[Effect]) -> list[Effect]:
        """The effects of a subscription, with what is to come before each."""
        return [self._applied(effect) if isinstance(effect, Listen) else effect for effect in effects]

    def _applied(self, listen: Listen) -> Listen:
        before: Snapshot | Resume | History | None = self.resume.get(listen.stream.name)
        if before is None and self.history:
            before = History(self.history)
        if before is None and self.snapshot and listen.stream.loss is Loss.STATE:
            before = Snapshot()
        return listen if before is None else listen._replace(before=before)

    def require(self, streams: set[Stream]) -> None:
        """Raise BadCommand where a wish cannot be met by what is subscribed."""
        names = {stream.name for stream in streams}
        foreign = [name for name in self.resume if name not in names]
        if foreign:
            reason = f"'resume' names what this request does not subscribe: {', '.join(foreign[:10])}"
            raise bad(Problem.INVALID_FIELD, reason, foreign)
        if self.history:
            for stream in streams:
                if stream.kind not in _REMEMBERED or stream.name.count("@") > 1:
                    reason = f"'history' is of kline, aggTrade and trade: {stream.name} has none"
                    raise bad(Problem.INVALID_FIELD, reason, stream.name)


def before_of(snapshot: Field, history: Field, resume: Field) -> Before:
    """Read the three fields.  Raises BadCommand."""
    wants_snapshot = optional(snapshot, "snapshot", TRUTH)
    length = optional(history, "history", INTEGER) or 0
    if not 0 <= length <= HISTORY_ROWS:
        raise bad(Problem.INVALID_FIELD, f"'history' must be 0 to {HISTORY_ROWS}", length)
    places = optional(resume, "resume", OBJECT) or {}
    return Before(wants_snapshot is not False, length, {name: _resume(name, raw) for name, raw in places.items()})


def _resume(name: str, raw: msgspec.Raw) -> Resume:
    try:
        place = _place.decode(raw)
    except UNREADABLE as error:
        reason = f"'resume' of '{name}' must be an object with integers 'epoch' and 'seq'"
        raise bad(Problem.INVALID_FIELD, reason, name) from error
    if not (0 <= place.epoch < 2**63 and 0 <= place.seq < 2**63):
        raise bad(Problem.INVALID_FIELD, f"'resume' of '{name}': 'epoch' and 'seq' are not negative", name)
    return Resume(place.epoch, place.seq)
