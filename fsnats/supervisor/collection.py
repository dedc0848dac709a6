"""Everyone's numbers: our own, and those that programs tell when they are asked, all at once."""

from collections.abc import Callable

from fsnats.metrics import proc, sockets
from fsnats.metrics.family import Family, Page
from fsnats.metrics.vitals import process_families
from fsnats.supervisor.numbers import of_programs
from fsnats.supervisor.supervisor import Supervisor

WITHIN = 1.0  # seconds that programs have to answer; Prometheus waits for ten


async def collected(name: str, supervisor: Supervisor, own: Callable[[], list[Family]]) -> list[Page]:
    """A page for each program that answers in time; of the others what the kernel knows of them."""
    asked = {each.name: each.numbers for each in supervisor.programs if each.numbers}
    answers = await sockets.ask(asked, WITHIN)
    standings = supervisor.standings()
    answered = {program: answer is not None for program, answer in answers.items()}
    pages = [Page(name, [*own(), *of_programs(standings, answered)])]
    for each in standings:
        answer = answers.get(each.name)
        if answer is not None:
            pages += answer
        elif each.pid is not None:
            pages.append(Page(each.name, process_families(proc.numbers(each.pid))))
    return pages
