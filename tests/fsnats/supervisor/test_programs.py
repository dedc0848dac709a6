import sys

from fsnats.binance.streams import Market
from fsnats.config import Config
from fsnats.groups import Group
from fsnats.sources import merge
from fsnats.supervisor.programs import Stage, environment, gateways, plan, simulator

GROUPS = [Group(Market.USDM, 3, ["BTCUSDT"], ["BTCUSDT"], True), Group(Market.SPOT, 0, ["BTCUSDT"], [], True)]


def test_every_group_has_a_worker_and_history_and_gateway_stand_beside() -> None:
    programs = plan(Config(), GROUPS, {}, with_gateway=True)

    assert [(program.name, program.stage) for program in programs] == [
        ("ingest-usdm-3", Stage.WORKERS),
        ("ingest-spot-0", Stage.WORKERS),
        ("history", Stage.WORKERS),
        ("gateway", Stage.GATEWAY),
    ]
    assert programs[0].argv == (
        *(sys.executable, "-P", "-m", "workers", "ingest"),
        *("--market", "usdm", "--group", "3"),
    )
    assert programs[0].environ["FSNATS_PROGRAM"] == "ingest-usdm-3"


def test_workers_are_limited_in_size_and_the_gateway_is_not() -> None:
    programs = plan(Config(worker_memory_max=5000), GROUPS, {}, with_gateway=True)

    assert [program.memory_max for program in programs] == [5000, 5000, 5000, 0]


def test_a_recorder_runs_where_something_is_to_be_recorded() -> None:
    (recorder,) = plan(Config(record=("spot:*@aggTrade",)), [], {}, with_gateway=False, history=False)
    assert (recorder.name, recorder.stage) == ("recorder", Stage.WORKERS)
    assert recorder.argv[-2:] == ("workers", "recorder")


def test_the_gateway_is_left_out_where_somebody_else_runs_it() -> None:
    assert [program.name for program in plan(Config(), [], {}, with_gateway=False)] == ["history"]


def test_a_replay_needs_a_gateway_alone() -> None:
    assert [program.name for program in gateways(Config(), {})] == ["gateway"]


def test_the_simulator_starts_before_the_workers_and_stops_after_them() -> None:
    program = simulator(9443, ["--seed", "7"], {})

    assert program.argv[3:] == ("workers", "simulator", "--port", "9443", "--seed", "7")
    assert Stage.NATS < program.stage < Stage.WORKERS


def test_a_child_reads_exactly_our_configuration_from_its_environment() -> None:
    config = Config(nats_url="nats://127.0.0.1:4333", symbols=("BTCUSDT",), state_dir="/tmp/x", linger=5.0)
    inherited = {"PATH": "/bin", "FSNATS_LINGER": "99", "FSNATS_LOG_LEVEL": "debug", "NATS_URL": "nats://old:4222"}

    environ = environment(config, inherited, notify="/run/x", pid=77)

    # A file that says otherwise does not win either: also what equals its default is spelled out.
    read = merge(file={"log_level": "error"}, dotenv={"WS_PORT": "1"}, environ=environ, flags={})
    assert read.config == config
    assert environ["PATH"] == "/bin"
    assert (environ["NOTIFY_SOCKET"], environ["FSNATS_SUPERVISOR_PID"]) == ("/run/x", "77")


def test_what_systemd_told_us_is_not_told_to_children() -> None:
    inherited = {"NOTIFY_SOCKET": "/run/systemd", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1", "FSNATS_X": "stray"}

    environ = environment(Config(), inherited, notify="@ours", pid=1)

    assert environ["NOTIFY_SOCKET"] == "@ours"
    assert not {"WATCHDOG_USEC", "WATCHDOG_PID", "FSNATS_X"} & environ.keys()
