"""What is told beside each file of a capture: its checksum, what is in it, and what is missing from it.  Pure."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from fsnats.captures.lines import Line, Row, message_of
from fsnats.errors import UNREADABLE

SUFFIX = ".json"  # behind the whole name of the file
VERSION = 1
GAPS_NAMED = 1_000  # that a manifest repeats; all of them are in the file


class StreamTally(msgspec.Struct, omit_defaults=True):
    """One stream in one file; epoch and seq are those of its last frame."""

    frames: int = 0
    gaps: int = 0
    first_ns: int = 0
    last_ns: int = 0
    epoch: int = 0
    seq: int = 0


class Gap(msgspec.Struct, frozen=True, omit_defaults=True):
    """A notice that messages are missing, as `fsnats.notices` words it."""

    stream: str
    first: int = msgspec.field(name="from", default=0)
    last: int = msgspec.field(name="to", default=0)
    unit: str = ""
    reason: str = ""
    missed: int | None = None


class Tally(msgspec.Struct):
    """What has been counted of a file; the keys of `streams` are `<market>:<stream>`."""

    lines: int = 0
    frames: int = 0
    gaps: int = 0
    first_ns: int = 0
    last_ns: int = 0
    streams: dict[str, StreamTally] = {}
    named: list[Gap] = []
    simulated: bool = False

    def count(self, line: Line) -> None:
        """Count the line of a frame."""
        _, market, stream, received_ns, epoch, seq, notice = line
        key = f"{market}:{stream}"
        one = self.streams.get(key)
        if one is None:
            one = self.streams[key] = StreamTally()
        self.lines += 1
        if notice is None:
            self.frames += 1
            one.frames += 1
            for tally in (self, one):
                tally.first_ns = min(tally.first_ns or received_ns, received_ns)
                tally.last_ns = max(tally.last_ns, received_ns)
        else:
            self.gaps += 1
            one.gaps += 1
            if len(self.named) < GAPS_NAMED:
                self.named.append(_gap(key, notice))
        if epoch:
            one.epoch, one.seq = epoch, seq

    def count_row(self, row: Row) -> None:
        """Count a line that was read."""
        message = message_of(row)
        if message is None:
            self.lines += 1
            self.simulated |= row.simulated
            return
        notice = message.data if message.is_gap else None
        self.count(Line(b"", message.market, message.stream, message.received_ns, row.epoch, row.seq, notice))


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file.  `capture` and `number` say to which run of `fsnats capture` it belongs, and its place there.

    `repaired` is set where the writer was killed and the next one finished the file; `cut_bytes` were behind its last
    whole piece then.  `gaps_unnamed` are those beyond GAPS_NAMED.
    """

    file: str
    bytes: int
    sha256: str
    lines: int
    frames: int
    gaps: int
    first_ns: int
    last_ns: int
    capture: str = ""
    number: int = 0
    simulated: bool = False
    repaired: bool = False
    cut_bytes: int = 0
    streams: dict[str, StreamTally] = {}
    missing: list[Gap] = []
    gaps_unnamed: int = 0
    version: int = VERSION


def manifest(
    tally: Tally,
    file: str,
    size: int,
    sha256: str,
    *,
    capture: str,
    number: int,
    repaired: bool = False,
    cut_bytes: int = 0,
) -> Manifest:
    """The manifest of a file whose lines were counted."""
    return Manifest(
        file=file,
        bytes=size,
        sha256=sha256,
        lines=tally.lines,
        frames=tally.frames,
        gaps=tally.gaps,
        first_ns=tally.first_ns,
        last_ns=tally.last_ns,
        capture=capture,
        number=number,
        simulated=tally.simulated,
        repaired=repaired,
        cut_bytes=cut_bytes,
        streams=tally.streams,
        missing=tally.named,
        gaps_unnamed=tally.gaps - len(tally.named),
    )


def encode(manifest: Manifest) -> bytes:
    """As it lies in its file: for people too."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode(data: bytes) -> Manifest:
    """Raises ValueError for what is no manifest, or one of another version."""
    found = msgspec.json.decode(data, type=Manifest)
    if found.version != VERSION:
        raise ValueError(f"version {found.version}, this program reads {VERSION}")
    return found


def beside(path: Path) -> Path:
    """Where the manifest of a file is."""
    return path.with_name(path.name + SUFFIX)


def in_sequence(files: Iterable[tuple[Path, Manifest | None]]) -> list[list[Path]]:
    """Files by the capture that they belong to, each capture's in its order; one without a manifest stands alone."""
    captures: dict[str, list[tuple[int, Path]]] = {}
    for path, one in files:
        key = one.capture if one is not None and one.capture else f"file {path}"
        captures.setdefault(key, []).append((one.number if one is not None else 0, path))
    return [[path for _, path in sorted(capture)] for capture in captures.values()]


def _gap(key: str, notice: bytes) -> Gap:
    try:
        return msgspec.structs.replace(msgspec.json.decode(notice, type=Gap), stream=key)
    except UNREADABLE:
        return Gap(key, reason="a notice that cannot be read")
