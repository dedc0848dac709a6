"""Several processes of one program on one port: start them, keep them, stop them together."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from fsnats.clock import SystemClock
from fsnats.config import Config
from fsnats.metrics.family import Page
from fsnats.metrics.sockets import SOCKET, WHOLE, pattern, place, telling
from fsnats.metrics.vitals import Vitals
from fsnats.notify import PROGRAM, from_environment
from fsnats.process import Stopping, reloading
from fsnats.supervisor import child, events, programs, report
from fsnats.supervisor.collection import collected
from fsnats.supervisor.lifeline import Lifeline
from fsnats.supervisor.output import Printer
from fsnats.supervisor.programs import Program, Stage
from fsnats.supervisor.supervisor import STOP_SECONDS, Supervisor


def members(
    name: str, arguments: Sequence[str], count: int, environ: dict[str, str], grace: float = 0.0
) -> list[Program]:
    """`count` programs that run the same module, named `<name>-1` and so on."""
    return [
        programs.python_program(f"{name}-{number}", Stage.GATEWAY, arguments, environ, grace=grace)
        for number in range(1, count + 1)
    ]


async def crowd(config: Config, stopping: Stopping, name: str, arguments: Sequence[str], count: int) -> None:
    """Keep `count` processes of `python -P -m <arguments>` running with this configuration until `stopping`.

    A dead one alone is started again.  Ready is said when all of them were.
    """
    notifier = from_environment()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fsnats-")))
        printer = Printer(sys.stderr, os.environ, lambda: datetime.now(UTC))
        stack.enter_context(printer.logging_as(name))

        def happened(event: events.Event) -> None:
            report.log_event(event)
            if isinstance(event, events.Ready) and event.ready == count:
                notifier.say("READY=1", f"STATUS={count} processes are ready")

        async def spawn(program: Program) -> child.OsProcess:
            return await child.start(program, lambda line: printer.line(program.name, line))

        supervisor = Supervisor(spawn, SystemClock(), happened)
        stack.enter_context(reloading(lambda: supervisor.hang_up(Stage.GATEWAY), stopping))
        lifeline = stack.enter_context(Lifeline(directory, supervisor.heard))
        places = pattern(directory)
        environ = programs.environment(config, os.environ, notify=lifeline.address, pid=os.getpid(), numbers=places)
        # Whichever of them is asked over HTTP for its numbers asks us, and tells those of all.
        environ[WHOLE] = address = os.environ.get(SOCKET) or place(places, name)
        vitals = Vitals()

        async def pages() -> list[Page]:
            return await collected(os.environ.get(PROGRAM) or name, supervisor, vitals.families)

        crowd = members(name, arguments, count, environ, config.gateway_graceful)
        for program in crowd:
            printer.expect(program.name)
        stack.enter_context(vitals.beating())
        async with telling(address, pages), supervisor, asyncio.TaskGroup() as tasks:
            beating = tasks.create_task(notifier.beat())
            starting = tasks.create_task(supervisor.adjust(crowd))
            await stopping.wait()
            notifier.stopping(config.gateway_graceful + STOP_SECONDS)
            beating.cancel()
            starting.cancel()
