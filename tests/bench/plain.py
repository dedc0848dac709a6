"""A worker that looks at nothing: what everything that guards against loss costs is told by comparing it with this one.

python -P -m tests.bench.plain ingest …    as `python -P -m workers ingest …`
"""

import sys

from workers.ingest import main, router


def run(arguments: list[str]) -> int:
    """Run the worker without trackers; returns the exit status."""
    vars(router)["ALWAYS"] = frozenset()
    return main.main(arguments[1:])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
