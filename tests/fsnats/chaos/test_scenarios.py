import pytest

from fsnats.chaos.scenarios import BY_NAME, SCENARIOS, Scenario


class Script:
    """A stage that notes what is done on it."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def fault(self, name: str, **options: object) -> None:
        self.lines.append(f"fault {name}")

    async def control(self, path: str, **options: object) -> None:
        self.lines.append(f"control {path}")

    async def connections(self) -> list[int]:
        return [1, 2, 3]

    async def sleep(self, seconds: float) -> None:
        self.lines.append(f"sleep {seconds:g}")

    def mark(self) -> None:
        self.lines.append("mark")

    def kill(self, program: str) -> None:
        self.lines.append(f"kill {program}")

    def read(self, market: str, stream: str) -> None:
        self.lines.append(f"read {stream}")

    async def arrives(self, market: str, stream: str, within: float) -> None:
        self.lines.append(f"arrives {stream}")

    async def proxy_dies(self, seconds: float, number: int = 0) -> None:
        self.lines.append("proxy dies")

    async def redundant(self, within: float, dials: int = 0) -> int:
        self.lines.append("sleep until redundant")
        return dials


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
async def test_every_scenario_does_something(scenario: Scenario) -> None:
    script = Script()
    await scenario.act(script, 1.0)
    assert any(not line.startswith(("sleep", "mark")) for line in script.lines)


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if each.prompt], ids=lambda each: each.name)
async def test_what_promises_a_time_says_from_when_it_counts(scenario: Scenario) -> None:
    script = Script()
    await scenario.act(script, 1.0)
    assert script.lines[-1] == "mark"


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if each.soaks], ids=lambda each: each.name)
def test_what_soaks_needs_no_fleet_of_its_own(scenario: Scenario) -> None:
    assert scenario.fleet == "plain"
