import pytest

from fsnats.errors import BadCommand
from tests.clock import HandClock
from workers.simulator.faults import NAMES, Faults, invoke


class Stage:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.hub = Air()
        self.life = 86400.0
        self.victims = {1: Victim(), 2: Victim()}

    def connected(self) -> dict[int, "Victim"]:
        return self.victims


class Air:
    def __init__(self) -> None:
        self.skew = 0
        self.odd = 0


class Victim:
    def __init__(self) -> None:
        self.muted = False
        self.cuts = 0
        self.done: list[object] = []

    def freeze(self) -> None:
        self.done.append("freeze")

    def stall(self, seconds: float) -> None:
        self.done.append(("stall", seconds))

    def lag(self, milliseconds: float) -> None:
        self.done.append(("lag", milliseconds))

    def shut_down(self, seconds: float, milliseconds: int) -> None:
        self.done.append(("shut down", seconds))

    def silence(self, name: str, on: bool, lasting: bool) -> bool:
        self.done.append((name, on, lasting))
        return True

    def forget(self, name: str) -> bool:
        self.done.append(("forget", name))
        return True

    def review(self, name: str) -> bool:
        self.done.append(("review", name))
        return True

    def spew(self, kind: str) -> None:
        self.done.append(kind)

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
    ("name", "options", "done"),
    [
        ("half_open", {}, "freeze"),
        ("stall", {"seconds": "2"}, ("stall", 2.0)),
        ("lag", {"milliseconds": "400"}, ("lag", 400.0)),
        ("shutdown", {"seconds": "3"}, ("shut down", 3.0)),
        ("silence", {"stream": "x@trade"}, ("x@trade", True, False)),
        ("forget", {"stream": "x@trade"}, ("forget", "x@trade")),
        ("garbage", {"kind": "html"}, "html"),
    ],
)
def test_one_connection_suffers_or_all(
    stage: Stage, faults: Faults, name: str, options: dict[str, str], done: object
) -> None:
    assert invoke(faults, name, [*options.items(), ("connection", "2")]) == 1
    assert [victim.done for victim in stage.victims.values()] == [[], [done]]
    assert invoke(faults, name, options.items()) == 2
    assert stage.victims[1].done == [done]


def test_connections_to_come_can_be_silent_and_slow(stage: Stage, faults: Faults) -> None:
    invoke(faults, "silence", [("stream", "x@trade"), ("coming", "true")])
    invoke(faults, "lag", [("milliseconds", "400"), ("coming", "true")])
    assert (faults.silenced, faults.coming_lag) == ({"x@trade"}, 0.4)
    invoke(faults, "silence", [("stream", "x@trade"), ("on", "false")])
    assert not faults.silenced


def test_what_one_connection_will_never_say_another_may(stage: Stage, faults: Faults) -> None:
    invoke(faults, "silence", [("stream", "x@trade"), ("coming", "true"), ("connection", "1")])
    assert not faults.silenced
    assert [victim.done for victim in stage.victims.values()] == [[("x@trade", True, True)], []]


def test_a_stream_can_be_served_on_another_route(stage: Stage, faults: Faults) -> None:
    assert invoke(faults, "reroute", [("stream", "x@trade"), ("route", "market")]) == 2
    assert faults.rerouted == {"x@trade": "market"}
    invoke(faults, "reroute", [("stream", "x@trade")])
    assert faults.rerouted == {}
    assert stage.victims[1].done == [("review", "x@trade")] * 2


@pytest.mark.parametrize("what", ["rest", "dials"])
async def test_rest_and_dials_are_limited_for_a_while(stage: Stage, faults: Faults, what: str) -> None:
    invoke(faults, f"limit_{what}", [("seconds", "3"), ("status", "418")])
    await stage.clock.advance(1.5)
    assert faults.limited(what, "127.0.0.1") == (418, 2)
    assert faults.limited("dials" if what == "rest" else "rest", "127.0.0.1") is None
    await stage.clock.advance(1.5)
    assert faults.limited(what, "127.0.0.1") is None


def test_one_address_may_be_limited_or_illegal_alone(faults: Faults) -> None:
    invoke(faults, "limit_rest", [("seconds", "3"), ("ip", "127.0.0.2")])
    invoke(faults, "legal", [("ip", "127.0.0.3")])
    assert [faults.limited("rest", f"127.0.0.{number}") for number in (1, 2)] == [None, (429, 3)]
    assert [faults.is_illegal(f"127.0.0.{number}") for number in (1, 3)] == [False, True]
    invoke(faults, "legal", [("ip", "127.0.0.3"), ("on", "false")])
    assert not faults.is_illegal("127.0.0.3")


def test_the_place_can_be_illegal_and_the_clock_off(stage: Stage, faults: Faults) -> None:
    invoke(faults, "legal", [])
    invoke(faults, "skew", [("milliseconds", "-500")])
    invoke(faults, "garbage", [("kind", "age")])
    assert (faults.is_illegal("127.0.0.1"), stage.hub.skew, stage.hub.odd) == (True, -500, 20)
    invoke(faults, "legal", [("on", "false")])
    assert not faults.is_illegal("127.0.0.1")


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("limit_rest", [("seconds", "1"), ("status", "500")], "403, 418 or 429"),
        ("garbage", [("kind", "soup")], "one of json"),
        ("nosuch", [], "no such fault"),
        ("__init__", [], "no such fault"),
        ("cut", [("who", "1")], "has no option 'who'"),
        ("reroute", [("stream", "x@trade"), ("route", "private")], "public or market"),
        ("cut", [("connection", "x")], "is not a number"),
        ("refuse", [], "needs seconds"),
    ],
)
def test_what_does_not_exist_is_told(faults: Faults, name: str, options: list[tuple[str, str]], reason: str) -> None:
    with pytest.raises(BadCommand, match=reason):
        invoke(faults, name, options)


def test_every_fault_is_described() -> None:
    assert all(getattr(Faults, name).__doc__ for name in NAMES)
