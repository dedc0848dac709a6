import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc's")

_RESIDENT = """
import sys
from fsnats import allocator

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096 // 2**20
"""


def _numbers(script: str, *arguments: str) -> list[int]:
    """Megabytes that a process of its own tells of."""
    argv = [sys.executable, "-P", "-c", _RESIDENT + script, *arguments]
    return [int(word) for word in subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()]


def test_large_pieces_go_back_to_the_system_whatever_was_freed_before() -> None:
    script = """
if sys.argv[1] == "settled":
    allocator.settle()
bytearray(20_000_000)  # the C library learns from it
before = resident()
pieces = [bytearray(600_000) for _ in range(40)]
last = bytearray(100_000)
pieces.clear()
print(resident() - before)
"""
    assert _numbers(script, "not")[0] > 15  # or there is no need for it any more
    assert _numbers(script, "settled")[0] <= 2


def test_what_is_free_inside_the_heap_goes_back_to_the_system() -> None:
    script = """
before = resident()
pieces = [bytearray(100_000) for _ in range(200)]
last = bytearray(100_000)
pieces.clear()
kept = resident() - before
allocator.give_back()
print(kept, resident() - before)
"""
    kept, left = _numbers(script)
    assert kept > 15  # or there is no need for it any more
    assert left <= 2
