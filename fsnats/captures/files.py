"""Reads the files of captures: plain, gzip or zstd, whole or cut off.

What is compressed may be so in pieces (gzip members, zstd frames), each complete in itself.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import zstandard

from fsnats.captures.lines import Row, decode
from fsnats.errors import UNREADABLE, CaptureError

UNFINISHED = ".part"  # at the end of the name of a file that is being written, or whose writer was killed

_READ_BYTES = 64 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class Pieces:
    """Unpacks one file.  `whole_bytes` is how many bytes of it belong to pieces that were read to their end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._read_bytes = 0
        self.whole_bytes = 0
        self.is_cut = False  # the file ended within a piece

    def __iter__(self) -> Iterator[bytes]:
        """What is in the file, as it comes.  Raises ValueError for what cannot be unpacked."""
        magic = self._file.read(4)
        self._file.seek(0)
        packed = magic.startswith(_GZIP) or magic == _ZSTD
        # A file that was cut off within its first bytes holds nothing.
        if not packed and magic and (_GZIP.startswith(magic) or _ZSTD.startswith(magic)):
            self.is_cut = True
            return
        unpacker: _Unpacker | None = None
        while chunk := self._file.read(_READ_BYTES):
            self._read_bytes += len(chunk)
            if not packed:
                self.whole_bytes = self._read_bytes
                yield chunk
            while packed and chunk:
                unpacker = unpacker or _unpacker(magic)
                try:
                    data = unpacker.decompress(chunk)
                except (zlib.error, zstandard.ZstdError) as error:
                    raise ValueError(f"what begins at byte {self.whole_bytes} cannot be unpacked: {error}") from error
                chunk = b""
                if unpacker.eof:
                    chunk, unpacker = unpacker.unused_data, None
                    self.whole_bytes = self._read_bytes - len(chunk)
                yield data  # also nothing, at the end of a piece
        self.is_cut = unpacker is not None


def _unpacker(magic: bytes) -> _Unpacker:
    return zstandard.ZstdDecompressor().decompressobj() if magic == _ZSTD else zlib.decompressobj(wbits=31)


class Reader:
    """The lines of one file, once, in its order.

    `number` is the line that was read last, from 1.  A file whose end is missing is damaged, unless its name says that
    it is unfinished: then it ends with its last whole line, and `is_cut` says whether there was more.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0
        self.is_cut = False
        self._unfinished = path.name.endswith(UNFINISHED)

    def lines(self) -> Iterator[bytes]:
        """The lines without their ends.  Raises CaptureError."""
        rest = b""
        try:
            with self.path.open("rb") as file:
                pieces = Pieces(file)
                for data in pieces:
                    *lines, rest = (rest + data).split(b"\n")
                    for line in lines:
                        self.number += 1
                        yield line
        except OSError as error:
            raise CaptureError(self.path, error.strerror or str(error)) from error
        except ValueError as error:
            raise CaptureError(self.path, f"damaged after line {self.number}: {error}") from error
        self.is_cut = pieces.is_cut or (self._unfinished and bool(rest))
        if pieces.is_cut and not self._unfinished:
            raise CaptureError(self.path, f"cut off after line {self.number}")
        if rest and not self.is_cut:
            self.number += 1
            yield rest

    def rows(self) -> Iterator[Row]:
        """The lines, read.  Raises CaptureError."""
        for line in self.lines():
            if not line:
                continue
            try:
                row = decode(line)
            except UNREADABLE as error:
                raise CaptureError(self.path, f"line {self.number} is none of a capture: {error}") from error
            yield row
