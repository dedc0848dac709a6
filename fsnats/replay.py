"""The replay window: what every stream brought in the last minutes, kept by NATS in memory.

One JetStream stream a market takes in whatever workers publish; the supervisor makes them
(`fsnats.supervisor.replay`).  Everyone reads here, over the ordinary bus, by direct get (NATS ADR-31).

The window lies behind the live subjects by a moment: whoever joins what is read here to what a subscription brings
subscribes first, and reads again where the two do not meet.  Every function raises BusUnavailable, at once where there
is no window (FSNATS_REPLAY_SECONDS is 0, the NATS account has no memory for it, or NATS just started).
"""

from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from fsnats.binance.streams import Market
from fsnats.bus import Answer, Bus, jetstream
from fsnats.bus.jetstream import number
from fsnats.errors import BusUnavailable, FrameError
from fsnats.frames import Frame, Key, decode, follows, key_of
from fsnats.seek import Place, Seek
from fsnats.subjects import subject_of

MOST = 10_000  # frames of one answer of `after`, unless told otherwise

_TIMEOUT = 2.0  # seconds for one answer; the server has it in memory
_NAMES_AT_ONCE = 1_000  # the server refuses more than 1,024
_BATCH = 1_000  # frames of one question
_BATCH_BYTES = 4 * 1024**2


class Replay(msgspec.Struct, frozen=True):
    """Frames of one stream in their order; `complete` when it is certain that none is missing, before them either."""

    frames: list[Frame]
    complete: bool


def window(market: Market) -> str:
    """The JetStream stream that holds a market's frames."""
    return f"fsnats_replay_{market}"


async def last(bus: Bus, market: Market, name: str) -> Frame | None:
    """The newest frame of a stream; None where there is none."""
    answers = await _newest_answer(bus, market, subject_of(market, name))
    return _frame(answers[0]) if answers else None


async def lasts(bus: Bus, market: Market, names: Iterable[str]) -> dict[str, Frame]:
    """The newest frame of each of many streams, by name, of those that have one.  A thousand take some milliseconds."""
    found: dict[str, Frame] = {}
    left = iter(names)
    while some := list(islice(left, _NAMES_AT_ONCE)):
        question = {"multi_last": [subject_of(market, name) for name in some], "batch": len(some)}
        for answer in await _ask(bus, market, question, len(some) + 1):
            if (frame := _readable(answer)) is not None:
                found[frame.stream] = frame
    return found


async def after(bus: Bus, market: Market, name: str, epoch: int, seq: int, most: int = MOST) -> Replay:
    """The frames of a stream after (epoch, seq), up to now.

    Complete means: the first one follows (epoch, seq), each one follows the one before.  The first frame of a new epoch
    follows only if it is flagged CONTINUES and goes on counting.  Nothing is read, and the answer is incomplete, where
    there are more than `most`.
    """
    subject, wanted = subject_of(market, name), (epoch, seq)
    place = await _newest(bus, market, subject)
    if place is None:
        return Replay([], False)
    if place.key <= wanted:
        return Replay([], place.key == wanted)
    if place.key[0] == epoch and place.key[1] - seq > most:
        return Replay([], False)
    start = await _sought(bus, market, subject, Seek(wanted, place))
    read = await _read(bus, market, subject, start, most)
    return Replay([], False) if read is None else following(wanted, read)


async def newest(bus: Bus, market: Market, name: str, count: int) -> list[Frame]:
    """The newest `count` frames of a stream, oldest first; fewer where its worker has not published as many yet."""
    subject = subject_of(market, name)
    place = await _newest(bus, market, subject)
    if place is None:
        return []
    epoch, seq = place.key
    wanted = (epoch, max(0, seq - count))
    start = await _sought(bus, market, subject, Seek(wanted, place))
    # What is published meanwhile comes as well.
    read = await _read(bus, market, subject, start, count + MOST) or []
    return following(wanted, read).frames[-count:]


def following(key: Key, frames: Iterable[Frame]) -> Replay:
    """Of frames as the window has them, those after a key, each once and in order, and whether any is missing."""
    kept: list[Frame] = []
    complete = True
    for frame in frames:
        if key_of(frame) <= key:
            continue  # one that was sent again
        complete &= follows(key, frame)
        key = key_of(frame)
        kept.append(frame)
    return Replay(kept, complete and bool(kept))


async def _newest_answer(bus: Bus, market: Market, subject: str) -> Sequence[Answer]:
    return await jetstream.held(bus, f"{window(market)}.{subject}", b"", 1, _TIMEOUT)


async def _newest(bus: Bus, market: Market, subject: str) -> Place | None:
    answers = await _newest_answer(bus, market, subject)
    return _place(answers[0]) if answers else None


async def _sought(bus: Bus, market: Market, subject: str, seek: Seek) -> int:
    while (probe := seek.probe()) is not None:
        answers = await _ask(bus, market, {"seq": probe, "next_by_subj": subject}, 1)
        if not answers:
            break  # what was there a moment ago has left the window
        seek.found(probe, _place(answers[0]))
    return seek.start


async def _read(bus: Bus, market: Market, subject: str, start: int, most: int) -> list[Frame] | None:
    """All frames from a position on; None where these are more than `most`."""
    frames: list[Frame] = []
    question = {"next_by_subj": subject, "batch": _BATCH, "max_bytes": _BATCH_BYTES}
    while len(frames) <= most:
        answers = await _ask(bus, market, {**question, "seq": start}, _BATCH + 1)
        if not answers:
            return frames
        frames += filter(None, map(_readable, answers))
        if number(answers[-1], "Nats-Num-Pending") == 0:
            return frames
        start = number(answers[-1], "Nats-Sequence") + 1
    return None


async def _ask(bus: Bus, market: Market, question: object, most: int) -> Sequence[Answer]:
    return await jetstream.held(bus, window(market), msgspec.json.encode(question), most, _TIMEOUT)


def _frame(answer: Answer) -> Frame:
    try:
        return decode(answer.payload)
    except FrameError as error:
        raise BusUnavailable(f"what lies in the replay window cannot be read: {error}") from error


def _readable(answer: Answer) -> Frame | None:
    try:
        return decode(answer.payload)
    except FrameError:
        return None  # somebody else published on our subjects: like every reader, pass over it


def _place(answer: Answer) -> Place:
    return Place(number(answer, "Nats-Sequence"), key_of(_frame(answer)))
