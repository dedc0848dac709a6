"""Made-up data is never mistaken for the exchange's: it is announced to clients, and never served unasked."""

from tests.e2e.client import Client, until
from tests.e2e.conftest import StartFleet
from tests.e2e.fleet import Fleet, free_port, get


async def test_welcome_says_that_data_is_simulated(fleet: Fleet) -> None:
    async with Client(f"{fleet.ws}/") as client:
        welcome = await client.reply(lambda each: each["type"] == "connection", "the welcome")
        assert welcome["simulated"] is True


async def test_up_with_sim_serves_simulated_data_and_says_so(start_fleet: StartFleet) -> None:
    fleet = start_fleet(supervisor=None, simulator=None)
    up = fleet.start("up", "fsnats", "up", "--sim")
    await until(lambda: get(f"{fleet.http}/readyz")[0] == 200, "the gateway is ready", within=60)
    async with Client(f"{fleet.ws}/") as client:
        assert (await client.reply(lambda each: each["type"] == "connection", "the welcome"))["simulated"] is True
    await until(lambda: "SIMULATED DATA" in up.said(), "the terminal says so")


async def test_up_without_an_exchange_ends_with_one_sentence_and_serves_nothing(start_fleet: StartFleet) -> None:
    closed = f"//127.0.0.1:{free_port()}"
    urls = {f"{market}_ws_url": f"ws:{closed}" for market in ("spot", "usdm")}
    urls |= {f"{market}_rest_url": f"http:{closed}" for market in ("spot", "usdm")}
    fleet = start_fleet(supervisor=None, simulator=None, **urls)
    up = fleet.start("up", "fsnats", "up")
    answers: list[int] = []

    def ended() -> bool:
        answers.append(get(f"{fleet.http}/readyz")[0])
        return up.status is not None

    await until(ended, "up ends", within=60)
    last_words = [line for line in up.said().splitlines() if line.startswith("fsnats: ")]
    assert up.status == 69, up.said()
    assert len(last_words) == 1, up.said()
    assert "tcp" in last_words[0]
    assert "--sim" in last_words[0]
    assert set(answers) == {0}  # nobody ever listened
