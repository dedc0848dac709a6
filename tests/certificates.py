"""Certificates for tests, made by openssl: each signed by itself, for localhost and 127.0.0.1."""

import asyncio
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from tests.fsnats.cli.conftest import program

_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
_RSA = ("-newkey", "rsa:2048")


class Pair(NamedTuple):
    """A certificate and its key, in PEM files."""

    chain: Path
    key: Path

    def client(self) -> ssl.SSLContext:
        """What a client uses that trusts this certificate and no other."""
        return ssl.create_default_context(cafile=str(self.chain))

    def install_at(self, other: "Pair") -> None:
        """Take another pair's place, as a renewal does."""
        for mine, theirs in zip(self, other, strict=True):
            mine.with_suffix(".new").write_bytes(mine.read_bytes())
            mine.with_suffix(".new").replace(theirs)

    @property
    def serial(self) -> int:
        return x509.load_pem_x509_certificate(self.chain.read_bytes()).serial_number


def make_certificate(directory: Path, name: str = "house", *, rsa: bool = False) -> Pair:
    """Have openssl make a certificate."""
    pair = Pair(directory / f"{name}.crt", directory / f"{name}.key")
    what = ("req", "-x509", *(_RSA if rsa else _EC), "-nodes", "-days", "2", "-subj", f"/CN={name}")
    names = ("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    files = ("-keyout", str(pair.key), "-out", str(pair.chain))
    subprocess.run([program("openssl"), *what, *names, *files], check=True, capture_output=True, timeout=60)
    return pair


async def shown_serial(port: int) -> int:
    """The serial number of the certificate that a server shows to a new connection."""
    pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port), timeout=30)
    return x509.load_pem_x509_certificate(pem.encode()).serial_number
