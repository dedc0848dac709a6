"""What can go wrong, grouped by what the caller should do about it.

FsnatsError
    Unusable                 the input is wrong; asking again cannot help
        ConfigError          a setting; ends the process with EXIT_CONFIG
        StreamNameError      a stream name that Binance does not have
        FrameError           bytes on the bus that are not one of our frames
        CaptureError         a file of a capture that is damaged or none (says where)
        BadCommand           a client's request (carries the wire code for the reply)
    Unavailable              the world is not ready; waiting may help
        BusUnavailable       NATS is down, or nobody answers a request
        ExchangeUnavailable  Binance cannot be reached (says at which stage)
        StoreUnavailable     the database cannot be reached, or cannot be written
    Refused                  a limit or a policy said no; the message says which
    OutputLost               what a command writes to is full or failing; ends it with EXIT_OUTPUT
        ReaderGone           whoever read it has enough, such as `head`; ends it without a word
"""

from collections.abc import Sequence

import msgspec

EXIT_CONFIG = 78  # sysexits.h EX_CONFIG: the supervisor and systemd do not start such a process again
EXIT_USAGE = 64  # sysexits.h EX_USAGE: likewise
EXIT_UNAVAILABLE = 69  # sysexits.h EX_UNAVAILABLE: trying again may help
EXIT_OUTPUT = 74  # sysexits.h EX_IOERR


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a msgspec decoder raises for bytes from outside: no JSON or another shape, no UTF-8, too deep."""


class FsnatsError(Exception):
    """The root of every error that fsnats raises on purpose."""


class Unusable(FsnatsError):
    """The input is wrong; asking again cannot help."""


class ConfigError(Unusable):
    """A setting that cannot be used.  `setting` is its public name, as the user wrote it."""

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(f"{setting}: {reason}")
        self.setting = setting
        self.reason = reason


class StreamNameError(Unusable):
    """A stream name that does not exist on its market."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name or repr(name)}: {reason}")
        self.name = name
        self.reason = reason


class FrameError(Unusable):
    """Bytes on the bus that are not a frame of a version we know."""


class CaptureError(Unusable):
    """A file that cannot be read as one of a capture; `reason` says from where on."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class BadCommand(Unusable):
    """A client's request that cannot be carried out; `code` and `part` go back to the client."""

    def __init__(self, code: str, message: str, part: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.part = part


class Unavailable(FsnatsError):
    """The world is not ready; waiting may help."""


class BusUnavailable(Unavailable):
    """NATS is not connected, or nobody answered a request in time."""


class ExchangeUnavailable(Unavailable):
    """Binance cannot be reached.

    `stage` is one of dns, tcp, proxy, tls, http, json; `status` is the HTTP status where there was one;
    `retry_after` is how many seconds the exchange asked us to stay away.
    """

    def __init__(self, stage: str, reason: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(f"{stage}: {reason}")
        self.stage = stage
        self.reason = reason
        self.status = status
        self.retry_after = retry_after


class StoreUnavailable(Unavailable):
    """The database cannot be reached, or cannot be written."""


class Refused(FsnatsError):
    """A limit or a policy said no."""


class OutputLost(FsnatsError, OSError):
    """The standard output takes nothing any more."""


class ReaderGone(OutputLost, BrokenPipeError):
    """Nobody reads the standard output any more: nothing is wrong."""


def exit_status(errors: Sequence[FsnatsError]) -> int:
    """The status with which a program ends of these."""
    if any(isinstance(error, Unusable) for error in errors):
        return EXIT_CONFIG
    if any(isinstance(error, OutputLost) for error in errors):
        return 0 if all(isinstance(error, ReaderGone) for error in errors) else EXIT_OUTPUT
    return EXIT_UNAVAILABLE
