"""The example clients of the old server's guide run unchanged but for the address."""

import ast
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import RECORDINGS
from tests.e2e.client import until
from tests.e2e.fleet import Fleet
from tests.e2e.libraries import NODE, missing

GUIDES = RECORDINGS.parent / "seeds"
ADDRESS = "ws://server-address:8080"


@pytest.fixture(scope="session")
def guide() -> str:
    """The guide's text."""
    found = sorted(GUIDES.glob("000_*.txt"))
    if not found:
        missing(f"no guide in {GUIDES}")
    return found[0].read_text()


def example(guide: str, heading: str, language: str, address: str) -> str:
    """The program under a heading, with our address."""
    found = re.search(rf"^### {re.escape(heading)}\s+```{language}\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    assert found, heading
    assert ADDRESS in found[1]
    return found[1].replace(ADDRESS, address)


async def test_javascript_example_prints_live_and_historical_candles(
    fleet: Fleet, guide: str, node: str, tmp_path: Path
) -> None:
    script = tmp_path / "example.js"
    # The guide defines getHistoricalData and leaves calling it to the reader.
    calling = "\nws.on('open', getHistoricalData);\n"
    script.write_text(example(guide, "JavaScript/Node.js", "javascript", fleet.ws) + calling)
    with fleet.beside(node, str(script), NODE_PATH=str(NODE / "node_modules")) as client:
        for pattern in (
            r"^Kết nối thành công$",
            r"^Client ID: client_\w+$",
            r"^Đăng ký thành công: \{",
            r"^BTCUSDT: Giá mở [\d.]+, Giá đóng [\d.]+, Cao [\d.]+, Thấp [\d.]+$",
            r"^ETHUSDT: Giá mở ",
            r"^\[Raw\] BTCUSDT: Giá mở [\d.]+, Giá đóng [\d.]+$",
            r"^\[Raw\] ETHUSDT: Giá mở ",
            r"^Nhận 500 nến lịch sử cho btcusdt$",
        ):
            await until(lambda: re.search(pattern, client.said(), re.MULTILINE), pattern)  # noqa: B023
        assert client.status is None, client.said()
        assert "Lỗi" not in client.said()


async def test_python_example_prints_live_and_historical_candles(fleet: Fleet, guide: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(example(guide, "Python", "python", fleet.ws))
    with fleet.beside(sys.executable, str(script)) as client:
        for pattern in (
            r"^Kết nối thành công, Client ID: client_\w+$",
            r"^BTCUSDT: Giá mở [\d.]+, Giá đóng [\d.]+$",
            r"^ETHUSDT: Giá mở ",
        ):
            await until(lambda: re.search(pattern, client.said(), re.MULTILINE), pattern)  # noqa: B023
        client.type("h")
        shown = await until(
            lambda: re.search(r"Nhận dữ liệu: (\{'type': 'historicalKlines'.*\})$", client.said(), re.MULTILINE),
            "historical candles",
        )
        assert shown is not None
        history = ast.literal_eval(shown[1])
        assert (history["symbol"], history["interval"], len(history["klines"])) == ("btcusdt", "1m", 500)
        assert all(after[0] - before[0] == 60_000 for before, after in pairwise(history["klines"]))
        client.type("q")
        assert await until(lambda: client.status is not None, "the client ends")
        assert client.status == 0, client.said()
        assert "Lỗi" not in client.said()
