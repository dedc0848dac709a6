"""Where somebody was in the log files, as a text that is handed back later.  Pure."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

import msgspec

from fsnats.errors import UNREADABLE, Unusable
from fsnats.logs.names import FileName

CHARS_MOST = 16 * 1024  # several hundred files

_decode = msgspec.json.Decoder(dict[str, int]).decode


def written(ends: Mapping[FileName, int]) -> str:
    """Ends of files as a cursor."""
    told = {str(name): end for name, end in sorted(ends.items())}
    return urlsafe_b64encode(msgspec.json.encode(told)).decode().rstrip("=")


def read(text: str) -> dict[FileName, int]:
    """The ends that a cursor holds; it names files as they are called and nothing else.  Raises Unusable."""
    try:
        told = _decode(urlsafe_b64decode(text[:CHARS_MOST] + "=" * (-len(text) % 4)))
    except (ValueError, *UNREADABLE):
        raise Unusable("is no cursor that an answer had as 'next', and no moment") from None
    ends = {FileName.read(name): end for name, end in told.items()}
    if any(name is None or end < 0 for name, end in ends.items()):
        raise Unusable("is no cursor that an answer had as 'next', and no moment")
    return {name: end for name, end in ends.items() if name is not None}
