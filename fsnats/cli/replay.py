"""`fsnats replay`: captures, served again."""

import math
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsnats.cli.settings import configured
from fsnats.errors import Unusable
from fsnats.moments import HELP, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsnats.captures.check import Checked
    from fsnats.captures.player import Progress

_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".part")
_ON_TERMINAL, _IN_LOG = 2.0, 10.0  # seconds between two lines about how far it is


def replay(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of captures, or directories of them.")],
    speed: Annotated[str, typer.Option(help="How much faster than life, or max: as fast as everybody takes it.")] = "1",
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help=f"Begin here: {HELP}.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="End here, inclusive.")] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end, until Ctrl-C.")] = False,
    wait: Annotated[
        str | None,
        typer.Option(metavar="N", help="Begin when clients listen to so many streams; first: to any, all: to all."),
    ] = None,
) -> None:
    """Serve captures again.

    Starts NATS and a gateway and plays what `fsnats capture` wrote, or others did in that form, marked as replayed.
    Every file is checked first; it ends when all who listen have everything.
    """
    from fsnats import process
    from fsnats.captures.check import check
    from fsnats.captures.performance import perform
    from fsnats.captures.player import Playing
    from fsnats.logs.start import log_as

    config = configured(context)
    log_as("replay", config)
    rate, paths = _speed(speed), found(files)
    first, last = between_ns(since, until, time.time_ns() // 1_000_000)
    checked = check(paths, _meter(sum(path.stat().st_size for path in paths if path.is_file())))
    streams = {key for file in checked for key in file.manifest.streams}
    typer.echo(inventory(checked))
    require_something(checked, first, last)
    playing = Playing(speed=rate, first_ns=first, last_ns=last, wait=_wait(wait, len(streams)))
    total = sum(file.manifest.frames for file in checked)

    def say(progress: "Progress") -> None:
        typer.echo(far(progress, total, playing.wait))

    async def run(stopping: process.Stopping) -> None:
        from fsnats.cli.up import called, welcome

        progress = await perform(
            config,
            checked,
            playing,
            stopping,
            loop=loop,
            on_ready=lambda running: typer.echo(
                welcome(running, replayed=True, command=called(sys.argv, os.environ.get("PATH")))
            ),
            say=say,
            every=_ON_TERMINAL if sys.stdout.isatty() else _IN_LOG,
        )
        typer.echo(summary(progress))

    raise typer.Exit(process.run(run))


def found(files: "Sequence[Path]") -> list[Path]:
    """The files that are named, and those of the directories that are, each once and in the order of their names."""
    paths: dict[Path, None] = {}
    for path in files:
        inside = sorted(one for one in path.iterdir() if one.name.endswith(_SUFFIXES)) if path.is_dir() else [path]
        if not inside:
            raise typer.BadParameter(f"no capture in {path}", param_hint="FILE")
        paths.update(dict.fromkeys(inside))
    return list(paths)


def between_ns(since: str | None, until: str | None, now_ms: int) -> tuple[int, int]:
    """The first and the last nanosecond that are played.  Raises Unusable."""
    from fsnats.captures.player import FOREVER

    first = moment(since, now_ms) * 1_000_000 if since is not None else 0
    last = moment(until, now_ms) * 1_000_000 + 999_999 if until is not None else FOREVER
    if first > last:
        raise Unusable(f"'{since}' is after '{until}'")
    return first, last


def require_something(files: "Sequence[Checked]", first_ns: int, last_ns: int) -> None:
    """Raise Unusable where none of the messages was received between these moments: nothing would be served."""
    told = [file.manifest for file in files if file.manifest.frames]
    if not told:
        return
    begins, ends = min(one.first_ns for one in told), max(one.last_ns for one in told)
    if last_ns < begins or first_ns > ends:
        raise Unusable(f"--from, --to: all that was captured is from {_clock(begins)} to {_clock(ends)}")


def _speed(text: str) -> float:
    try:
        speed = math.inf if text == "max" else float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0:
        raise typer.BadParameter(f"'{text}' is neither a positive number nor max", param_hint="--speed")
    return speed


def _wait(text: str | None, streams: int) -> int:
    known = {None: 0, "first": 1, "all": streams}
    if text in known:
        return known[text]
    if text is None or not text.isdecimal():
        raise typer.BadParameter(f"'{text}' is neither a number nor first or all", param_hint="--wait")
    return int(text)


def inventory(files: "Sequence[Checked]") -> str:
    """What there is to play, and what is odd about it."""
    from fsnats.captures.listing import sorted_out, stream_of

    keys = {key for file in files for key in file.manifest.streams}
    _, unknown = sorted_out(map(stream_of, keys))
    frames, gaps = sum(file.manifest.frames for file in files), sum(file.manifest.gaps for file in files)
    times = [(file.manifest.first_ns, file.manifest.last_ns) for file in files if file.manifest.frames]
    lines = [f"{_many(len(files), 'file')}, {_many(frames, 'message')} of {_many(len(keys), 'stream')}"]
    if times:
        lines[0] += f", {_clock(min(first for first, _ in times))} to {_clock(max(last for _, last in times))}"
    if gaps:
        lines.append(f"! {_many(gaps, 'notice')} of what is missing; the manifests name it, and clients are told")
    lines += [f"! {file.path.name} is unfinished and cut off: it ends early" for file in files if file.is_cut]
    if unproved := sum(not file.is_proved for file in files):
        lines.append(f"! {_many(unproved, 'file')} without a manifest: read to the end, but held against no checksum")
    if unknown:
        names = ", ".join(f"{market}:{name}" for market, name in unknown[:5])
        lines.append(f"! {_many(len(unknown), 'stream')} that no client can ask for any more: {names}")
    return "\n".join(lines)


def far(progress: "Progress", total: int, wait: int) -> str:
    """How far it is."""
    if not progress.begun:
        return f"replay: waits for clients to listen to {_many(wait, 'stream')}"
    again = f"round {progress.rounds}, " if progress.rounds > 1 else ""
    deaf = f", {_many(progress.deaf_clients, 'client')} not reading" if progress.deaf_clients else ""
    return f"replay: {again}{_clock(progress.at_ns)}, {progress.messages:,} messages (of {total:,} a round){deaf}"


def summary(progress: "Progress") -> str:
    """What was played."""
    return (
        f"replay: {_many(progress.messages, 'message')} and {_many(progress.notices, 'notice')} of gaps played "
        f"in {progress.seconds:.1f} s ({progress.messages / max(progress.seconds, 1e-3):,.0f} a second)"
    )


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _clock(ns: int) -> str:
    return datetime.fromtimestamp(ns / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _meter(total: int) -> "Callable[[int], None]":
    """On a terminal, shows how much of so many bytes was checked."""
    done, shown = 0, -1

    def advance(size: int) -> None:
        nonlocal done, shown
        done += size
        percent = done * 100 // max(total, 1)
        if percent != shown and sys.stderr.isatty():
            shown = percent
            sys.stderr.write(f"\rchecking: {percent} %" + ("\n" if done >= total else ""))
            sys.stderr.flush()

    return advance
