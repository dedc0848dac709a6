"""Whether the streams of a fleet that runs flow, as its workers say."""

from fsnats.cli.bus import connected_bus, unique_name
from fsnats.cli.checks.finding import Section
from fsnats.config import Config
from fsnats.errors import BusUnavailable
from fsnats.fleet.statuses import Worker, read
from fsnats.rollcall import RollCall

_WAIT = 1.0  # seconds that workers have to answer
_SHOWN = 5
_ADVICE = (
    "workers subscribe again, and try other connections and routes, by themselves: `fsnats status` shows what.  If it "
    "lasts: one symbol may have stopped trading a moment ago; a whole type on one market has moved or ended (read "
    "Binance's change log); everything of one exit needs another exit"
)


async def check_streams(config: Config) -> Section:
    """Ask every worker what is silent."""
    section = Section("streams")
    name = unique_name("doctor")
    try:
        async with connected_bus(config, name) as bus:
            workers = read(await RollCall(bus, f"_INBOX.{name}").call(wait=_WAIT)).workers
    except BusUnavailable:
        workers = []
    if not workers:
        section.untried("silent", "no worker answers: nothing is carried here")
        return section
    silent = sum(worker.silent.count for worker in workers)
    if silent:
        section.note("silent", f"{silent} streams say nothing although they should: {_named(workers)}", _ADVICE)
    else:
        section.good("silent", f"no stream is silent that should not be, say {len(workers)} workers")
    return section


def _named(workers: list[Worker]) -> str:
    streams = [
        f"{each.stream} on {worker.market} for {each.seconds:.0f} s ({each.reason})"
        for worker in workers
        for each in worker.silent.streams
    ]
    return "; ".join(streams[:_SHOWN]) + ("; …" if len(streams) > _SHOWN else "")
