"""Which programs a fleet consists of, as values: name, command, environment, place in the order.  Pure."""

import sys
from collections.abc import Iterable, Mapping
from enum import IntEnum

import msgspec

from fsnats.config import PREFIX, Config, as_text
from fsnats.groups import Group
from fsnats.metrics.sockets import SOCKET, place
from fsnats.notify import PROGRAM
from fsnats.process import SUPERVISOR_PID
from fsnats.sources import FILE

# What our own supervisor (systemd) told us about itself; children have us instead.
_OURS_ALONE = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})


class Stage(IntEnum):
    """Programs start in this order and stop in the opposite one: clients are told first, NATS goes last."""

    NATS = 0
    SIMULATOR = 1
    WORKERS = 2
    GATEWAY = 3


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A command that is to be kept running.

    `memory_max` is the resident size in bytes above which its process is replaced, 0 for any.  Lines that contain
    `noise` are worth showing only to somebody who debugs.  `grace` is how many seconds it may take to stop beyond those
    of its stage.  At `numbers` it tells what it counts (`fsnats.metrics.sockets`), unless that is empty.
    """

    name: str
    argv: tuple[str, ...]
    environ: dict[str, str]
    stage: Stage
    memory_max: int = 0
    noise: str = ""
    grace: float = 0.0
    numbers: str = ""


def environment(
    config: Config, inherited: Mapping[str, str], *, notify: str, pid: int, numbers: str = ""
) -> dict[str, str]:
    """What every child's environment has in common.

    All settings are spelled out, also those that equal their default: a child reads the same file as we did, and a
    flag of ours must win over it.  `notify` is where children say READY=1, `pid` ours, whose death they follow,
    `numbers` the pattern of the addresses where they tell what they count.
    """
    kept = {
        name: value
        for name, value in inherited.items()
        if name not in _OURS_ALONE and (name == FILE or not name.startswith(PREFIX))
    }
    settings = {PREFIX + field.upper(): as_text(getattr(config, field)) for field in Config.__struct_fields__}
    ours = {"NOTIFY_SOCKET": notify, SUPERVISOR_PID: str(pid)} | ({SOCKET: numbers} if numbers else {})
    return kept | settings | ours


def python_program(
    name: str,
    stage: Stage,
    arguments: Iterable[str],
    environ: Mapping[str, str],
    memory_max: int = 0,
    grace: float = 0.0,
) -> Program:
    """One of our own programs: a module by name and its arguments.

    `-P` keeps the working directory off the module path: a stray `workers.py` there must not be run instead.
    """
    numbers = place(environ.get(SOCKET, ""), name)
    told = {SOCKET: numbers} if numbers else {}
    return Program(
        name=name,
        argv=(sys.executable, "-P", "-m", *arguments),
        environ={**environ, PROGRAM: name, **told},
        stage=stage,
        memory_max=memory_max,
        grace=grace,
        numbers=numbers,
    )


def simulator(port: int, arguments: Iterable[str], environ: Mapping[str, str]) -> Program:
    """The program that plays Binance on a local port."""
    return python_program(
        "simulator", Stage.SIMULATOR, ("workers", "simulator", "--port", str(port), *arguments), environ
    )


def plan(
    config: Config, groups: Iterable[Group], environ: Mapping[str, str], *, with_gateway: bool, history: bool = True
) -> list[Program]:
    """The workers that `groups` need, and the programs that stand beside them."""
    most = config.worker_memory_max
    programs = [
        python_program(
            f"ingest-{group.market}-{group.number}",
            Stage.WORKERS,
            ("workers", "ingest", "--market", group.market, "--group", str(group.number)),
            environ,
            most,
        )
        for group in groups
    ]
    if history:
        programs.append(python_program("history", Stage.WORKERS, ("workers", "history"), environ, most))
    if config.record:
        programs.append(python_program("recorder", Stage.WORKERS, ("workers", "recorder"), environ, most))
    return programs + gateways(config, environ) if with_gateway else programs


def gateways(config: Config, environ: Mapping[str, str]) -> list[Program]:
    """Who serves clients; all that a replay needs."""
    return [python_program("gateway", Stage.GATEWAY, ("gateway",), environ, grace=config.gateway_graceful)]
