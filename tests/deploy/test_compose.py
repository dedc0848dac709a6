"""compose.yaml and the Dockerfile."""

import shutil
import subprocess
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from fsnats.config import PREFIX, Config
from tests.deploy.conftest import DEPLOY, missing


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def compose_program() -> list[str] | None:
    """Docker Compose, as docker's plugin or as a program of its own."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, timeout=60).returncode == 0:
        return [docker, "compose"]
    alone = shutil.which("docker-compose")
    return [alone] if alone else None


def test_docker_compose_accepts_it() -> None:
    program = compose_program()
    if program is None:
        missing("docker compose")
        return
    checked = subprocess.run(
        [*program, "-f", str(DEPLOY / "compose.yaml"), "config", "--quiet"], capture_output=True, text=True, timeout=60
    )
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stderr


def test_the_fleet_is_complete(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert list(services) == ["nats", "supervise", "gateway-1", "gateway-2"]
    assert [services[name]["command"] for name in services if name != "nats"] == [
        ["supervise"],
        ["gateway"],
        ["gateway"],
    ]
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert len(published) == len(set(published)) == 2, "NATS is not for the world"


def test_programs_wait_for_nats_and_are_confined(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["restart"] == "unless-stopped"
        if name == "nats":
            assert "healthcheck" in service
            continue
        assert service["depends_on"] == {"nats": {"condition": "service_healthy"}}
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"]


def test_what_is_referred_to_exists(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in compose["volumes"]
        for variable in service.get("environment", {}).keys() - {"GOMEMLIMIT"}:  # that one is nats-server's
            assert variable.removeprefix(PREFIX).lower() in Config.__struct_fields__
        if "build" in service:
            assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_the_image_installs_what_is_locked_and_runs_as_nobody_special() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    assert sum(line.startswith("FROM python:3.11-slim") for line in lines) == 2
    assert any("pip install --require-hashes -r requirements.lock" in line for line in lines)
    last_stage = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert "USER fsnats" in last_stage
    assert any(line.startswith("HEALTHCHECK") for line in last_stage)
    assert 'ENTRYPOINT ["fsnats"]' in last_stage
