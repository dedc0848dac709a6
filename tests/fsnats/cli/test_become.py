"""Becoming another program: arguments without secrets, settings in the environment, the same process."""

import signal
import sys
from pathlib import Path

import pytest

from fsnats.cli.become import arguments_of, environment_of
from fsnats.config import Config
from fsnats.sources import merge
from tests.fsnats.cli.conftest import command, environment, fsnats, line_with, running


def words_of(pid: int) -> list[bytes]:
    """The command line of a process, as everybody on this machine can read it."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


def test_the_module_path_is_safe_and_arguments_pass() -> None:
    assert arguments_of("workers", ["simulator", "--port", "0"]) == [
        sys.executable, "-P", "-m", "workers", "simulator", "--port", "0",
    ]  # fmt: skip


def test_a_flag_that_restores_a_default_wins_over_the_file_that_the_child_reads() -> None:
    environ = environment_of(Config(), {"FSNATS_GATEWAY_PORT": "1", "FSNATS_CONFIG": "other.toml", "PATH": "/bin"})
    assert environ["FSNATS_GATEWAY_PORT"] == "8080"
    assert environ["FSNATS_CONFIG"] == "other.toml"
    assert environ["PATH"] == "/bin"


def test_the_child_reads_the_configuration_that_was_written() -> None:
    config = Config(proxy="socks5h://me:p%40ss@host:1", symbols=("BTCUSDT", "ETHUSDT"), linger=1.5, state_dir="/x")
    loaded = merge(file={}, dotenv={}, environ=environment_of(config, {}), flags={})
    assert loaded.config == config


async def test_sim_passes_its_options_on_and_help_among_them() -> None:
    ended = await fsnats("sim", "--help")
    assert ended.status == 0
    assert "--seed" in ended.out


async def test_gateway_becomes_the_gateway_in_the_same_process(nats_url: str) -> None:
    arguments = command("--set", "gateway_host=127.0.0.1", "gateway", "--port", "0")
    async with running(*arguments, env=environment(nats_url=nats_url, gateway_port=1)) as process:
        assert "ws://127.0.0.1:" in await line_with(process.stderr, "listening")
        words = words_of(process.pid)
        process.send_signal(signal.SIGTERM)
        await process.wait()
    assert words[1:4] == [b"-P", b"-m", b"gateway"]
    assert process.returncode == 0


IMPATIENT = """
import runpy, sys
class Impatient:  # presses Ctrl-C while the program is loading
    def find_spec(self, name, path, target=None):
        if name == "{module}":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Impatient())
sys.argv[1:] = {arguments}
runpy.run_module("{program}", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("program", "arguments", "module"),
    [("gateway", [], "gateway.main"), ("workers", ["capture"], "workers.capture.main")],
)
async def test_ctrl_c_while_what_we_become_is_loading_is_no_traceback(
    program: str, arguments: list[str], module: str
) -> None:
    code = IMPATIENT.format(program=program, arguments=arguments, module=module)
    async with running(sys.executable, "-P", "-c", code) as process:
        out, err = await process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")
