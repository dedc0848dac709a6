"""What programs and the desk say to each other about exits.  Names only: the desk never learns a password."""

import msgspec

from fsnats.exits.verdicts import Verdict


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """A program is about to go to `host` by one of these exits: to shake hands or, with a `scope`, to spend `weight` of
    REST there.

    `program` and `strand` decide which of several it prefers.  Where more than `patience` seconds lie before it,
    nothing is booked.  Of what may be spent it leaves the part `leave` to others.
    """

    exits: tuple[str, ...]
    host: str = ""
    program: str = ""
    strand: int = 0
    weight: int = 0
    scope: str = ""  # what shares a limit of weight
    patience: float | None = None
    leave: float = 0.0


class Grant(msgspec.Struct, frozen=True, omit_defaults=True):
    """Go by `exit` in `delay` seconds; without an exit: ask again then, `reason` says why.

    `share` is the part of Binance's limit, on dials or on weight as asked, that the program may use by each exit when
    nobody answers any more.  `limited`: nothing is wrong, it would only be too much now.
    """

    delay: float
    exit: str | None = None
    reason: str = ""
    limited: bool = False
    share: float | None = None


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of it, says `program`: a verdict, or none when it worked.

    `scope` is that of the request, none for a handshake.  `asked` is how long the exchange wants us to stay away,
    `used` the weight that it counts.
    """

    exit: str
    host: str
    verdict: Verdict | None = None
    reason: str = ""
    asked: float | None = None
    used: int | None = None
    scope: str = ""
    program: str = ""
