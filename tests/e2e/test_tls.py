"""TLS in the gateway itself, with real processes, real certificates and clients that check them."""

import asyncio
import contextlib
import json
import os
import signal
import ssl
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.certificates import Pair, make_certificate, shown_serial
from tests.conftest import eventually
from tests.e2e.conftest import StartFleet
from tests.e2e.fleet import Fleet, Process
from tests.fsnats.cli.conftest import program


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_certificate(tmp_path)


def settings(pair: Pair) -> dict[str, object]:
    return {"gateway_tls_cert": pair.chain, "gateway_tls_key": pair.key, "markets": "spot"}


async def ready(process: Process, port: int, context: ssl.SSLContext) -> None:
    async with asyncio.timeout(60), httpx.AsyncClient(verify=context) as client:
        while True:
            assert process.status is None, process.said()
            with contextlib.suppress(httpx.ConnectError):
                if (await client.get(f"https://localhost:{port}/readyz")).is_success:
                    return
            await asyncio.sleep(0.02)


def gateway(fleet: Fleet, pair: Pair, *arguments: str) -> Process:
    return fleet.start("gateway", "gateway", *arguments, environ=fleet.environ(**settings(pair)))


async def s_client(port: int, authority: Path) -> str:
    """What openssl's own client says of the connection."""
    arguments = ("s_client", "-connect", f"localhost:{port}", "-CAfile", str(authority))
    null, pipe = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    client = await asyncio.create_subprocess_exec(program("openssl"), *arguments, stdin=null, stdout=pipe, stderr=null)
    return (await client.communicate())[0].decode()


async def test_clients_are_served_inside_tls_and_a_renewal_does_not_disturb_them(
    start_fleet: StartFleet, pair: Pair, tmp_path: Path
) -> None:
    fleet = start_fleet(supervisor=(), markets="spot")
    port, before, renewed = fleet.gateway_port, pair.serial, make_certificate(tmp_path, "renewed")
    old = pair.client()
    process = gateway(fleet, pair)
    await ready(process, port, old)
    async with connect(f"wss://localhost:{port}/ws/btcusdt@depth@100ms", ssl=old, proxy=None) as client:
        first = json.loads(await client.recv())
        renewed.install_at(pair)
        process.signal(signal.SIGHUP)
        await eventually(lambda: "certificate as it is now" in process.said())
        assert await shown_serial(port) == renewed.serial != before
        assert "Verify return code: 0 (ok)" in await s_client(port, pair.chain)

        pair.key.write_text("nonsense")
        process.signal(signal.SIGHUP)
        await eventually(lambda: "the old one stays" in process.said())
        assert "holds no key in PEM form" in process.said()
        assert await shown_serial(port) == renewed.serial
        while (last := json.loads(await client.recv()))["E"] - first["E"] < 500:
            pass
        assert last["U"] > first["U"]


async def test_a_renewal_reaches_every_process_of_a_port(start_fleet: StartFleet, pair: Pair, tmp_path: Path) -> None:
    fleet = start_fleet(supervisor=(), markets="spot")
    port, renewed = fleet.gateway_port, make_certificate(tmp_path, "renewed")
    process = gateway(fleet, pair, "--processes", "2")
    await eventually(
        lambda: "2 processes are ready" in process.said() or process.said().count('"ready"') == 2, within=60
    )
    before = {fleet.pid("gateway-1"), fleet.pid("gateway-2")}
    renewed.install_at(pair)
    process.signal(signal.SIGHUP)
    await eventually(lambda: process.said().count("certificate as it is now") == 2)

    # The kernel spreads connections over both: of thirty, none meets the old certificate.
    assert {await shown_serial(port) for _ in range(30)} == {renewed.serial}
    assert {fleet.pid("gateway-1"), fleet.pid("gateway-2")} == before


@pytest.mark.parametrize("processes", ["1", "2"])
def test_files_that_cannot_be_used_end_the_start_with_one_sentence(
    start_fleet: StartFleet, pair: Pair, tmp_path: Path, processes: str
) -> None:
    fleet = start_fleet(simulator=None, supervisor=None)
    other = make_certificate(tmp_path, "other")
    for number, (files, sentence) in enumerate(
        {
            ("--tls-cert", str(tmp_path / "no.crt")): "CERT: cannot read '{0}/no.crt': No such file or directory",
            ("--tls-cert", str(pair.chain), "--tls-key", str(other.key)): (
                "KEY: the key in '{0}/other.key' is not that of the certificate in '{0}/house.crt'"
            ),
            ("--tls-cert", str(other.key)): "CERT: '{0}/other.key' holds no certificate in PEM form",
        }.items()
    ):
        process = fleet.start(f"gateway-{number}", "gateway", "--processes", processes, *files)
        process.wait()
        assert process.status == 78
        assert process.said() == f"fsnats: FSNATS_GATEWAY_TLS_{sentence.format(tmp_path)}\n"


def test_an_unreadable_key_is_named(start_fleet: StartFleet, pair: Pair) -> None:
    if os.geteuid() == 0:
        pair.key.unlink()  # root reads everything; a directory in its place nobody reads as a file
        pair.key.mkdir()
    else:
        pair.key.chmod(0)
    process = gateway(start_fleet(simulator=None, supervisor=None), pair)
    process.wait()
    assert process.status == 78
    assert process.said().startswith(f"fsnats: FSNATS_GATEWAY_TLS_KEY: cannot read '{pair.key}': ")
