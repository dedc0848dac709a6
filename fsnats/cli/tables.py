"""A fleet's status as tables for a terminal."""

import time
from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from fsnats.cli.page import COLOURS
from fsnats.fleet.events import Kind, Told
from fsnats.fleet.statuses import Connection, ExitTrouble, Fleet
from fsnats.fleet.streams import KnownBy, State, StreamRow
from fsnats.fleet.troubles import Trouble

_GOOD = dict.fromkeys(("ready", "connected", "yes"), "green") | dict.fromkeys(("reconnecting", "waited for"), "yellow")
_GOOD |= dict.fromkeys(("gave up", "waiting"), "red")


def of_fleet(fleet: Fleet, troubles: Iterable[Trouble] = (), *, verbose: bool = False) -> Iterator[Table]:
    """The tables that have something to show, with what is troubled in its colour; `verbose` shows all that is known of
    each connection."""
    marks = _marks(troubles)
    connections = _connections_in_detail if verbose else _connections
    for build in (_programs, _markets, _exits, connections, _silent, _recorders, _captures, _gateways):
        table = build(fleet)
        for row, name in zip(table.rows, table.columns[0].cells, strict=True):
            row.style = marks.get(str(name), "")
        if table.row_count:
            yield table


def _marks(troubles: Iterable[Trouble]) -> dict[str, str]:
    """The colour of each program, connection, exit and market with which something is wrong."""
    marks: dict[str, str] = {}
    for trouble in troubles:  # the worst first
        where = trouble.where
        for name in filter(None, (where.connection, where.exit, where.program or where.market)):
            marks.setdefault(name, COLOURS[trouble.severity])
    return marks


def of_events(events: Iterable[Told]) -> Table:
    """What happened lately."""
    table = _table("\nlately", "at", "what", "where", "streams", ">messages", "because")
    for told in events:
        event = told.event
        where = " by ".join(filter(None, (event.child or event.connection or told.program, event.exit)))
        more = event.count - len(event.streams)
        streams = ", ".join(event.streams) + (f" and {more} more" if more > 0 else "")
        at = time.strftime("%H:%M:%S", time.localtime(event.at / 1000))
        _row(table, at, event.kind, where, streams, f"{event.messages:,}" if event.messages else "", event.reason)
        table.rows[-1].style = _KINDS.get(event.kind, "")
    return table


def of_streams(rows: Iterable[StreamRow]) -> Table:
    """How streams flow; those that do not say why, and what is tried."""
    numbers = (">messages/s", ">KB/s", ">age", ">lag", ">expected", ">actual", ">gaps", ">recovered")
    table = _table("", "stream", "market", "state", *numbers, "worker", "because")
    for column in table.columns[:-1]:
        column.no_wrap = True
    for row in rows:
        expected = "at will" if row.expected_by is KnownBy.AT_WILL else _pause(row.expected) or "unknown"
        lag = "" if row.lag_ms is None else f"{round(row.lag_ms):,} ms"
        reason = ", ".join(filter(None, (row.reason, f"trying {row.trying}" if row.trying else "")))
        _row(
            table,
            row.stream,
            row.market,
            row.state,
            *("" if rate is None else f"{rate:,.1f}" for rate in (row.rate, row.byte_rate and row.byte_rate / 1000)),
            *("none yet" if row.age is None else span(row.age), lag, expected, _pause(row.actual)),
            *(f"{count:,}" if count else "" for count in (row.gaps, row.recovered)),
            row.worker,
            reason or _BECAUSE.get(row.state, ""),
        )
        table.rows[-1].style = _STATES.get(row.state, "")
    return table


def _pause(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.0f} ms" if seconds < 1 else span(seconds)


_KINDS = dict.fromkeys((Kind.GAP, Kind.LOST, Kind.SILENT, Kind.ENDED), "red") | dict.fromkeys((Kind.EXIT,), "yellow")
_STATES = {State.SILENT: "red", State.LATE: "yellow", State.WAITING: "yellow"}
_BECAUSE = {State.LATE: "it pauses longer than expected", State.WAITING: "nothing came yet"}


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        # A leading ">" marks numbers.
        table.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left")
    return table


def _row(table: Table, *cells: str) -> None:
    # Text objects: what programs say of themselves must not be taken for markup.
    table.add_row(*(Text(cell, style=_GOOD.get(cell, "")) for cell in cells))


def _programs(fleet: Fleet) -> Table:
    table = _table("programs", "name", "state", ">pid", ">up", ">memory", ">restarts", "says")
    for supervisor in fleet.supervisors:
        _row(table, "supervisor", "ready", str(supervisor.pid), span(supervisor.uptime), "", "", supervisor.version)
        for program in supervisor.programs:
            said = program.said or (f"ended with {program.last_exit}" if program.last_exit else "")
            _row(
                table,
                program.name,
                program.state,
                str(program.pid or ""),
                span(program.uptime),
                size(program.rss),
                str(program.restarts),
                said,
            )
    return table


def _markets(fleet: Fleet) -> Table:
    table = _table("\nmarkets", "market", "data", ">symbols", ">groups", "list taken", "clock")
    for supervisor in fleet.supervisors:
        for name, market in supervisor.markets.items():
            data = {True: "SIMULATED", False: "Binance", None: "not known yet"}[market.simulated]
            taken = "never" if market.taken_ms is None else f"{span(time.time() - market.taken_ms / 1000)} ago"
            offset = fleet.clocks.get(name)
            clock = f"{round(offset.offset_ms):+} ms, measured in {offset.rtt_ms:.0f} ms" if offset else ""
            _row(table, name, data, str(market.symbols), str(market.groups), taken, clock)
    return table


def _exits(fleet: Fleet) -> Table:
    columns = (">dials left", ">REST spot", ">REST futures", ">score", "not for", "because", "tried again")
    table = _table("\nexits", "name", *columns)
    for supervisor in fleet.supervisors:
        for one in supervisor.exits:
            weights = (one.weight.get(scope) for scope in ("spot", "futures"))
            used = (f"{each.used:,} of {each.limit:,}" if each else "" for each in weights)
            worst_first = sorted(one.troubles, key=lambda trouble: trouble.score)
            first, *more = [_trouble(trouble) for trouble in worst_first] or [(f"{one.score:.2f}", "", "", "")]
            _row(table, one.name, str(one.dials_free), *used, *first)
            for cells in more:
                _row(table, "", "", "", "", *cells)
    return table


def _trouble(trouble: ExitTrouble) -> tuple[str, str, str, str]:
    score = f"{trouble.score:.2f}"
    if trouble.verdict is None:
        return score, "", f"failed lately for {trouble.area}", ""
    again = "now" if trouble.is_probed or trouble.wait == 0 else f"in {span(trouble.wait)}"
    return score, trouble.area, trouble.verdict, again


def _connections(fleet: Fleet) -> Table:
    table = _table("\nconnections", *_CONNECTION)
    for each in fleet.connections:
        _row(table, *_connection(each))
    return table


def _connections_in_detail(fleet: Fleet) -> Table:
    table = _table("\nconnections", *_CONNECTION, *_DETAILS)
    for each in fleet.connections:
        late = f"{each.late_mean_ms:.1f}/{each.late_max_ms:.1f} ms" if each.late_max_ms else ""
        code = str(each.close_code or "")
        details = (str(each.joined), f"{each.first:,}", late, str(each.buffered), str(each.rotations), code)
        _row(table, *_connection(each), *details, each.last_error or "")
    return table


_CONNECTION = ("id", "status", ">streams", ">live", ">messages", ">dials", ">up", ">last message", "exit")
_DETAILS = (">joined", ">first", ">late (mean/max)", ">buffered", ">rotations", ">close code", "last error")


def _connection(each: Connection) -> tuple[str, ...]:
    return (
        each.id,
        each.status,
        str(len(each.streams)),
        str(each.live),
        f"{each.message_count:,}",
        str(each.dials),
        span(each.age),
        f"{span(each.last_message_age)} ago" if each.last_message_age is not None else "none yet",
        each.exit or "",
    )


def _silent(fleet: Fleet) -> Table:
    table = _table("\nsilent streams", "stream", "market", ">for", ">cadence", "why it should speak", "trying")
    for worker in fleet.workers:
        for each in worker.silent.streams:
            _row(table, each.stream, worker.market, span(each.seconds), span(each.cadence), each.reason, each.trying)
        if worker.silent.count > len(worker.silent.streams):
            _row(table, f"and {worker.silent.count - len(worker.silent.streams)} more", worker.market, "", "", "", "")
    return table


def _captures(fleet: Fleet) -> Table:
    table = _table("\ncaptures", "name", ">streams", ">lines", ">files", ">waiting", ">gaps", ">read again", "disk")
    for capture in fleet.captures:
        counts = (capture.streams, capture.written, capture.files, capture.waiting, capture.gaps, capture.refused)
        _row(table, capture.program, *(f"{count:,}" for count in counts), capture.trouble or "ready")
    return table


def _recorders(fleet: Fleet) -> Table:
    numbers = (
        ">streams",
        ">candles",
        ">trades",
        ">raw frames",
        ">backlog",
        ">waits",
        ">in window",
        ">holes",
        ">fetched",
    )
    table = _table("\nrecorders", "name", *numbers, "last commit", "store")
    for recorder in fleet.recorders:
        last = recorder.last_commit_age
        _row(
            table,
            recorder.program,
            str(sum(recorder.streams.values())),
            f"{recorder.klines:,}",
            f"{recorder.trades:,}",
            f"{recorder.frames:,}",
            f"{recorder.backlog:,}",
            span(recorder.backlog_seconds) if recorder.backlog else "",
            f"{recorder.in_window:,}",
            f"{recorder.holes:,}",
            f"{recorder.fetched:,}",
            "none yet" if last is None else f"{span(last)} ago",
            "waited for" if recorder.store_trouble else "ready",
        )
    return table


def _gateways(fleet: Fleet) -> Table:
    table = _table("\ngateways", "name", "ready", ">up", ">clients", ">streams", ">listeners", ">lost", ">slow clients")
    for gateway in fleet.gateways:
        _row(
            table,
            gateway.program,
            gateway.ready,
            span(gateway.uptime),
            str(gateway.clients),
            str(gateway.channels),
            str(gateway.listeners),
            str(gateway.counted.get("lost", "")),
            str(gateway.counted.get("slow", "")),
        )
    return table


def span(seconds: float | None) -> str:
    """A duration in its two largest units: `2h05m`."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{max(seconds, 0):.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02}h"


def size(count: int | None) -> str:
    """Bytes in the unit that reads best."""
    if count is None:
        return ""
    for unit in ("B", "K", "M"):
        if count < 1024:
            return f"{count}{unit}"
        count //= 1024
    return f"{count}G"
