from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fsnats.bus import wire
from fsnats.bus.dialling import dial, shown
from fsnats.errors import BusUnavailable
from tests.certificates import make_certificate
from tests.conftest import NatsServer, free_port


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., NatsServer]]:
    """Start a server with these options."""
    servers: list[NatsServer] = []

    def started(*options: str) -> NatsServer:
        servers.append(NatsServer(tmp_path, *options))
        servers[-1].start()
        return servers[-1]

    yield started
    for server in servers:
        server.stop()


def ignore(events: list[wire.Event]) -> None:
    """Nothing is subscribed."""


async def reached(url: str) -> None:
    """Dial, and hear the server once more."""
    link = await dial(url, "one", ignore)
    await link.ping()
    link.abort()


@pytest.mark.parametrize(
    ("options", "good", "wrong"),
    [
        (("--user", "joe", "--pass", "p@ss:w/rd"), "joe:p%40ss%3Aw%2Frd@", "joe:other@"),
        (("--auth", "s3cret"), "s3cret@", ""),
    ],
)
async def test_a_server_that_asks_for_a_login_is_shown_that_of_the_url(
    start: Callable[..., NatsServer], options: tuple[str, ...], good: str, wrong: str
) -> None:
    server = start(*options)
    await reached(f"nats://{good}127.0.0.1:{server.port}")
    with pytest.raises(BusUnavailable, match="Authorization Violation"):
        await dial(f"nats://{wrong}127.0.0.1:{server.port}", "one", ignore)


async def test_tls_is_spoken_where_the_url_or_the_server_wants_it(
    start: Callable[..., NatsServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = make_certificate(tmp_path)
    server = start("--tls", "--tlscert", str(pair.chain), "--tlskey", str(pair.key))
    with pytest.raises(OSError, match="certificate verify failed"):
        await dial(f"tls://localhost:{server.port}", "one", ignore)
    monkeypatch.setenv("SSL_CERT_FILE", str(pair.chain))
    for scheme in ("tls", "nats"):
        await reached(f"{scheme}://localhost:{server.port}")


async def test_nobody_at_the_port_is_an_error_of_the_system() -> None:
    with pytest.raises(ConnectionRefusedError):
        await dial(f"nats://127.0.0.1:{free_port()}", "one", ignore)


def test_a_url_is_shown_without_its_secrets() -> None:
    assert shown("nats://joe:s3cret@n") == "nats://n:4222"
    assert shown("tls://s3cret@n:7") == "tls://n:7"
    assert shown("nats://s3cret@[::1]:7") == "nats://[::1]:7"
