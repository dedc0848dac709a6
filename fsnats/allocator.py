"""Memory that was needed once goes back to the system.  Linux with glibc; elsewhere nothing is done."""

import contextlib
import ctypes

LARGE_BYTES = (
    512 * 1024
)  # a piece of its own; what one read of a socket makes is less, or each would cost 0.2 µs a message
FREE_BYTES = 1024 * 1024  # that may lie free at the end of the heap
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's malloc.h


def settle() -> None:
    """Have large pieces of memory always be pieces of their own, that go back to the system when they are freed.

    glibc by itself learns from the largest one: after one of 6 MB it takes such pieces from the heap, whose holes stay,
    and gives nothing back before 12 MB are free at its end.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(_TRIM_THRESHOLD, FREE_BYTES)
