"""Every block of code in the seeds and in what users read first: the tests that run it, or why none does.

`tests/test_transcript.py` holds this table to the documents, `tests/e2e/test_seed_*.py` and `test_documents.py` run
what can be run: the documents' own text, with nothing changed but addresses.
"""

import hashlib
import re
import shlex
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.conftest import RECORDINGS
from tests.e2e.libraries import missing

ROOT = Path(__file__).resolve().parents[2]
SEEDS = RECORDINGS.parent / "seeds"

_ADDRESS = re.compile(r"\b(?:server-address|localhost):(?:8000|8080|8081)\b")


class Block(NamedTuple):
    """A fenced block: the heading that it stands under, what language it says it is, and the text."""

    heading: str
    language: str
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:8]


class Row(NamedTuple):
    """One block.  A seed's text never changes: `digest` is its own.  Our documents may, and are tried as they are."""

    heading: str
    digest: str
    name: str
    tests: tuple[str, ...]
    why_not: str


def run(heading: str, digest: str, name: str, *tests: str) -> Row:
    return Row(heading, digest, name, tests, "")


def left(heading: str, digest: str, why: str) -> Row:
    return Row(heading, digest, "", (), why)


_GUIDE, _SERVER, _WORKER, _KOMAS, _OURS = (
    *(f"test_seed_{number}.py" for number in ("000", "001", "002", "003")),
    "test_documents.py",
)
_MESSAGES = f"{_GUIDE}::test_its_requests_are_answered_as_it_says_and_bring_what_it_shows"
_SETUP = "installs and runs the old server; fsnats has `make demo` and deploy/"
_RUST_FIELDS = f"{_WORKER}::test_its_structs_have_their_fields_and_types_in_python"

TABLE: dict[str, tuple[Row, ...]] = {
    "000": (
        run("Thiết lập kết nối", "5a3a0884", "000 page", f"{_GUIDE}::test_its_page_connects_and_pings"),
        run("Tin nhắn chào mừng", "362ac4bb", "000 welcome", f"{_GUIDE}::test_its_page_connects_and_pings", _MESSAGES),
        run("Đăng ký dữ liệu", "7dcfcc74", "000 subscribe", _MESSAGES),
        run("Đăng ký tất cả biểu tượng", "ad3ccdad", "000 subscribe all", _MESSAGES),
        run("Hủy đăng ký", "6b156276", "000 unsubscribe", _MESSAGES),
        run("Đăng ký dữ liệu raw stream", "4243f18b", "000 subscribe raw", _MESSAGES),
        run("Hủy đăng ký raw stream", "a305e6cc", "000 unsubscribe raw", _MESSAGES),
        run("Phản hồi đăng ký", "4105f874", "000 subscribed", _MESSAGES),
        run("Phản hồi đăng ký", "20cd39a3", "000 subscribed raw", _MESSAGES),
        run("Kline (Biểu đồ nến)", "2bd9279d", "000 kline", _MESSAGES),
        run("Depth (Độ sâu thị trường)", "e6e40de5", "000 depth", _MESSAGES),
        run("Ticker (Giá hiện tại)", "1d062a0b", "000 ticker", _MESSAGES),
        run("Raw Stream", "f3c724c6", "000 raw", _MESSAGES),
        run("Yêu cầu lấy dữ liệu lịch sử", "1397267a", "000 history", _MESSAGES),
        run("Phản hồi dữ liệu lịch sử", "8cea418d", "000 candles", _MESSAGES),
        run(
            "JavaScript/Node.js",
            "82905940",
            "000 node",
            f"{_GUIDE}::test_its_program_in_javascript_prints_live_and_historical_candles",
        ),
        run(
            "Python",
            "df265e5e",
            "000 python",
            f"{_GUIDE}::test_its_program_in_python_prints_live_and_historical_candles",
        ),
        run("Kết nối lại tự động", "9c8a8bbe", "000 reconnect", f"{_GUIDE}::test_its_reconnect_comes_back"),
        run("Kiểm tra kết nối", "ab7686bc", "000 ping", f"{_GUIDE}::test_its_page_connects_and_pings"),
    ),
    "001": (
        left("Standard Installation", "380a3645", _SETUP),
        left("Standard Installation", "3a2dc0ae", _SETUP),
        left("Standard Installation", "4c4fbf21", "starts a NATS server; fsnats brings its own, or is given a URL"),
        left("Standard Installation", "01875d59", "copies the old server's .env, which fsnats reads: test_config.py"),
        left("Docker Installation", "380a3645", _SETUP),
        left("Docker Installation", "9ffe403e", _SETUP),
        left("Docker Installation", "7bb795f0", "shows the old containers' logs"),
        left("Docker Installation", "2b1ebadc", "stops the old containers"),
        left("Docker Installation", "8127b8fa", "the address of Portainer, which is no part of fsnats"),
        left("Start the Server", "06bf4af9", _SETUP),
        left("Run the Example Client", "2becab46", "the old server's client; ours, `fsnats client`: test_client.py"),
        left("Project Structure", "fadc96f0", "a list of the old server's files"),
        run("Connecting", "f3393e39", "001 connect", f"{_SERVER}::test_its_lines_work_one_after_the_other_in_a_page"),
        run(
            "Subscribing to Data",
            "e6c200aa",
            "001 subscribe",
            f"{_SERVER}::test_its_lines_work_one_after_the_other_in_a_page",
        ),
        run(
            "Unsubscribing from Data",
            "b9b19622",
            "001 unsubscribe",
            f"{_SERVER}::test_its_lines_work_one_after_the_other_in_a_page",
        ),
        run(
            "Message Format",
            "c46002c2",
            "001 message",
            f"{_SERVER}::test_its_lines_work_one_after_the_other_in_a_page",
        ),
    ),
    "002": (
        run("初始化", "63f7cb76", "002 candles of two", f"{_WORKER}::test_its_configurations_can_be_written_so"),
        run("主要方法", "f33745ef", "002 methods", f"{_WORKER}::test_its_methods_are_there_and_can_be_awaited"),
        run("初始化", "8ca92a77", "002 trades of two", f"{_WORKER}::test_its_configurations_can_be_written_so"),
        run("ContinuousKlineConfig", "dfc15b31", "002 candle config", _RUST_FIELDS),
        run("AggTradeConfig", "87e1769e", "002 trade config", _RUST_FIELDS),
        run("WebSocketConnection - 连接状态", "3218e4ed", "002 connection", _RUST_FIELDS),
        run("KlineData - WebSocket K线数据", "b9513361", "002 candle", _RUST_FIELDS),
        run("BinanceRawAggTrade - 原始归集交易数据", "fcea868b", "002 trade", _RUST_FIELDS),
        left("AppAggTrade - 应用内部交易数据", "799a73ad", "the old application's own copy of a trade, as floats"),
        left("ConnectionManager", "16eddc0d", "how the old clients were built inside; `start()` does it"),
        run(
            "MessageHandler接口", "1108185d", "002 handler", f"{_WORKER}::test_its_methods_are_there_and_can_be_awaited"
        ),
        left(
            "连续合约K线消息处理",
            "7899a07a",
            "private functions; `parse_message` is public here, the store is the recorder's",
        ),
        run("多流订阅", "32073be5", "002 subscribe", f"{_WORKER}::test_its_urls_and_its_request_bring_the_streams"),
        run(
            "启动连续合约K线客户端",
            "0b477016",
            "002 start candles",
            f"{_WORKER}::test_its_clients_start_behind_their_proxy",
        ),
        run(
            "启动归集交易客户端",
            "d3725d37",
            "002 start trades",
            f"{_WORKER}::test_its_clients_start_behind_their_proxy",
        ),
    ),
    "003": (
        left("Архитектура", "f866951c", "a drawing"),
        left("Файлы", "23c6beea", "a list of the old module's files"),
        run(
            "Пример: Подключение и подписка",
            "7042dc0d",
            "003 subscribe",
            f"{_KOMAS}::test_its_curl_lines_work_one_after_the_other",
        ),
        run(
            "Пример: SSE во Frontend (JavaScript)",
            "81224942",
            "003 page",
            f"{_KOMAS}::test_its_page_reads_prices_and_comes_back_by_itself",
        ),
        run(
            "Пример: React Hook",
            "fd849819",
            "003 react",
            f"{_OURS}::test_the_hooks_show_prices_that_move_and_end_their_streams",
        ),
        run("Ticker Update", "65f0ac50", "003 ticker", f"{_KOMAS}::test_its_messages_come_field_by_field"),
        run("Kline Update", "3c5fbeb3", "003 kline", f"{_KOMAS}::test_its_messages_come_field_by_field"),
        run("Trade Update", "76ec76cd", "003 trade", f"{_KOMAS}::test_its_messages_come_field_by_field"),
        run(
            "Callbacks",
            "076570f8",
            "003 callbacks",
            f"{_KOMAS}::test_its_callbacks_are_called_from_a_gateway_and_from_the_exchange",
        ),
        left("Установка", "1f327db4", "installs the old module's dependencies; `make setup` installs ours"),
        run("Тестирование", "dc99d075", "003 test", f"{_KOMAS}::test_its_curl_lines_work_one_after_the_other"),
    ),
    "README.md": (
        left(
            "fsnats", "", "`make demo` and `make run` serve for ever; tests/fsnats/cli/test_up.py runs what they call"
        ),
        run("fsnats", "", "README commands", f"{_OURS}::test_the_readmes_commands_work"),
        left("fsnats", "", "a drawing"),
        run("Reading it", "", "README js", f"{_OURS}::test_pages_print_what_they_read"),
    ),
    "docs/client.md": (
        run(
            "Clients of our own: Python and JavaScript",
            "",
            "client stream",
            f"{_OURS}::test_programs_print_what_they_read",
        ),
        run("Clients of our own: Python and JavaScript", "", "client candles", f"{_OURS}::test_candles_become_a_table"),
        run(
            "Clients of our own: Python and JavaScript",
            "",
            "client sync",
            f"{_OURS}::test_programs_print_what_they_read",
        ),
        run("Callbacks", "", "client callbacks", f"{_OURS}::test_programs_print_what_they_read"),
        run("Handlers", "", "client handlers", f"{_OURS}::test_programs_print_what_they_read"),
        run("In a page", "", "client module", f"{_OURS}::test_pages_print_what_they_read"),
        run(
            "In a page",
            "",
            "client react",
            f"{_OURS}::test_the_hooks_show_prices_that_move_and_end_their_streams",
        ),
    ),
    "docs/protocol.md": (
        run("Native", "", "protocol welcome", f"{_OURS}::test_messages_look_as_they_are_shown"),
        run("Normalised", "", "protocol trade", f"{_OURS}::test_messages_look_as_they_are_shown"),
        run("Events over HTTP", "", "protocol event", f"{_OURS}::test_messages_look_as_they_are_shown"),
    ),
    "docs/bus.md": (
        run("Frames", "", "bus program", f"{_OURS}::test_a_program_reads_the_bus"),
        left("The replay window", "", "a list of functions; tests/fsnats/test_replay.py calls them"),
    ),
    "docs/logs.md": (
        left("Logs", "", "one entry; what is in entries is tests/test_log_events.py's"),
        left("Reading them", "", "`fsnats logs`; tests/fsnats/cli/test_logs.py runs it"),
        run("Reading them", "", "logs curl", f"{_OURS}::test_lines_of_curl_bring_todays_logs"),
        run("Reading them", "", "logs answer", f"{_OURS}::test_lines_of_curl_bring_todays_logs"),
    ),
}


class Command(NamedTuple):
    """What is typed into a command, and what it says when it has done what it is for."""

    wanted: str
    goes_on: bool = True
    typed: str = ""


# The README's commands, in its order.
COMMANDS = {
    "client": Command(r" kline  BTCUSDT 1m open ", typed="subscribe btcusdt"),
    "tail": Command(r'^\{.*"stream":"btcusdt@kline_1m"'),
    "status": Command(r"^ingest-spot-0 "),
    "top": Command(r"btcusdt@kline_1m"),
    "logs": Command(r'^\{"time":"20.*"program":"'),
    "backfill": Command(r"^usdm kline BTCUSDT 1m: .* none missing$", goes_on=False),
    "verify": Command(r"^usdm kline BTCUSDT 1h, made of 1m: \d+ compared, all the same$", goes_on=False),
}


def commands_in(text: str) -> dict[str, list[str]]:
    """The arguments of `.venv/bin/fsnats` in each line, by the first one."""
    lines = [shlex.split(line, comments=True) for line in text.splitlines()]
    assert {program for program, *_ in lines} == {".venv/bin/fsnats"}
    return {arguments[0]: arguments for _, *arguments in lines}


_ENDPOINTS = f"{_KOMAS}::test_every_endpoint_that_it_lists_answers"
_EVENTS = f"{_KOMAS}::test_every_stream_of_events_that_it_lists_flows"
_METHODS = f"{_KOMAS}::test_every_method_of_its_table_brings_its_type"
_TROUBLE = f"{_KOMAS}::test_what_it_says_of_reconnecting_and_of_trouble_holds"
_CALLBACKS = f"{_KOMAS}::test_its_callbacks_are_called_from_a_gateway_and_from_the_exchange"

# Every line of seed 003 between its headings and blocks, by what of it is ASCII: the test of it, or why there is none.
CLAIMS: tuple[tuple[str, str], ...] = (
    ("WebSocket Binance WebSocket API :", _METHODS),
    ("- (ticker)", _METHODS),
    ("- (klines)", _METHODS),
    ("- (trades)", _METHODS),
    ("- (book ticker)", _METHODS),
    ("| Method | Endpoint | |", "a table's head"),
    ("| GET | `/api/ws/status` | |", _ENDPOINTS),
    ("| POST | `/api/ws/connect` | Binance |", _ENDPOINTS),
    ("| POST | `/api/ws/disconnect` | |", _ENDPOINTS),
    ("| POST | `/api/ws/subscribe` | |", _ENDPOINTS),
    ("| POST | `/api/ws/unsubscribe` | |", _ENDPOINTS),
    ("| GET | `/api/ws/prices` | |", _ENDPOINTS),
    ("| GET | `/api/ws/streams` | |", _ENDPOINTS),
    ("| Endpoint | | |", "a table's head"),
    ("| `/api/ws/sse/prices` | `symbols=BTCUSDT,ETHUSDT` | |", _EVENTS),
    ("| `/api/ws/sse/klines` | `symbol=BTCUSDT&interval=1m` | |", _EVENTS),
    ("| `/api/ws/sse/trades` | `symbol=BTCUSDT` | |", _EVENTS),
    ("| Endpoint | |", "a table's head"),
    ("| POST `/api/ws/quick/start-prices` | |", _ENDPOINTS),
    ("| POST `/api/ws/quick/stop` | |", _ENDPOINTS),
    ("-", _CALLBACKS),  # reconnects by itself
    ("- (1 60 max)", _TROUBLE),
    ("-", "test_sdk.py::test_callbacks_go_on_after_a_cut_and_give_up_when_told_to"),  # a settable number of tries
    ("| Type | Method | |", "a table's head"),
    ("| ticker | `subscribe_ticker()` | 24h ticker |", _METHODS),
    ("| mini_ticker | `subscribe_ticker(mini=True)` | ticker |", _METHODS),
    ("| kline | `subscribe_kline()` | |", _METHODS),
    ("| trade | `subscribe_trade()` | |", _METHODS),
    ("| agg_trade | `subscribe_trade(aggregate=True)` | |", _METHODS),
    ("| book_ticker | `subscribe_book_ticker()` | Best bid/ask |", _METHODS),
    ("1.", "advice: look at your connection; `fsnats doctor` does"),
    ("2. `stream.binance.com`", "advice: try whether Binance can be reached; `fsnats doctor` does"),
    ("3. VPN ( Binance)", "advice: use a VPN; docs/exits.md"),
    ("1. : `GET /api/ws/streams`", _TROUBLE),
    ("2. (BTCUSDT, BTC_USDT)", _TROUBLE),
    ("3. : `GET /api/logs/today`", _TROUBLE),
    ("- SSE 30 heartbeat", _TROUBLE),
    ("-", f"{_KOMAS}::test_its_page_reads_prices_and_comes_back_by_itself"),  # reconnects by itself
    ("- EventSource reconnect", f"{_KOMAS}::test_its_page_reads_prices_and_comes_back_by_itself"),
)


def claims_in(text: str) -> list[str]:
    """The lines between headings, blocks and rules of tables, by what of them is ASCII."""
    without = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    lines = [line for line in without.splitlines() if line.strip("|- ") and not line.startswith("#")]
    return [" ".join(re.sub(r"[^!-~]+", " ", line).split()) for line in lines]


def blocks_of(text: str) -> list[Block]:
    """The fenced blocks of a Markdown text, those in lists too, without what they are indented by."""
    found = []
    heading = ""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.lstrip().startswith("```"):
            indent, language = line.index("`"), line.strip(" `")
            inner = []
            while (inside := next(lines)).strip() != "```":
                inner.append(inside[indent:] if not inside[:indent].strip() else inside)
            found.append(Block(heading, language, "\n".join(inner)))
    return found


@cache
def document(name: str) -> str:
    """A seed's text by its number, or one of our documents by its path."""
    if "." in name:
        return (ROOT / name).read_text()
    found = sorted(SEEDS.glob(f"{name}_*.txt"))
    if not found:
        missing(f"no seed {name} in {SEEDS}")
    return found[0].read_text()


def block(name: str) -> str:
    """The text of a block by its name in the table."""
    for source, rows in TABLE.items():
        for row, found in zip(rows, blocks_of(document(source)), strict=True):
            if row.name == name:
                return found.text
    raise AssertionError(f"no block '{name}'")


def at(text: str, port: int) -> str:
    """The text, with the documents' address changed to this port of ours."""
    changed, count = _ADDRESS.subn(f"127.0.0.1:{port}", text)
    assert count, text
    return changed
