"""What a live view shows: a head, tables of any length, and what is wrong at the foot, where it is always seen."""

from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

from fsnats.fleet.troubles import Severity, Trouble
from fsnats.logs.entries import printable

SIMULATED = "SIMULATED DATA: this is not Binance's market now; every price is made up, or replayed."
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}
_FOOT_SHARE = 2  # the foot has half of a screen at most


class Page:
    """Printed, it is all there; on a screen, the tables are cut where it ends, and say so."""

    def __init__(
        self,
        simulated: bool,
        head: Sequence[Text],
        body: Iterable[RenderableType],
        foot: Iterable[RenderableType],
    ) -> None:
        self.head = [*([Text(SIMULATED, "bold white on red")] if simulated else []), *head]
        self.body = list(body)
        self.foot = list(foot)

    def print(self, console: Console) -> None:
        """All of it."""
        console.print(_Harmless(*self.head, *self.body, *self.foot))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height = options.height or console.height

        def lines(*parts: RenderableType) -> list[list[Segment]]:
            return console.render_lines(_Harmless(*parts), options.update(height=None), pad=False) if parts else []

        foot = _cut(lines(*self.foot), max(2, height // _FOOT_SHARE))
        head = lines(*self.head)
        body = _cut(lines(*self.body), max(1, height - len(head) - len(foot)))
        for line in [*head, *body, *foot]:
            yield from line
            yield Segment.line()


class _Harmless:
    """What programs and the exchange say, unable to do anything to a terminal."""

    def __init__(self, *parts: RenderableType) -> None:
        self._parts = Group(*parts)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._parts, options):
            if segment.control or segment.text == "\n":
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)


def _cut(lines: list[list[Segment]], most: int) -> list[list[Segment]]:
    if len(lines) <= most:
        return lines
    hidden = len(lines) - most + 1
    return [*lines[: most - 1], [Segment(f"… {hidden} more lines: they need a taller terminal")]]


def told(troubles: Iterable[Trouble]) -> list[Text]:
    """What is wrong and what to do, a line each."""
    # Text, not markup: errors may hold square brackets.
    return [
        line
        for trouble in troubles
        for line in (Text(f"! {trouble.what}", COLOURS[trouble.severity]), Text(f"  {trouble.do}"))
    ]
