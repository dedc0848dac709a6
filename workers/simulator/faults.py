"""What can be made to go wrong on purpose, by a test or over HTTP (`POST /sim/faults/<name>?…`).

A fault is a method of `Faults` whose parameters are annotated int, float, bool or str; that is all it takes to add one.
"""

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from fsnats.clock import Clock
from fsnats.errors import BadCommand
from workers.simulator.victim import GARBAGE

_ODD_EVENTS = 20


class Victim(Protocol):
    """A connection as a fault sees it."""

    muted: bool

    def cut(self, why: str) -> None: ...

    def freeze(self) -> None: ...

    def stall(self, seconds: float) -> None: ...

    def lag(self, milliseconds: float) -> None: ...

    def shut_down(self, seconds: float, milliseconds: int) -> None: ...

    def silence(self, name: str, on: bool, lasting: bool) -> bool: ...

    def forget(self, name: str) -> bool: ...

    def review(self, name: str) -> bool: ...

    def spew(self, kind: str) -> None: ...


class Clocked(Protocol):
    """Where event times pass."""

    skew: int
    odd: int


class Scene(Protocol):
    """What faults act on."""

    life: float

    @property
    def clock(self) -> Clock: ...

    @property
    def hub(self) -> Clocked: ...

    def connected(self) -> Mapping[int, Victim]: ...


class Faults:
    """The faults of one simulator."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._closed_until = 0.0
        self._ghosts = False
        self._limited: dict[tuple[str, str], tuple[int, float]] = {}  # what and whom: HTTP status, until when
        self._illegal: set[str] = set()  # addresses, "" for all
        self.silenced: set[str] = set()
        self.rerouted: dict[str, str] = {}
        self.coming_lag = 0.0  # seconds

    @property
    def accepting(self) -> bool:
        """Whether new connections are let in."""
        return self._scene.clock.monotonic() >= self._closed_until

    @property
    def muted(self) -> bool:
        """Whether a new connection is a ghost from its first moment."""
        return self._ghosts

    def is_illegal(self, ip: str) -> bool:
        """Whether everything that comes from there is answered with 451."""
        return not self._illegal.isdisjoint(("", ip))

    def limited(self, what: str, ip: str) -> tuple[int, int] | None:
        """The status that every `rest` request or every one of the `dials` from there gets now, and the seconds after
        which to try again."""
        for whom in ("", ip):
            status, until = self._limited.get((what, whom), (0, 0.0))
            left = until - self._scene.clock.monotonic()
            if left > 0:
                return status, math.ceil(left)
        return None

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

    def half_open(self, connection: int = 0) -> int:
        """Keep the TCP connection, but read, send and answer nothing any more; for one connection, or all."""
        victims = self._chosen(connection)
        for victim in victims:
            victim.freeze()
        return len(victims)

    def stall(self, seconds: float, connection: int = 0) -> int:
        """Send nothing for so many seconds, then all of it in one burst."""
        victims = self._chosen(connection)
        for victim in victims:
            victim.stall(seconds)
        return len(victims)

    def shutdown(self, seconds: float = 5.0, connection: int = 0) -> int:
        """Say `serverShutdown`, and close so many seconds later."""
        victims = self._chosen(connection)
        for victim in victims:
            victim.shut_down(seconds, self._scene.clock.time_ns() // 1_000_000)
        return len(victims)

    def legal(self, on: bool = True, ip: str = "") -> int:
        """Answer every handshake and REST request with 451, as the exchange does from where it may not serve; those of
        one address, or all."""
        if on:
            self._illegal.add(ip)
        else:
            self._illegal -= {ip} if ip else set(self._illegal)
        return 0

    def limit_rest(self, seconds: float, status: int = 429, ip: str = "") -> int:
        """Answer REST requests with 403, 418 or 429 for so many seconds; those of one address, or all."""
        return self._limit("rest", seconds, status, ip)

    def limit_dials(self, seconds: float, status: int = 429, ip: str = "") -> int:
        """Answer handshakes with 403, 418 or 429 for so many seconds; those of one address, or all."""
        return self._limit("dials", seconds, status, ip)

    def _limit(self, what: str, seconds: float, status: int, ip: str) -> int:
        if status not in (403, 418, 429):
            raise BadCommand("status", "403, 418 or 429")
        self._limited[what, ip] = (status, self._scene.clock.monotonic() + seconds)
        return 0

    def silence(self, stream: str, connection: int = 0, on: bool = True, coming: bool = False) -> int:
        """Keep a stream acknowledged but silent, on one connection or on all, until it is subscribed again.

        With `coming` a new subscription does not help: on that connection, or, where none is named, on any.
        Returns how many connections carry it.
        """
        if on and coming and not connection:
            self.silenced.add(stream)
        elif not on:
            self.silenced.discard(stream)
        lasting = coming and connection != 0  # on all of them `silenced` lasts
        return sum(victim.silence(stream, on, lasting) for victim in self._chosen(connection))

    def forget(self, stream: str, connection: int = 0) -> int:
        """Lose a subscription without a word, on one connection or on all: it is silent, and not listed any more."""
        return sum(victim.forget(stream) for victim in self._chosen(connection))

    def reroute(self, stream: str, route: str = "") -> int:
        """Serve a stream on this route of USD-M alone, whatever is documented; no route ends it."""
        if route not in ("public", "market", ""):
            raise BadCommand("route", "public or market")
        self.rerouted.pop(stream, None)
        if route:
            self.rerouted[stream] = route
        return sum(victim.review(stream) for victim in self._chosen(0))

    def lag(self, milliseconds: float, connection: int = 0, coming: bool = False) -> int:
        """Deliver so much later, on one connection or on all, or instead on those to come; 0 ends it."""
        if coming:
            self.coming_lag = milliseconds / 1000
            return 0
        victims = self._chosen(connection)
        for victim in victims:
            victim.lag(milliseconds)
        return len(victims)

    def skew(self, milliseconds: int) -> int:
        """Put the exchange's clock ahead (or, negative, behind): event times and the answer to `time`."""
        self._scene.hub.skew = milliseconds
        return 0

    def garbage(self, kind: str, connection: int = 0) -> int:
        """Send what no exchange should: json (broken), html, binary, large (1 MB), event (unknown), or age.

        `age` lets the next few events of any stream say a time of the future.
        """
        if kind == "age":
            self._scene.hub.odd = _ODD_EVENTS
            return 0
        if kind not in GARBAGE:
            raise BadCommand("kind", f"one of {', '.join((*GARBAGE, 'age'))}")
        victims = self._chosen(connection)
        for victim in victims:
            victim.spew(kind)
        return len(victims)

    def _chosen(self, connection: int) -> list[Victim]:
        connected = self._scene.connected()
        if connection:
            return [connected[connection]] if connection in connected else []
        return list(connected.values())


NAMES = (
    "cut", "refuse", "ghost", "life", "half_open", "stall", "shutdown", "legal", "limit_rest", "limit_dials",
    "silence", "forget", "reroute", "lag", "skew", "garbage",
)  # fmt: skip
_READERS: dict[object, Callable[[str], object]] = {
    str: str,
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
