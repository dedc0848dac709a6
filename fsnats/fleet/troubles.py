"""What somebody should look at in a fleet, why, and what to do about it.  Pure."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from fsnats.fleet.statuses import Connection, Exit, Fleet, Gateway, History, Program, Recorder, Supervisor, Worker

_LATELY = 30.0  # seconds for which a program that was down is shown
_SHOWN = 5  # streams that a sentence names
_ANSWERING = ("ingest-", "history", "recorder")  # how programs are called that answer under the supervisor's name


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"  # red: something does not work now
    WARNING = "warning"  # yellow: it works, but not as it should


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where it is, as far as it is in one place; the names are those of the statuses."""

    program: str = ""
    market: str = ""
    connection: str = ""
    stream: str = ""
    exit: str = ""


class Trouble(msgspec.Struct, frozen=True):
    """One thing that is wrong, and what to do: a sentence each."""

    severity: Severity
    what: str
    where: Place
    do: str


def troubles(fleet: Fleet) -> list[Trouble]:
    """All that is wrong, the worst first."""
    return sorted(_all(fleet), key=lambda trouble: trouble.severity is not Severity.ERROR)


def _error(what: str, do: str, **where: str) -> Trouble:
    return Trouble(Severity.ERROR, what, Place(**where), do)


def _warning(what: str, do: str, **where: str) -> Trouble:
    return Trouble(Severity.WARNING, what, Place(**where), do)


def _all(fleet: Fleet) -> Iterator[Trouble]:
    if not fleet.supervisors:
        do = "start `fsnats supervise` or `fsnats up`: without it nothing that ends is started again"
        yield _error("no supervisor answers", do, program="supervisor")
    for supervisor in fleet.supervisors:
        yield from _of_supervisor(supervisor)
        yield from _unheard(supervisor, fleet)
    for name, offset in fleet.clocks.items():
        if offset.misleads:
            do = "synchronise this machine's clock (NTP)"
            yield _warning(f"{name}: {offset}: ages and delays mislead; synchronise it (NTP)", do, market=name)
    for history in fleet.histories:
        if history.store.state != "ok":
            what = f"{history.program} answers without the store: {history.store.state}"
            yield _warning(
                what, "mend the store; the exchange answers meanwhile, at its weight", program=history.program
            )
    for worker in fleet.workers:
        yield from _of_worker(worker)
    for capture in fleet.captures:
        if capture.trouble:
            what = f"{capture.program} cannot write: {capture.trouble}; {capture.waiting:,} lines wait"
            yield _error(what, "make room, or make its folder writable; it tries again", program=capture.program)
    for recorder in fleet.recorders:
        yield from _of_recorder(recorder)
    for gateway in fleet.gateways:
        yield from _of_gateway(gateway)


def _of_supervisor(supervisor: Supervisor) -> Iterator[Trouble]:
    for name, market in supervisor.markets.items():
        if market.trouble and not market.kept:
            what = f"NATS does not store what {name} lists: {market.trouble}"
            do = "make room on its disk, start a server of your own again; what was listed last holds meanwhile"
            yield _error(what, do, market=name)
        elif market.trouble:
            what = f"{name} cannot be asked: {market.trouble}"
            do = "`fsnats doctor` looks at the way to the exchange; what was listed last holds meanwhile"
            yield (_warning if market.symbols else _error)(what, do, market=name)
    yield from _of_exits(supervisor.exits)
    if supervisor.replay_trouble:
        do = "let NATS have JetStream, with memory; until then clients cannot resume, nor new workers go on"
        yield _warning(f"there is no replay window: {supervisor.replay_trouble}", do, program="supervisor")
    for program in supervisor.programs:
        yield from _of_program(program)


def _of_exits(exits: list[Exit]) -> Iterator[Trouble]:
    for one in exits:
        for trouble in one.troubles:
            if trouble.verdict is not None:
                what = f"exit {one.name} is not used for {trouble.area}: {trouble.reason}"
                do = f"it is tried again by itself, in {trouble.wait:.0f} s; `fsnats doctor` looks at every exit"
                yield (_warning if len(exits) > 1 else _error)(what, do, exit=one.name)


def _of_program(program: Program) -> Iterator[Trouble]:
    its = {"program": program.name}
    if program.state == "gave up":
        what = f"{program.name} gave up with status {program.last_exit}; its own lines say why"
        yield _error(what, "mend what its lines name, a setting mostly, and start the fleet again", **its)
    elif program.last_exit is not None and program.state in ("waiting", "starting"):
        what = f"{program.name} is down, after {_ending(program.last_exit)}"
        yield _error(what, f"it is started again by itself ({program.restarts} times so far); its lines say why", **its)
    elif program.last_exit is not None and program.uptime is not None and program.uptime < _LATELY:
        what = f"{program.name} started again {program.uptime:.0f} s ago, after {_ending(program.last_exit)}"
        yield _warning(what, "nothing if it stays; its lines say why it ended", **its)


def _ending(status: int) -> str:
    return f"signal {-status} ended it" if status < 0 else f"it ended with status {status}"


def _unheard(supervisor: Supervisor, fleet: Fleet) -> Iterator[Trouble]:
    answering: list[Worker | History | Recorder] = [*fleet.workers, *fleet.histories, *fleet.recorders]
    heard = {each.pid for each in answering}
    for program in supervisor.programs:
        if program.state == "ready" and program.name.startswith(_ANSWERING) and program.pid not in heard:
            do = "if it stays so, its own lines say why; one that gives no sign of life is replaced"
            yield _warning(f"{program.name} runs and does not answer", do, program=program.name)


def _of_worker(worker: Worker) -> Iterator[Trouble]:
    its = {"program": worker.program, "market": worker.market}
    if worker.odd:
        counted = ", ".join(f"{kind} {count:,}" for kind, count in sorted(worker.odd.items()))
        what = f"{worker.program} got messages that are not as they should be: {counted}; its lines show samples"
        yield _warning(what, "read its lines: perhaps Binance changed something; the streams go on", **its)
    for each in worker.connections:
        yield from _of_connection(each, its)
    if worker.silent.count:
        shown = ", ".join(each.stream for each in worker.silent.streams[:_SHOWN])
        first = worker.silent.streams[0].stream if worker.silent.streams else ""
        what = f"{worker.program}: streams are silent that should not be, {worker.silent.count} of them: {shown}"
        do = "it subscribes again and tries other connections and routes by itself; `fsnats doctor` if it lasts"
        yield _error(what, do, **its, stream=first)
    if worker.silent.one_sided:
        what = f"{worker.program}: {worker.silent.one_sided} streams come by one connection only, of several"
        yield _warning(what, "nothing is lost while that one lives; the other exit may be served less", **its)


def _of_connection(each: Connection, its: dict[str, str]) -> Iterator[Trouble]:
    if each.status != "connected" and each.last_error:
        do = "it dials again by itself; `fsnats doctor` looks at the exit if it lasts"
        yield _error(f"{each.id} is {each.status}: {each.last_error}", do, **its, connection=each.id)


def _of_recorder(recorder: Recorder) -> Iterator[Trouble]:
    its = {"program": recorder.program}
    if recorder.store_trouble:
        what = f"{recorder.program} waits for the store: {recorder.store_trouble}"
        yield _error(what, "mend the store; NATS keeps what comes for as long as its replay window is", **its)
    if recorder.fetch_trouble:
        what = f"{recorder.program} cannot fetch what is missing now: {recorder.fetch_trouble}"
        yield _warning(what, "it asks again by itself", **its)
    if recorder.holes_left:
        what = f"{recorder.program}: {recorder.holes_left} holes are left that the exchange did not fill"
        yield _warning(what, "`fsnats backfill` tries once more, `fsnats verify` says what differs", **its)
    if recorder.refused:
        what = f"{recorder.program}: the store refused rows {recorder.refused:,} times; its lines say which"
        yield _warning(what, "read its lines: they name the rows", **its)
    for name, reason in recorder.window_trouble.items():
        what = f"{recorder.program} cannot read the replay window of {name}: {reason}"
        yield _error(what, "let NATS have JetStream; it goes on by itself", **its, market=name)
    if unreadable := recorder.met.get("unreadable"):
        what = f"{recorder.program} could not read {unreadable:,} frames, the newest one: {recorder.sample}"
        yield _warning(what, "find who else publishes below `fsnats.`, or runs another version", **its)


def _of_gateway(gateway: Gateway) -> Iterator[Trouble]:
    its = {"program": gateway.program}
    if gateway.ready != "yes":
        yield _error(f"{gateway.program} is not ready: {gateway.ready}", "it is as soon as that is there", **its)
    if gateway.slow_clients:
        what = f"{gateway.program}: {gateway.slow_clients} clients do not take what there is for them"
        yield _warning(what, "they lose what is old, or are closed; let them read faster or want less", **its)
    if gateway.unknown_names:
        shown = ", ".join(gateway.unknown_names[:_SHOWN])
        what = f"{gateway.program}: clients ask for streams that nobody delivers: {shown}"
        yield _warning(what, "tell whoever runs these clients: the names are misspelt, or no longer traded", **its)
