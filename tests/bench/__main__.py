"""`python -P -m tests.bench [names…] [--quick] [--json FILE]`, from the root of the repository: `make bench`."""

import argparse
import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import msgspec

from tests.bench import (
    bursts,
    candles,
    captures,
    events,
    fairness,
    fanout,
    ingest,
    latency,
    memory,
    peers,
    report,
    store,
    storm,
    tools,
)
from tests.bench.processes import BenchError
from tests.bench.report import Row, Values

_FILES = 12_000  # ten thousand clients and what else is open


class Bench(Protocol):
    """What the module of a benchmark offers."""

    @property
    def TITLE(self) -> str: ...

    @property
    def ROWS(self) -> tuple[Row, ...]: ...

    def measure(self, tools: Path, quick: bool) -> Values: ...


BENCHES: dict[str, Bench] = {
    "ingest": ingest,
    "fanout": fanout,
    "fairness": fairness,
    "events": events,
    "peers": peers,
    "latency": latency,
    "bursts": bursts,
    "memory": memory,
    "storm": storm,
    "candles": candles,
    "store": store,
    "captures": captures,
}


def main(arguments: list[str]) -> int:
    """Run the benchmarks asked for and print what they found; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -P -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"which ones: {', '.join(BENCHES)}; default all")
    parser.add_argument("--quick", action="store_true", help="3 short repetitions instead of 5 longer ones")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every repetition's values there")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"no benchmark '{unknown[0]}'; there are {', '.join(BENCHES)}")
    chosen = {name: bench for name, bench in BENCHES.items() if name in options.names or not options.names}
    try:
        _run(chosen, options.quick, options.json)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(chosen: dict[str, Bench], quick: bool, file: Path | None) -> None:
    _allow_files()
    facts = report.machine()
    report.print_machine(facts)
    start = time.monotonic()
    found: dict[str, list[Values]] = {name: [] for name in chosen}
    count = 3 if quick else 5
    with TemporaryDirectory(prefix="fsnats-bench-tools-") as folder:
        tools.build(Path(folder))
        # Interleaved: what disturbs the machine for a while disturbs all of them.
        for number in range(1, count + 1):
            for name, bench in chosen.items():
                _show(f"{number}/{count} {name}")
                found[name].append(bench.measure(Path(folder), quick))
    _show("")
    for name, bench in chosen.items():
        report.print_table(bench.TITLE, bench.ROWS, report.collected(found[name]))
    print(f"\n{count} repetitions in {time.monotonic() - start:.0f} s")
    if file is not None:
        file.write_bytes(msgspec.json.format(msgspec.json.encode({"machine": facts, "found": found})) + b"\n")


def _show(progress: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{progress:<20}\r{progress}", end="", file=sys.stderr, flush=True)


def _allow_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < _FILES:
        raise BenchError(f"{_FILES} open files are needed, `ulimit -Hn` allows {most}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, most))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
