from pathlib import Path

import pytest

from fsnats.errors import ConfigError
from fsnats.exits.trust import client_context
from tests.proxies import make_authority


async def test_a_private_authority_is_trusted_beside_the_systems(tmp_path: Path) -> None:
    ca, _ = await make_authority(tmp_path, "localhost")

    subjects = [str(one["subject"]) for one in client_context(str(ca)).get_ca_certs()]

    assert any("house" in subject for subject in subjects)
    assert client_context("").check_hostname


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match=r"FSNATS_CA_FILE: '.*ca.pem' cannot be used"):
        client_context(str(file))
