import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc's")

_KEEPS = """
import sys
from fsnats import allocator

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096 // 2**20

if sys.argv[1] == "settled":
    allocator.settle()
bytearray(20_000_000)  # the C library learns from it
before = resident()
pieces = [bytearray(600_000) for _ in range(40)]
last = bytearray(100_000)
pieces.clear()
print(resident() - before)
"""


def _kept(how: str) -> int:
    """Megabytes that a process keeps of pieces it has freed."""
    argv = [sys.executable, "-P", "-c", _KEEPS, how]
    return int(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)


def test_large_pieces_go_back_to_the_system_whatever_was_freed_before() -> None:
    assert _kept("unsettled") > 15  # or there is no need for it any more
    assert _kept("settled") <= 2
