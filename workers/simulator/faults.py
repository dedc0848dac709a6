"""What can be made to go wrong on purpose, by a test or over HTTP (`POST /sim/faults/<name>?…`).

A fault is a method of `Faults` whose parameters are annotated int, float or bool; that is all it takes to add one.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from fsnats.clock import Clock
from fsnats.errors import BadCommand


class Victim(Protocol):
    """A connection as a fault sees it."""

    muted: bool

    def cut(self, why: str) -> None: ...


class Scene(Protocol):
    """What faults act on."""

    life: float

    @property
    def clock(self) -> Clock: ...

    def connected(self) -> Mapping[int, Victim]: ...


class Faults:
    """The faults of one simulator."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._closed_until = 0.0
        self._ghosts = False

    @property
    def accepting(self) -> bool:
        """Whether new connections are let in."""
        return self._scene.clock.monotonic() >= self._closed_until

    @property
    def muted(self) -> bool:
        """Whether a new connection is a ghost from its first moment."""
        return self._ghosts

    def cut(self, connection: int = 0) -> int:
        """Abort one connection, or all; returns how many."""
        victims = self._chosen(connection)
        for victim in victims:
            victim.cut("fault: cut")
        return len(victims)

    def refuse(self, seconds: float) -> int:
        """Let nobody in for so many seconds; 0 ends it."""
        self._closed_until = self._scene.clock.monotonic() + seconds
        return 0

    def ghost(self, connection: int = 0, on: bool = True) -> int:
        """Answer pings but send no data, on one connection or on all present and coming ones."""
        victims = self._chosen(connection)
        for victim in victims:
            victim.muted = on
        if not connection:
            self._ghosts = on
        return len(victims)

    def life(self, seconds: float) -> int:
        """End every connection that is older, present and coming ones."""
        self._scene.life = seconds
        return 0

    def _chosen(self, connection: int) -> list[Victim]:
        connected = self._scene.connected()
        if connection:
            return [connected[connection]] if connection in connected else []
        return list(connected.values())


NAMES = ("cut", "refuse", "ghost", "life")
_READERS: dict[object, Callable[[str], object]] = {
    int: int,
    float: float,
    bool: lambda text: text.lower() in ("1", "true", "on", "yes"),
}


def invoke(faults: Faults, name: str, options: Iterable[tuple[str, str]]) -> int:
    """Call a fault by its name with options as text.  Raises BadCommand for what does not exist."""
    if name not in NAMES:
        raise BadCommand("fault", f"no such fault '{name}'; there are {', '.join(NAMES)}")
    method = getattr(faults, name)
    parameters = inspect.signature(method).parameters
    values: dict[str, object] = {}
    for key, text in options:
        if key not in parameters:
            raise BadCommand("option", f"{name} has no option '{key}'; it has {', '.join(parameters)}")
        try:
            values[key] = _READERS[parameters[key].annotation](text)
        except ValueError as error:
            raise BadCommand("option", f"{key}: '{text}' is not a number") from error
    missing = [key for key, each in parameters.items() if each.default is each.empty and key not in values]
    if missing:
        raise BadCommand("option", f"{name} needs {', '.join(missing)}")
    count: int = method(**values)
    return count
