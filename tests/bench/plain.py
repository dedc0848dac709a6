"""A worker that looks at nothing: what everything that guards against loss costs is told by comparing it with this one.

python -P -m tests.bench.plain ingest …    as `python -P -m workers ingest …`
"""

import sys

from fsnats.bus.sent import Sent
from workers.ingest import main, router


def nothing(*_arguments: object) -> None:
    """Instead of a guard."""


def run(arguments: list[str]) -> int:
    """Run the worker without what looks at each message; returns the exit status."""
    vars(router)["ALWAYS"] = frozenset()  # ids are not looked at
    router.Router._look = nothing  # type: ignore[assignment, method-assign] # nor times and types
    Sent.note = nothing  # type: ignore[assignment, method-assign] # and nothing is kept for the case that NATS dies
    return main.main(arguments[1:])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
