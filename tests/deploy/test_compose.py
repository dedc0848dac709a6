"""compose.yaml and the Dockerfile."""

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from fsnats.config import PREFIX, Config
from tests.deploy.conftest import DEPLOY


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def test_docker_compose_accepts_it() -> None:
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run([docker, "compose", "version"], capture_output=True, timeout=60).returncode != 0
    ):
        pytest.skip("docker compose is not installed; the structure is tested all the same")
    checked = subprocess.run(
        [docker, "compose", "-f", str(DEPLOY / "compose.yaml"), "config", "--quiet"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


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
        for config in service.get("configs", []):
            assert config["source"] in compose["configs"]
        for variable in service.get("environment", {}):
            assert variable.removeprefix(PREFIX).lower() in Config.__struct_fields__
        if "build" in service:
            assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_both_nats_configurations_have_the_same_limits(compose: dict[str, Any]) -> None:
    def limits(text: str) -> dict[str, str]:
        return dict(re.findall(r"(max_\w+|write_deadline): (\S+)", text))

    content = compose["configs"]["nats"]["content"]
    assert limits(content) == limits((DEPLOY / "nats.conf").read_text())
    assert limits(content)["max_payload"] == "8MB"


def test_the_image_installs_what_is_locked_and_runs_as_nobody_special() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    assert sum(line.startswith("FROM python:3.11-slim") for line in lines) == 2
    assert any("pip install --require-hashes -r requirements.lock" in line for line in lines)
    last_stage = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert "USER fsnats" in last_stage
    assert any(line.startswith("HEALTHCHECK") for line in last_stage)
    assert 'ENTRYPOINT ["fsnats"]' in last_stage
