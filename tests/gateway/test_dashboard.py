"""The dashboard's files, over HTTP and by themselves."""

import gzip
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway.dashboard import FOLDER, Dashboard, File, read
from tests.e2e.libraries import NODE, node_program

JAVASCRIPT_MOST = 150_000  # bytes, compressed: what a phone fetches in a second
TESTS = Path(__file__).parent / "static"
PAGE = File(b"<p>page", gzip.compress(b"<p>page"), "text/html; charset=utf-8", "v1")
CODE = File(b"let a", gzip.compress(b"let a"), "text/javascript; charset=utf-8", "v2")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    dashboard = Dashboard({"index.html": PAGE, "views/market.js": CODE})
    transport = httpx.ASGITransport(dashboard)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        yield http


@pytest.mark.parametrize("path", ["/", "/dashboard", "/dashboard/"])
async def test_a_browser_gets_the_page(http: httpx.AsyncClient, path: str) -> None:
    reply = await http.get(path)
    assert (reply.status_code, reply.content) == (200, b"<p>page")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"


async def test_a_page_may_load_and_ask_nothing_but_its_gateway(http: httpx.AsyncClient) -> None:
    policy = (await http.get("/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


async def test_a_new_version_is_seen_at_once_and_the_same_one_not_sent_again(http: httpx.AsyncClient) -> None:
    first = await http.get("/dashboard/views/market.js")
    assert (first.headers["cache-control"], first.content) == ("no-cache", b"let a")
    again = await http.get("/dashboard/views/market.js", headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert (await http.get("/dashboard/views/market.js", headers={"If-None-Match": '"v1"'})).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "encoding"), [("gzip, br", "gzip"), ("br", None), ("gzip;q=0, br", None), ("GZIP;q=0.5", "gzip")]
)
async def test_files_are_compressed_for_who_can_read_that(
    http: httpx.AsyncClient, accepted: str, encoding: str | None
) -> None:
    reply = await http.get("/dashboard/views/market.js", headers={"Accept-Encoding": accepted})
    assert (reply.headers.get("content-encoding"), reply.content) == (encoding, b"let a")
    assert reply.headers["vary"] == "accept-encoding"
    plain = await http.get("/dashboard/views/market.js", headers={"Accept-Encoding": "identity"})
    assert (plain.headers["etag"] == reply.headers["etag"]) == (encoding is None)


@pytest.mark.parametrize("path", ["/dashboard/none.js", "/dashboard/../http.py", "/dashboard/%2e%2e/http.py"])
async def test_what_is_no_file_of_the_dashboards_is_not_there(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404


async def test_head_tells_all_but_the_file_and_nothing_else_is_allowed(http: httpx.AsyncClient) -> None:
    reply = await http.head("/", headers={"Accept-Encoding": "identity"})
    assert (reply.status_code, reply.headers["content-length"], reply.content) == (200, "7", b"")
    refused = await http.post("/")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


def test_a_file_is_told_by_its_name_and_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "a.js").write_text("1")
    (tmp_path / "package.json").write_text("{}")
    first = read(tmp_path)
    assert first.keys() == {"views/a.js"}
    assert read(tmp_path) == first
    (tmp_path / "views" / "a.js").write_text("2")
    assert read(tmp_path)["views/a.js"].version != first["views/a.js"].version


def test_a_phone_need_not_fetch_more_than_it_may() -> None:
    sizes = {name: len(file.compressed) for name, file in read(FOLDER).items() if "javascript" in file.content_type}
    assert sum(sizes.values()) < JAVASCRIPT_MOST, sizes


def test_everything_that_a_file_of_ours_loads_is_there() -> None:
    files = read(FOLDER)
    for name, file in files.items():
        if name.endswith(".js"):
            for asked in re.findall(r"from '(\.[^']+)'", file.body.decode()):
                loaded = (FOLDER / name).parent / asked
                assert loaded.resolve().relative_to(FOLDER).as_posix() in files, (name, asked)


def test_types_hold_in_every_module() -> None:
    node_program()
    tsc = NODE / "node_modules" / ".bin" / "tsc"
    run = subprocess.run([str(tsc), "-p", str(FOLDER)], capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 0, run.stdout[-5000:]


def test_the_chart_is_its_makers_own_to_the_byte() -> None:
    node_program()
    name = "lightweight-charts.standalone.production.mjs"
    package = NODE / "node_modules" / "lightweight-charts"
    assert (FOLDER / "vendor" / name).read_bytes() == (package / "dist" / name).read_bytes()
    assert (FOLDER / "vendor" / "LICENSE.txt").read_bytes() == (package / "LICENSE").read_bytes()


def test_modules_of_the_dashboard_do_what_their_own_tests_say() -> None:
    node = node_program()
    tests = sorted(str(path) for path in TESTS.rglob("*.test.mjs"))
    assert tests
    run = subprocess.run([node, "--test", *tests], capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-1000:]
