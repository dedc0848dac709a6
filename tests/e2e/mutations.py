"""A byte-level fuzzer: valid samples with something wrong in them.  The same seed makes the same bytes."""

import random
from collections.abc import Iterator, Sequence

_NASTY = (
    b"\0",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b":",
    b" ",
    b"%",
    b"\xff",
    b"\x80",
    b"\x81\xfe\xff\xff",
    b"{",
    b'"',
    b"[[[[",
)
_LONGEST = 60_000  # bytes of one case


def mutated(samples: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Without end, one case after the other."""
    chance = random.Random(seed)
    while True:
        case = bytearray(chance.choice(samples))
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            _spoil(case, samples, chance)
        yield bytes(case[:_LONGEST])


def _spoil(case: bytearray, samples: Sequence[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(case) + 1)
    end = min(at + chance.choice((1, 1, 2, 4, 16, 64)), len(case))
    match chance.randrange(8):
        case 0 if at < len(case):
            case[at] ^= 1 << chance.randrange(8)
        case 1 if at < len(case):
            case[at] = chance.randrange(256)
        case 2:
            del case[at:end]
        case 3:
            del case[at:]
        case 4:
            case[at:at] = chance.choice(_NASTY)
        case 5:
            case[at:at] = case[at:end] * chance.choice((1, 2, 100, 1000))
        case 6:
            other = chance.choice(samples)
            case[at:] = other[chance.randrange(len(other) + 1) :]
        case _:
            case += chance.choice(samples)
