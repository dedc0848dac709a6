"""The units, as systemd itself reads them."""

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fsnats.errors import EXIT_CONFIG, EXIT_USAGE
from fsnats.supervisor.supervisor import STOP_SECONDS
from tests.deploy.conftest import DEPLOY, program

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OURS = [unit for unit in UNITS if unit.name != "fsnats-nats.service"]
INSTALLED = "/opt/fsnats/bin"


class Unit(configparser.RawConfigParser):
    """Unit files repeat keys; the last one is enough for these tests."""

    def __init__(self, path: Path) -> None:
        super().__init__(strict=False, delimiters="=", comment_prefixes="#", interpolation=None)
        self.optionxform = str  # type: ignore[assignment,method-assign]
        self.read(path)


def test_there_are_three() -> None:
    assert [unit.name for unit in UNITS] == [
        "fsnats-gateway@.service",
        "fsnats-nats.service",
        "fsnats-supervise.service",
    ]


def test_systemd_has_nothing_to_say_against_them(tmp_path: Path) -> None:
    # It wants the programs to exist, so the copies that it sees name those of this environment.
    here = Path(sys.executable).parent
    copies = []
    for unit in UNITS:
        text = unit.read_text()
        assert f"ExecStart={INSTALLED}/" in text
        copy = tmp_path / unit.name.replace("@", "@8081")
        copy.write_text(text.replace(INSTALLED, str(here)))
        copies.append(str(copy))
    verified = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", *copies], capture_output=True, text=True, timeout=60
    )
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


@pytest.mark.parametrize("unit", OURS, ids=lambda unit: unit.name)
def test_our_programs_are_watched_and_not_restarted_in_vain(unit: Path) -> None:
    service = Unit(unit)["Service"]
    assert service["Type"] == "notify"
    assert service["NotifyAccess"] == "main"
    assert service["WatchdogSec"] == "30"
    assert service["Restart"] == "always"
    assert set(service["RestartPreventExitStatus"].split()) == {str(EXIT_USAGE), str(EXIT_CONFIG)}
    assert service["KillMode"] == "mixed"


def test_a_gateway_reads_its_files_again_on_reload() -> None:
    assert Unit(DEPLOY / "systemd" / "fsnats-gateway@.service")["Service"]["ExecReload"] == "/bin/kill -HUP $MAINPID"


def test_a_gateway_has_time_to_send_its_clients_away() -> None:
    unit = DEPLOY / "systemd" / "fsnats-gateway@.service"
    graceful = re.search(r"^Environment=FSNATS_GATEWAY_GRACEFUL=(\d+)$", unit.read_text(), re.MULTILINE)
    assert graceful is not None
    assert int(Unit(unit)["Service"]["TimeoutStopSec"]) >= int(graceful[1]) + STOP_SECONDS


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_unit_is_confined(unit: Path) -> None:
    service = Unit(unit)["Service"]
    assert service["User"] == "fsnats"
    assert service["StateDirectory"] == "fsnats"
    assert service["ProtectSystem"] == "strict"
    assert service["LimitNOFILE"] == "1048576"
    for confinement in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "RestrictNamespaces"):
        assert service[confinement] == "yes", confinement
    assert service["CapabilityBoundingSet"] == ""


def test_systemd_finds_little_exposed(tmp_path: Path) -> None:
    for unit in UNITS:
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text())
        # The threshold is ten times the score that is shown: 3.0 of 10, where an ordinary service has 9.6.
        judged = subprocess.run(
            [program("systemd-analyze"), "security", "--offline=yes", "--threshold=30", "--no-pager", str(copy)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert judged.returncode == 0, judged.stdout[-500:] + judged.stderr
