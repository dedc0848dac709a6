"""What travels on the bus: a small header around the untouched payload.

A frame is a MessagePack array `[version, stream, received_ns, epoch, seq, flags, payload, published_ns]`:

version      1 (int); anything else is a frame this code cannot read
stream       Binance's stream name, in canonical form (str)
received_ns  when the worker read the message from its socket, nanoseconds since 1970 (int)
epoch        when the worker that counts `seq` started, nanoseconds since 1970 (int): a new epoch starts a new count,
             except with a frame that is flagged CONTINUES
seq          1, 2, 3 … per stream within an epoch: a hole is a loss between worker and reader, or a while in which
             nobody wanted the stream (int).  A frame whose seq is not above the last one of its epoch was sent again,
             after NATS was lost: pass over it
flags        bits: RECOVERED, SNAPSHOT, GAP, CONTINUES, LATE (int)
payload      the bytes that Binance sent as `data` (bin), byte for byte
published_ns when the worker handed it to NATS, nanoseconds since 1970 (int): what was held for a while shows it
"""

import msgspec

from fsnats.errors import UNREADABLE, FrameError

VERSION = 1

RECOVERED = 1  # fetched over REST after a loss, published late
SNAPSHOT = 2  # a copy of the newest value, not a new event
GAP = 4  # the payload is a notice of events that cannot be had, not one of Binance's
# The first frame of a worker that knows where its predecessor stopped: it goes on counting from there, and fills or
# tells what was lost between them.
CONTINUES = 8
LATE = 16  # out of order: newer ones of the stream were published before it; always together with RECOVERED


class Frame(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One message on the bus.  See the module's text for the fields."""

    version: int
    stream: str
    received_ns: int
    epoch: int
    seq: int
    flags: int
    payload: bytes
    published_ns: int = 0


Key = tuple[int, int]
"""A frame's epoch and its number within it: frames of a stream are in the order of their keys."""


def key_of(frame: Frame) -> Key:
    """Where a frame stands in its stream."""
    return frame.epoch, frame.seq


def between(key: Key, frame: Frame) -> int | None:
    """How many frames lie between a key and a frame of the same stream, by their numbers.

    Negative for one that came before; None where the frame's worker does not know how far another one had counted.
    """
    epoch, seq = key
    if frame.epoch == epoch or (frame.flags & CONTINUES and frame.seq > seq):
        return frame.seq - seq - 1
    return None


def follows(key: Key, frame: Frame) -> bool:
    """Whether nothing lies between a key and a frame."""
    return between(key, frame) == 0


encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Frame).decode


def decode(data: bytes) -> Frame:
    """Read a frame.  Raises FrameError for anything that is not a frame of our version."""
    try:
        frame = _decode(data)
    except (ValueError, *UNREADABLE) as error:
        raise FrameError(f"not a frame: {error}") from error
    if frame.version != VERSION:
        raise FrameError(f"frame version {frame.version}, this program reads {VERSION}")
    return frame
