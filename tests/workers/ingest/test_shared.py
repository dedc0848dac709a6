import pytest

from fsnats.binance.streams import Market
from fsnats.exits.address import DIRECT, Exit
from tests.clock import HandClock
from workers.ingest.rotation import rotation
from workers.ingest.router import Router
from workers.ingest.shared import Shared

PROXY = Exit("http://h:1", "http://h:1")


class Strand:
    """A strand that goes by this exit."""

    def __init__(self, by: Exit | None) -> None:
        self.exit = by


def _shared(*strands: Strand) -> Shared:
    router = Router(Market.SPOT, lambda _subject, _frame: True, 1)
    shared = Shared(Market.SPOT, "ws://x", router, HandClock(), lambda: 0.0, rotation(3600.0, ()))
    shared.strands = strands
    return shared


@pytest.mark.parametrize(
    ("exits", "crowded"),
    [
        ((DIRECT, PROXY), (False, False)),
        ((DIRECT, DIRECT), (False, True)),
        ((None, None), (False, False)),
        ((DIRECT, PROXY, DIRECT, None), (False, False, True, False)),
    ],
)
def test_of_two_that_go_by_one_exit_the_later_one_makes_room(
    exits: tuple[Exit | None, ...], crowded: tuple[bool, ...]
) -> None:
    strands = [Strand(by) for by in exits]
    shared = _shared(*strands)
    assert tuple(shared.is_crowded(strand) for strand in strands) == crowded


def test_what_others_go_by_is_taken() -> None:
    one, other, lost = Strand(DIRECT), Strand(PROXY), Strand(None)
    shared = _shared(one, other, lost)
    assert [shared.taken(strand) for strand in (one, other, lost)] == [
        {PROXY.name},
        {DIRECT.name},
        {DIRECT.name, PROXY.name},
    ]


def test_the_first_one_has_no_elders() -> None:
    one, other = Strand(DIRECT), Strand(PROXY)
    shared = _shared(one, other)
    assert (list(shared.elders(one)), list(shared.elders(other))) == ([], [one])
