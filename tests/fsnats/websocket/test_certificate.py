"""Certificates that can be used, those that cannot, and one that takes another's place."""

import subprocess
from pathlib import Path

import pytest

from fsnats.errors import ConfigError
from fsnats.websocket.certificate import Certificate
from tests.certificates import Pair, make_certificate
from tests.fsnats.cli.conftest import program


def certificate(chain: Path | str, key: Path | str = "") -> Certificate:
    return Certificate(str(chain), str(key), "CERT", "KEY")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_certificate(tmp_path_factory.mktemp("pair"))


def test_a_key_may_be_in_the_certificates_file(pair: Pair, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_text(pair.chain.read_text() + pair.key.read_text())

    certificate(both)


def test_what_cannot_be_read_is_named(pair: Pair, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^CERT: cannot read '.*/nowhere': No such file or directory$"):
        certificate(tmp_path / "nowhere", pair.key)
    with pytest.raises(ConfigError, match=r"^KEY: cannot read '.*': Is a directory$"):
        certificate(pair.chain, tmp_path)


@pytest.mark.parametrize("rsa", [False, True])
def test_a_key_of_another_certificate_is_refused(pair: Pair, tmp_path: Path, rsa: bool) -> None:
    other = make_certificate(tmp_path, rsa=rsa)

    with pytest.raises(ConfigError, match=r"^KEY: the key in '.*house\.key' is not that of the certificate in '.*'$"):
        certificate(pair.chain, other.key)


def test_files_that_hold_something_else_are_refused(pair: Pair, tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_text("junk")

    with pytest.raises(ConfigError, match=r"^CERT: '.*junk' holds no certificate in PEM form$"):
        certificate(junk, pair.key)
    with pytest.raises(ConfigError, match=r"^KEY: '.*junk' holds no key in PEM form$"):
        certificate(pair.chain, junk)
    with pytest.raises(ConfigError, match=r"^CERT: '.*house\.crt' holds no key in PEM form$"):
        certificate(pair.chain)


def test_an_encrypted_key_is_refused_and_nobody_is_asked(pair: Pair, tmp_path: Path) -> None:
    encrypted = tmp_path / "encrypted.key"
    arguments = ["ec", "-in", str(pair.key), "-aes128", "-passout", "pass:x", "-out", str(encrypted)]
    subprocess.run([program("openssl"), *arguments], check=True, capture_output=True, timeout=60)

    with pytest.raises(ConfigError, match=r"^KEY: the key in '.*encrypted\.key' is encrypted"):
        certificate(pair.chain, encrypted)
