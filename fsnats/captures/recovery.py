"""Finishes what a writer that was killed left behind, and knows where each stream stood then."""

import hashlib
import os
import re
from pathlib import Path

from fsnats.captures import manifest as manifests
from fsnats.captures.files import UNFINISHED, Pieces
from fsnats.captures.lines import decode
from fsnats.captures.manifest import Manifest, StreamTally, Tally
from fsnats.captures.writer import conclude
from fsnats.errors import UNREADABLE, CaptureError

_NAME = re.compile(r"fsnats-(\S+)-(\d{6})\.jsonl\.(?:zst|gz)")
_READ_BYTES = 1024 * 1024


def repair(directory: Path) -> list[Manifest]:
    """Finish every file that is not: whole pieces stay, what is behind them is cut off and counted.

    Raises CaptureError for a file that is none of ours although it has such a name, OSError when the disk is full.
    """
    repaired = []
    for path in sorted(directory.glob(f"*{UNFINISHED}")):
        final = path.with_name(path.name.removesuffix(UNFINISHED))
        name = _NAME.fullmatch(final.name)
        if name is not None:
            one = _repaired(path, final, capture=name[1], number=int(name[2]))
            repaired.append(one)
    return repaired


def _repaired(path: Path, final: Path, *, capture: str, number: int) -> Manifest:
    tally, rest, whole = Tally(), b"", 0
    with path.open("r+b") as file:
        pieces = Pieces(file)
        try:
            for data in pieces:
                rest += data
                if pieces.whole_bytes == whole:
                    continue
                # Only now is it certain that it is what was written: the checksum of a piece is at its end.
                whole = pieces.whole_bytes
                *lines, rest = rest.split(b"\n")
                for line in filter(None, lines):
                    tally.count_row(decode(line))
        except ValueError as error:
            raise CaptureError(path, f"damaged: {error}; move it away to begin") from error
        cut = path.stat().st_size - whole
        file.truncate(whole)
        os.fsync(file.fileno())
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            digest.update(chunk)
    one = manifests.manifest(
        tally, final.name, whole, digest.hexdigest(), capture=capture, number=number, repaired=True, cut_bytes=cut
    )
    conclude(path, final, one)
    return one


def last_places(directory: Path) -> dict[str, StreamTally]:
    """How far the newest capture in a directory came, by `<market>:<stream>`.  Raises CaptureError."""
    newest: dict[str, StreamTally] = {}
    capture = ""
    for path in sorted(directory.glob(f"fsnats-*{manifests.SUFFIX}"), reverse=True):
        try:
            one = manifests.decode(path.read_bytes())
        except (ValueError, *UNREADABLE) as error:
            raise CaptureError(path, f"cannot be read as a manifest: {error}; move it away to begin") from error
        if capture and one.capture != capture:
            break
        capture = one.capture
        for key, stream in one.streams.items():
            if stream.epoch and key not in newest:
                newest[key] = stream
    return newest
