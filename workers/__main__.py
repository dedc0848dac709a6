"""`python -P -m workers <kind> …`: the processes that feed or drain the bus, each a command of its own."""

import importlib
import sys

KINDS = {
    "ingest": "workers.ingest.main",
    "history": "workers.history.main",
    "recorder": "workers.recorder.main",
    "capture": "workers.capture.main",
    "simulator": "workers.simulator.main",
}


def main(arguments: list[str]) -> int:
    """Run one kind of worker and return its exit status."""
    if not arguments or arguments[0] not in KINDS:
        sys.stderr.write(f"usage: python -P -m workers {{{','.join(KINDS)}}} [--help]\n")
        return 64  # EX_USAGE
    try:
        # Only the chosen kind is imported: a worker's memory and start-up hold nothing of its siblings.
        run = importlib.import_module(KINDS[arguments[0]]).main
        status: int = run(arguments[1:])
    except KeyboardInterrupt:  # while it is loading; later it is a signal as any other
        return 130  # 128 + SIGINT, as shells have it
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
