"""Whether programs under load and trouble keep to their memory: what they had early on against what they have in the
end.  Pure.

What a program needs under load shows within the first third of a long run: buffers that grew once, troubles that struck
for the first time.  From then on it should stay where it is.
"""

from collections.abc import Mapping
from statistics import median

import msgspec

EVERY = 10.0  # seconds between two looks
LOOKS_LEAST = 60  # of one process, before anything is said of it: ten minutes
GROWTH_BYTES, GROWTH_PART = 2 * 1024**2, 0.05  # from the second third on; the larger of the two is allowed

# Simulator and judge are tools of the test, and keep what happened.  NATS keeps the replay window: what comes in two
# minutes, however much that is, within a limit of its own.
_NOT_JUDGED = frozenset({"simulator", "judge", "nats-server"})


class Process(msgspec.Struct):
    """One process' resident bytes, look by look."""

    program: str
    pid: int
    sizes: list[int] = msgspec.field(default_factory=list)

    @property
    def early(self) -> int:
        """What it had after a third of its life."""
        third, tenth = len(self.sizes) // 3, _tenth(self.sizes)
        return int(median(self.sizes[third : third + tenth]))

    @property
    def late(self) -> int:
        """What it had in the end."""
        return int(median(self.sizes[-_tenth(self.sizes) :]))

    @property
    def verdict(self) -> str:
        """`flat`, by how much it `grew`, or why nothing can be said."""
        if self.program in _NOT_JUDGED:
            return "not judged"
        if len(self.sizes) < LOOKS_LEAST:
            return "too short a life"
        return "grew" if self.grows else "flat"

    @property
    def grows(self) -> bool:
        """Whether it grew by more than it may, as far as that can be said."""
        if self.program in _NOT_JUDGED or len(self.sizes) < LOOKS_LEAST:
            return False
        return self.late - self.early > max(GROWTH_BYTES, GROWTH_PART * self.early)


class Memory(msgspec.Struct):
    """The processes of a fleet, those included that were killed on the way."""

    processes: list[Process] = msgspec.field(default_factory=list)

    def look(self, sizes: Mapping[tuple[str, int], int]) -> None:
        """Take a look into account: resident bytes by program and pid."""
        known = {(each.program, each.pid): each for each in self.processes}
        for (program, pid), size in sizes.items():
            process = known.get((program, pid))
            if process is None:
                process = Process(program, pid)
                self.processes.append(process)
            process.sizes.append(size)

    @property
    def problems(self) -> list[str]:
        """Which programs' memory is not flat."""
        return [
            f"memory of {each.program} grew from {each.early / 2**20:.1f} to {each.late / 2**20:.1f} MB"
            for each in self.processes
            if each.grows
        ]


def _tenth(sizes: list[int]) -> int:
    return max(1, len(sizes) // 10)
