"""Writes the files of one run of `fsnats capture`, so that what is written stays readable however the run ends.

A file is a row of packed pieces, each complete in itself; it is called `….part` until it is finished: synced, its
manifest beside it.  Everything here may take as long as the disk does: call it in a thread.
"""

import hashlib
import os
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import msgspec
import zstandard

from fsnats import __version__
from fsnats.captures import manifest as manifests
from fsnats.captures.files import UNFINISHED
from fsnats.captures.lines import Line, head
from fsnats.captures.manifest import Manifest, Tally

_ZSTD_LEVEL, _GZIP_LEVEL = 3, 5  # beyond these a piece takes twice the time for a few percent
_GZIP_WINDOW = 31  # zlib's word for gzip's header and checksum


class Form(StrEnum):
    """How files are packed; the value ends their names."""

    ZSTD = ".zst"
    GZIP = ".gz"


class Rotation(msgspec.Struct, frozen=True):
    """When the next file is begun: at so many bytes, or after so many seconds."""

    bytes: int
    seconds: float


class Totals(msgspec.Struct):
    """What has been finished so far."""

    files: int = 0
    frames: int = 0
    gaps: int = 0


class _File:
    """The file that is being written."""

    def __init__(self, path: Path, opened_ns: int) -> None:
        self.path = path
        self.opened_ns = opened_ns
        self.size = 0
        self.digest = hashlib.sha256()
        self.tally = Tally()
        self.handle = path.open("xb", buffering=0)

    def append(self, data: bytes) -> None:
        """All of it, or nothing.  Raises OSError."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self.handle.write(rest) or 0 :]
        except OSError:
            # Also of a disk that is full some of it may have been written.
            self.handle.truncate(self.size)
            self.handle.seek(self.size)
            raise
        self.size += len(data)
        self.digest.update(data)


class Writer:
    """Every method raises OSError when the disk is full, or gone; called again, it goes on where it stopped."""

    def __init__(self, directory: Path, started_ns: int, form: Form, rotation: Rotation, *, simulated: bool) -> None:
        self._directory = directory
        self.capture = datetime.fromtimestamp(started_ns / 1e9, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        self._form = form
        self._rotation = rotation
        self._simulated = simulated
        self._file: _File | None = None
        self._is_due = False
        self.finished = Totals()

    def write(self, lines: Sequence[Line], now_ns: int) -> None:
        """Write lines as one piece, all of them or none; begin and finish files as it is time."""
        if self._is_due:
            self.finish()
        if not lines and self._file is None:
            return
        file = self._file or self._open(now_ns)
        if lines:
            file.append(self._packed(b"".join(line.text for line in lines)))
            for line in lines:
                file.tally.count(line)
        self._is_due = file.size >= self._rotation.bytes or (now_ns - file.opened_ns) / 1e9 >= self._rotation.seconds

    def finish(self) -> None:
        """Finish the file that is being written, if there is one."""
        file = self._file
        if file is None:
            return
        os.fsync(file.handle.fileno())
        final = file.path.with_name(file.path.name.removesuffix(UNFINISHED))
        one = manifests.manifest(
            file.tally,
            final.name,
            file.size,
            file.digest.hexdigest(),
            capture=self.capture,
            number=self.finished.files + 1,
        )
        conclude(file.path, final, one)
        file.handle.close()
        self._file, self._is_due = None, False
        self.finished.files += 1
        self.finished.frames += one.frames
        self.finished.gaps += one.gaps

    def abandon(self) -> None:
        """Leave the file that is being written as it is: the next run finishes it."""
        if self._file is not None:
            self._file.handle.close()
            self._file = None

    def _open(self, now_ns: int) -> _File:
        name = f"fsnats-{self.capture}-{self.finished.files + 1:06}.jsonl{self._form}{UNFINISHED}"
        file = _File(self._directory / name, now_ns)
        try:
            text = head(now_ns, f"fsnats {__version__}", simulated=self._simulated)
            file.append(self._packed(text))
        except OSError:
            file.handle.close()
            file.path.unlink()
            raise
        file.tally.lines += 1
        file.tally.simulated = self._simulated
        self._file = file
        return file

    def _packed(self, data: bytes) -> bytes:
        if self._form is Form.ZSTD:
            return zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True).compress(data)
        packer = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)
        return packer.compress(data) + packer.flush()


def conclude(path: Path, final: Path, manifest: Manifest) -> None:
    """Give a file that is complete its manifest and its name, in this order: who finds the name finds both."""
    beside = manifests.beside(final)
    draft = beside.with_name(beside.name + ".new")
    with draft.open("wb") as file:
        file.write(manifests.encode(manifest))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(beside)
    if path.exists():  # else this is tried once more, after the last step failed
        path.rename(final)
    directory = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
