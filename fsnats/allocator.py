"""Memory that was needed once goes back to the system.  Linux with glibc; elsewhere nothing is done."""

import ctypes
from typing import Any

LARGE_BYTES = (
    512 * 1024
)  # a piece of its own; what one read of a socket makes is less, or each would cost 0.2 µs a message
FREE_BYTES = 1024 * 1024  # that may lie free at the end of the heap
EVERY = (
    60.0  # seconds between two times of giving back, in a process that lives for long; each takes about a millisecond
)
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's malloc.h


def _c_library() -> Any:
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
    except OSError:
        return None


_library = _c_library()


def settle() -> None:
    """Have large pieces of memory always be pieces of their own, that go back to the system when they are freed.

    glibc by itself learns from the largest one: after one of 6 MB it takes such pieces from the heap, whose holes stay,
    and gives nothing back before 12 MB are free at its end.
    """
    if _library is not None:
        _library.mallopt(_MMAP_THRESHOLD, LARGE_BYTES)
        _library.mallopt(_TRIM_THRESHOLD, FREE_BYTES)


def give_back() -> None:
    """Return what is free inside the heap: glibc by itself returns only what is free at its end."""
    if _library is not None:
        _library.malloc_trim(0)
