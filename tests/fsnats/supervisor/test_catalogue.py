import asyncio
from pathlib import Path

import nats as nats_py
import pytest

from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.catalogue import GROUPS, LISTINGS, read, watch
from fsnats.errors import BusUnavailable
from fsnats.groups import Group
from fsnats.supervisor.catalogue import Catalogue
from fsnats.symbols import Listing, Symbol
from tests.conftest import NatsServer, eventually

LISTING = Listing(Market.USDM, 1_700_000_000_000, True, [Symbol("BTCUSDT", "BTCUSDT", "PERPETUAL", "TRADING")])
FIRST = Group(Market.USDM, 0, ["BTCUSDT"], ["BTCUSDT"], True)
TENTH = Group(Market.USDM, 10, ["ETHUSDT"], ["ETHUSDT"], False)
SECOND = Group(Market.USDM, 2, ["XRPUSDT"], ["XRPUSDT"], False)
OTHER = Group(Market.SPOT, 0, ["BTCUSDT"], [], True)


@pytest.fixture
async def catalogue(bus: NatsBus) -> Catalogue:
    catalogue = Catalogue(bus)
    await catalogue.open()
    return catalogue


async def test_what_was_put_is_read_back(catalogue: Catalogue) -> None:
    await catalogue.put_listing(LISTING)
    await catalogue.put_groups([TENTH, FIRST, OTHER, SECOND])

    assert await catalogue.listing(Market.USDM) == LISTING
    assert await catalogue.listing(Market.SPOT) is None
    assert await catalogue.groups(Market.USDM) == [FIRST, SECOND, TENTH]
    assert await catalogue.groups(Market.COINM) == []


async def test_opening_again_keeps_what_is_there(catalogue: Catalogue) -> None:
    await catalogue.put_groups([FIRST])
    await catalogue.open()

    assert await catalogue.groups(Market.USDM) == [FIRST]


async def test_the_catalogue_survives_the_server(catalogue: Catalogue, bus: NatsBus, nats: NatsServer) -> None:
    await catalogue.put_groups([FIRST])
    nats.stop()
    with pytest.raises(BusUnavailable):
        await catalogue.groups(Market.USDM)
    nats.start()
    await bus.connected()

    assert await catalogue.groups(Market.USDM) == [FIRST]


async def test_readers_hear_of_a_change_and_not_of_what_stayed(catalogue: Catalogue, bus: NatsBus) -> None:
    heard: list[Group] = []
    await catalogue.put_groups([FIRST])
    watching = asyncio.create_task(watch(bus, GROUPS, "usdm.0", Group, heard.append))
    await eventually(lambda: heard == [FIRST])

    puts: list[str] = []
    bus.subscribe("$KV.>", lambda subject, reply, payload: puts.append(subject))
    changed = Group(Market.USDM, 0, ["BTCUSDT", "ADAUSDT"], ["BTCUSDT", "ADAUSDT"], True)
    await catalogue.put_groups([FIRST])
    await catalogue.put_groups([changed])
    await eventually(lambda: heard == [FIRST, changed])
    watching.cancel()

    assert puts == ["$KV.fsnats_groups.usdm.0"]


async def test_a_dropped_group_leaves_nothing(catalogue: Catalogue, bus: NatsBus) -> None:
    await catalogue.put_groups([FIRST, TENTH])
    await catalogue.drop_group(Market.USDM, 10)

    assert await catalogue.groups(Market.USDM) == [FIRST]
    assert await read(bus, GROUPS, "usdm.10") is None
    assert await read(bus, GROUPS, "usdm.0") is not None


async def test_what_another_version_wrote_counts_as_missing(catalogue: Catalogue, bus: NatsBus) -> None:
    await bus.request("$KV.fsnats_groups.usdm.0", b'{"other":"version"}', 2.0)
    await bus.request("$KV.fsnats_catalogue.usdm", b"\xff", 2.0)

    assert await catalogue.groups(Market.USDM) == []
    assert await catalogue.listing(Market.USDM) is None


async def test_any_nats_client_reads_the_buckets(catalogue: Catalogue, nats: NatsServer) -> None:
    await catalogue.put_listing(LISTING)
    await catalogue.put_groups([FIRST])

    client = await nats_py.connect(nats.url, allow_reconnect=False)
    try:
        buckets = [await client.jetstream().key_value(bucket) for bucket in (LISTINGS, GROUPS)]
        entries = [await buckets[0].get("usdm"), await buckets[1].get("usdm.0")]
        status = await buckets[0].status()
    finally:
        await client.close()

    assert all(entry.value and entry.value.startswith(b"{") for entry in entries)
    assert status.history == 1


async def test_a_server_without_jetstream_says_so_in_time(tmp_path: Path, bus: NatsBus) -> None:
    with pytest.raises(BusUnavailable):
        await Catalogue(bus).drop_group(Market.USDM, 0)  # no bucket yet
