"""A live view on a terminal: shown anew every second, left with q or Ctrl-C.  Elsewhere it says so, and prints."""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Awaitable, Callable, Iterator

import typer
from rich.console import Console
from rich.live import Live

from fsnats.cli.page import Page

WIDE = 160  # columns of nobody's terminal


async def watch(
    look: Callable[[], Awaitable[Page]], interval: float, pressed: Callable[[str], None] = lambda _key: None
) -> None:
    """Show what `look` finds, every so many seconds, until somebody presses q; `pressed` hears of other keys."""
    console = console_of()
    if not console.is_terminal or console.is_dumb_terminal:
        typer.echo(f"fsnats: this is no terminal: what there is is printed every {interval:g} s", err=True)
        await repeat(look, interval, lambda page: page.print(console))
        return
    leave, again = asyncio.Event(), asyncio.Event()

    def typed(key: str) -> None:
        if key in "qQ":
            leave.set()
        else:
            pressed(key)
            again.set()

    # Nothing that others print may tear the picture: there is no thread that refreshes it, and nobody else prints.
    with Live(console=console, screen=True, auto_refresh=False) as live, _keys(typed):
        async with asyncio.TaskGroup() as tasks:
            showing = tasks.create_task(repeat(look, interval, lambda page: live.update(page, refresh=True), again))
            leaving = tasks.create_task(leave.wait())
            await asyncio.wait((showing, leaving), return_when=asyncio.FIRST_COMPLETED)
            showing.cancel()
            leaving.cancel()


async def repeat(
    look: Callable[[], Awaitable[Page]],
    interval: float,
    show: Callable[[Page], None],
    again: asyncio.Event | None = None,
) -> None:
    """Show what `look` finds, every so many seconds, for ever; at once when `again` is set."""
    loop, again = asyncio.get_running_loop(), again or asyncio.Event()
    while True:
        begun = loop.time()
        again.clear()
        show(await look())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, begun + interval - loop.time())):
                await again.wait()


async def print_lines(line: Callable[[], Awaitable[str]], interval: float) -> None:
    """Print one line every so many seconds, until nobody reads them."""
    loop = asyncio.get_running_loop()
    while True:
        begun = loop.time()
        text = await line()
        # In a thread: a reader who stands still must not keep the bus from being read.
        await asyncio.to_thread(_write, text + "\n")
        await asyncio.sleep(max(0.0, begun + interval - loop.time()))


def console_of(wide: int = WIDE) -> Console:
    """Where people read; of nobody's terminal lines may be as long as they are."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = wide
    return console


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


@contextlib.contextmanager
def _keys(typed: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, each key that is pressed is told; the terminal is as it was afterwards."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    loop = asyncio.get_running_loop()

    def readable() -> None:
        keys = os.read(descriptor, 64)
        if not keys:
            loop.remove_reader(descriptor)
        for key in keys.decode(errors="ignore"):
            typed(key)

    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, readable)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
