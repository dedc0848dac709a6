import pytest

from fsnats.errors import BadCommand
from tests.clock import HandClock
from workers.simulator.faults import NAMES, Faults, invoke


class Stage:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.life = 86400.0
        self.victims = {1: Victim(), 2: Victim()}

    def connected(self) -> dict[int, "Victim"]:
        return self.victims


class Victim:
    def __init__(self) -> None:
        self.muted = False
        self.cuts = 0

    def cut(self, why: str) -> None:
        self.cuts += 1


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def faults(stage: Stage) -> Faults:
    return Faults(stage)


def test_one_connection_is_cut_or_all(stage: Stage, faults: Faults) -> None:
    assert invoke(faults, "cut", [("connection", "2")]) == 1
    assert invoke(faults, "cut", []) == 2
    assert [victim.cuts for victim in stage.victims.values()] == [1, 2]
    assert invoke(faults, "cut", [("connection", "9")]) == 0


async def test_nobody_is_let_in_for_a_while(stage: Stage, faults: Faults) -> None:
    assert faults.accepting
    invoke(faults, "refuse", [("seconds", "5")])
    assert not faults.accepting
    await stage.clock.advance(5)
    assert faults.accepting


def test_ghosts_are_present_and_coming_connections(stage: Stage, faults: Faults) -> None:
    invoke(faults, "ghost", [("connection", "1")])
    assert [victim.muted for victim in stage.victims.values()] == [True, False]
    assert not faults.muted
    invoke(faults, "ghost", [])
    assert all(victim.muted for victim in stage.victims.values())
    assert faults.muted
    invoke(faults, "ghost", [("on", "false")])
    assert not any(victim.muted for victim in stage.victims.values())


def test_lives_can_be_shortened(stage: Stage, faults: Faults) -> None:
    invoke(faults, "life", [("seconds", "3.5")])
    assert stage.life == 3.5


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("nosuch", [], "no such fault"),
        ("__init__", [], "no such fault"),
        ("cut", [("who", "1")], "has no option 'who'"),
        ("cut", [("connection", "x")], "is not a number"),
        ("refuse", [], "needs seconds"),
    ],
)
def test_what_does_not_exist_is_told(faults: Faults, name: str, options: list[tuple[str, str]], reason: str) -> None:
    with pytest.raises(BadCommand, match=reason):
        invoke(faults, name, options)


def test_every_fault_is_described() -> None:
    assert all(getattr(Faults, name).__doc__ for name in NAMES)
