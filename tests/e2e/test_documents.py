"""What README and docs/ show was tried: programs, pages and commands, with nothing changed but addresses."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.client import Client, until
from tests.e2e.curl import answers, lines_in
from tests.e2e.events import reading
from tests.e2e.fleet import Fleet, free_port
from tests.e2e.libraries import NODE, SCRIPTS
from tests.e2e.likeness import unlike
from tests.e2e.pages import opened
from tests.e2e.transcript import COMMANDS, at, block, commands_in, document


@pytest.mark.parametrize(
    ("name", "patterns"),
    [
        ("client stream", [r"^btcusdt@trade \{'e': 'trade', ", r"^ethusdt@kline_1m \{'e': 'kline', "]),
        ("client sync", [r"^\{'e': 'trade', "]),
        ("client callbacks", [r"^Connected!$", r"^BTCUSDT: \$[\d.]+$"]),
        (
            "client handlers",
            [
                rf"^\('{pair}', '{interval}', KlineData\("
                for pair in ("BTCUSDT", "ETHUSDT")
                for interval in ("1m", "5m")
            ],
        ),
    ],
)
async def test_programs_print_what_they_read(fleet: Fleet, tmp_path: Path, name: str, patterns: list[str]) -> None:
    script = tmp_path / "program.py"
    script.write_text(at(block(name), fleet.gateway_port))
    with fleet.beside(sys.executable, "-P", str(script)) as program:
        for pattern in patterns:
            await until(lambda: re.search(pattern, program.said(), re.MULTILINE), pattern)  # noqa: B023
        assert program.status is None
        assert "rror" not in program.said()


async def test_candles_become_a_table(fleet: Fleet, tmp_path: Path) -> None:
    opening = "from fsnats.client import Client\nclient = Client('ws://localhost:8080')\n"
    ending = "\nprint(candles.complete, len(candles.klines), frame['close'].dtype, len(frame))\nawait client.close()\n"
    script = tmp_path / "program.py"
    script.write_text(at(opening + block("client candles") + ending, fleet.gateway_port))
    with fleet.beside(sys.executable, "-P", str(SCRIPTS / "notebook.py"), str(script)) as program:
        await until(lambda: program.status is not None, "it ends", within=60)
        assert re.search(r"^True (\d+) float64 \1$", program.said(), re.MULTILINE), program.said()


async def test_pages_print_what_they_read(fleet: Fleet) -> None:
    async with opened() as (page, printed):
        await page.add_script_tag(content=at(block("README js"), fleet.gateway_port))
        for symbol in ("BTCUSDT", "ETHUSDT"):
            wanted = re.compile(rf'^\{{"type":"kline","data":\{{"e":"kline",.*"s":"{symbol}"')
            await until(lambda: any(map(wanted.match, printed.lines)), f"candles of {symbol}")  # noqa: B023
        await page.add_script_tag(content=at(block("client module"), fleet.gateway_port), type="module")
        await until(lambda: any(line.startswith("btcusdt@trade {") for line in printed.lines), "trades come")
        assert [line for line in printed.lines if line in ("connecting", "open")][:2] == ["connecting", "open"]
        assert printed.errors == []


_MAIN = """
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { PriceDisplay } from './Seed.jsx';
import { useBinancePrice } from './Documented.jsx';

function Documented() {
  const prices = useBinancePrice(['BTCUSDT', 'BNBUSDT']);
  return <p>BNB: {prices.BNBUSDT}</p>;
}

const root = createRoot(document.getElementById('root'));
root.render(<StrictMode><PriceDisplay /><Documented /></StrictMode>);
window.unmount = () => root.unmount();
"""
_HTML = '<!doctype html><div id="root"></div><script type="module" src="/main.jsx"></script>'
_CONFIG = """
import react from '@vitejs/plugin-react';
export default { plugins: [react()], cacheDir: './.vite', server: { fs: { strict: false } } };
"""


_MOVED = r"""() => {
  const seen = (window.seen ??= {});
  for (const [, name, price] of document.querySelector('#root').innerText.matchAll(/(\w+): \$?(\d+(?:\.\d+)?)$/gm))
    (seen[name] ??= new Set()).add(price);
  return ['BTC', 'ETH', 'BNB'].every((name) => seen[name]?.size > 1);
}"""  # each price was seen to change


def _project(folder: Path, seed: str, ours: str) -> None:
    """A Vite project with the hook of the seed and that of our documents."""
    folder.mkdir()
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    for name, text in {
        "Seed.jsx": seed + "\nexport { PriceDisplay };\n",
        "Documented.jsx": ours + "\nexport { useBinancePrice };\n",
        "main.jsx": _MAIN,
        "index.html": _HTML,
        "vite.config.js": _CONFIG,
        "package.json": '{"type": "module"}',
    }.items():
        (folder / name).write_text(text)


@asynccontextmanager
async def _vite(fleet: Fleet, node: str, folder: Path) -> AsyncIterator[str]:
    """The project in a folder, served by Vite; its address."""
    port = free_port()
    program = NODE / "node_modules" / "vite" / "bin" / "vite.js"
    arguments = [str(program), str(folder), "--host", "127.0.0.1", "--port", str(port), "--strictPort"]
    with fleet.beside(node, *arguments, HOME=str(folder)) as vite:
        await until(lambda: "ready in" in vite.said(), f"Vite serves: {vite.said()}", within=60)
        yield f"http://127.0.0.1:{port}/"


async def test_the_hooks_show_prices_that_move_and_end_their_streams(fleet: Fleet, node: str, tmp_path: Path) -> None:
    def readers() -> int:
        (status,) = answers(tmp_path, [f"curl {fleet.http}/api/ws/status"])
        return int(status["sse_clients"])

    seed, ours = (at(block(name), fleet.gateway_port) for name in ("003 react", "client react"))
    _project(tmp_path / "page", seed, ours)
    await until(lambda: readers() == 0, "nobody reads events yet")
    async with _vite(fleet, node, tmp_path / "page") as url, opened(url) as (page, printed):
        await page.wait_for_function(_MOVED, timeout=60_000)
        shown = await page.evaluate("Object.entries(seen).map(([name, prices]) => [name, [...prices]])")
        assert {name for name, _ in shown} == {"BTC", "ETH", "BNB"}
        assert all(re.fullmatch(r"\d+\.\d\d", price) for name, prices in shown for price in prices if name != "BNB")
        await until(lambda: readers() == 2, "each of two components has one, although strict mode mounted it twice")
        await page.evaluate("window.unmount()")
        await until(lambda: readers() == 0, "unmounting ends the streams")
        assert printed.errors == []
        assert [line for line in printed.lines if "rror" in line] == []


async def test_the_readmes_commands_work(fleet: Fleet, tmp_path: Path) -> None:
    commands = commands_in(block("README commands"))
    settings = fleet.environ(state_dir=tmp_path, nats_url=fleet.nats_url)
    for name, arguments in commands.items():
        command = COMMANDS[name]
        address = ["--url", fleet.ws] if name == "client" else []
        environ = fleet.environ() if name == "logs" else settings  # logs are where the fleet writes them
        with fleet.beside(sys.executable, "-P", "-m", "fsnats", *arguments, *address, **environ) as program:
            if command.typed:
                program.type(command.typed)
            wanted = command.wanted
            await until(lambda: re.search(wanted, program.said(), re.MULTILINE), wanted, within=60)  # noqa: B023
            if not command.goes_on:
                await until(lambda: program.status is not None, "it ends", within=60)
                assert program.status == 0


async def test_the_readmes_line_of_curl_brings_a_table(fleet: Fleet, tmp_path: Path) -> None:
    (line,) = re.findall(r"`(curl [^`]+)`", document("README.md"))
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", at(line, fleet.gateway_port) + " --silent --noproxy '*'"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    head, *rows = done.stdout.splitlines()
    assert head.startswith("open_time,open,high,low,close,volume")
    assert 0 <= 7 * 24 * 60 + 1 - len(rows) <= 2  # as the minute stands


async def test_messages_look_as_they_are_shown(fleet: Fleet) -> None:
    async with Client(f"{fleet.ws}/normalised") as client:
        welcome = await client.reply(lambda each: each.get("type") == "connection", "the welcome")
        assert unlike(json.loads(block("protocol welcome")), welcome) == []
        await client.send({"type": "subscribe", "streamType": "trade", "symbols": ["btcusdt"]})
        trade = await client.reply(lambda each: each.get("type") == "trade", "a trade")
        assert unlike(json.loads(block("protocol trade")), trade, exact=True) == []

    shown_id, shown = re.findall(r"^id: (\S+)\ndata: (.+)$", block("protocol event"))[0]
    # The dots stand for the other fields of seed 003's ticker.
    example = json.loads(shown.replace(",…}", "}"))
    async with reading(f"{fleet.http}/api/ws/sse/prices?symbols=BTCUSDT,ETHUSDT") as events:
        await until(lambda: len(events.data) > 3, "prices come")
    assert unlike(example, events.data[-1]) == []
    places = [re.fullmatch(r"[0-9a-z]+\.[0-9a-z]+,[0-9a-z]+", each) for each in (shown_id, events.last_id)]
    assert all(places), events.last_id


async def test_a_program_reads_the_bus(fleet: Fleet, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    text = block("bus program")
    assert "nats://127.0.0.1:4222" in text
    script.write_text(text.replace("nats://127.0.0.1:4222", fleet.nats_url))
    async with Client(f"{fleet.ws}/ws/btcusdt@kline_1m"):
        with fleet.beside(sys.executable, "-P", str(script)) as program:
            wanted = r'^btcusdt@kline_1m \d+ \{"e":"kline"'
            await until(lambda: re.search(wanted, program.said(), re.MULTILINE), "frames are printed")


def test_lines_of_curl_bring_todays_logs(fleet: Fleet, tmp_path: Path) -> None:
    example = json.loads(block("logs answer").replace(", …}", "}").replace("…", ""))
    everything, some = answers(tmp_path, lines_in(at(block("logs curl"), fleet.gateway_port)))
    for told in (everything, some):
        assert list(told) == list(example)
        assert unlike({key: value for key, value in example.items() if not isinstance(value, list)}, told) == []
        assert told["count"] == len(told["entries"])
    assert unlike(example["entries"], everything["entries"]) == []
    assert {"gateway", "ingest-spot-0", "supervisor"} <= {*everything["programs"]}
    assert {each["program"] for each in some["entries"]} <= {"ingest-spot-0", "history"}
