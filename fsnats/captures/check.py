"""Whether the files of a capture are what they were when they were written, and what is in them."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import msgspec

from fsnats.captures import manifest as manifests
from fsnats.captures.files import UNFINISHED, Reader
from fsnats.captures.lines import Message, message_of
from fsnats.captures.manifest import Manifest, Tally
from fsnats.captures.order import merged
from fsnats.errors import CaptureError

_READ_BYTES = 1024 * 1024

Progress = Callable[[int], None]
"""Hears how many bytes more were looked at, every now and then."""


class Checked(msgspec.Struct, frozen=True):
    """One file that can be played.  `manifest` is what lies beside it, or, without one, what was found in it.

    `is_proved`: its checksum is right.  `is_cut`: it is unfinished, and ends within a line.
    """

    path: Path
    manifest: Manifest
    is_proved: bool
    is_cut: bool = False


def check(paths: Sequence[Path], progress: Progress = lambda size: None) -> list[Checked]:
    """Look at every file.  Raises CaptureError, naming the file and from where on it is damaged."""
    return [_check(path, progress) for path in paths]


def played(files: Sequence[Checked]) -> Iterator[Message]:
    """The messages of all files in the order in which they are to be played.  Raises CaptureError."""
    captures = manifests.in_sequence((file.path, file.manifest) for file in files)
    return merged(chain.from_iterable(map(messages, capture)) for capture in captures)


def messages(path: Path) -> Iterator[Message]:
    """The messages of one file in its order.  Raises CaptureError."""
    return filter(None, map(message_of, Reader(path).rows()))


def told(path: Path) -> Manifest | None:
    """The manifest beside a file; None where there is none.  Raises CaptureError for one that cannot be read."""
    beside = manifests.beside(path)
    try:
        return manifests.decode(beside.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CaptureError(beside, error.strerror or str(error)) from error
    except ValueError as error:
        raise CaptureError(beside, f"cannot be read as a manifest: {error}") from error


def _check(path: Path, progress: Progress) -> Checked:
    if not path.is_file():
        raise CaptureError(path, "no such file")
    # Beside an unfinished file one may lie whose writer was killed between the two: it does not count yet.
    manifest = None if path.name.endswith(UNFINISHED) else told(path)
    if manifest is None:
        found, is_cut = _counted(path, progress)
        return Checked(path, found, is_proved=False, is_cut=is_cut)
    size, digest = _digest(path, progress)
    if (size, digest) == (manifest.bytes, manifest.sha256):
        return Checked(path, manifest, is_proved=True)
    _counted(path, progress)  # it says where the damage is, where that can be said
    reason = f"{size} bytes, the manifest says {manifest.bytes}" if size != manifest.bytes else "another SHA-256"
    raise CaptureError(path, f"not the file that its manifest describes ({reason}), though every line can be read")


def _digest(path: Path, progress: Progress) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            digest.update(chunk)
            size += len(chunk)
            progress(len(chunk))
    return size, digest.hexdigest()


def _counted(path: Path, progress: Progress) -> tuple[Manifest, bool]:
    reader, tally = Reader(path), Tally()
    for row in reader.rows():
        tally.count_row(row)
    size = path.stat().st_size
    progress(size)
    return manifests.manifest(tally, path.name, size, "", capture="", number=0), reader.is_cut
