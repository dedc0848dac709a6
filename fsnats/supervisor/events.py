"""What happens to programs, as values for one hook; printing is somebody else's job."""

import msgspec


class Started(msgspec.Struct, frozen=True):
    """A process was started."""

    program: str
    pid: int


class Ready(msgspec.Struct, frozen=True):
    """A program said that it is ready, `took` seconds after its start; `ready` of `wanted` programs are."""

    program: str
    took: float
    ready: int
    wanted: int


class Exited(msgspec.Struct, frozen=True):
    """A process ended: `status` is its exit status, or the negative number of the signal that ended it."""

    program: str
    pid: int
    status: int
    expected: bool


class Unstartable(msgspec.Struct, frozen=True):
    """The operating system could not start a program."""

    program: str
    reason: str


class Restarting(msgspec.Struct, frozen=True):
    """A program starts again in `delay` seconds, for the `count`th time."""

    program: str
    delay: float
    count: int


class GaveUp(msgspec.Struct, frozen=True):
    """A program ended with a status that says that starting it again cannot help."""

    program: str
    status: int


class Silent(msgspec.Struct, frozen=True):
    """A program that gave no sign of life for so many seconds is killed."""

    program: str
    seconds: float


class TooBig(msgspec.Struct, frozen=True):
    """A program whose resident size exceeds its limit is replaced."""

    program: str
    rss: int
    most: int


class Stuck(msgspec.Struct, frozen=True):
    """A program did not stop when asked, and is killed."""

    program: str
    seconds: float


Event = Started | Ready | Exited | Unstartable | Restarting | GaveUp | Silent | TooBig | Stuck
