"""`fsnats sim`: the simulator as a program."""

import asyncio
import logging
import math
from typing import Annotated

import msgspec
import typer

from fsnats import log, notify, process
from fsnats.binance.streams import Market
from fsnats.command import run_command
from fsnats.logs.start import log_as
from fsnats.metrics.shown import shown
from fsnats.metrics.vitals import Vitals
from fsnats.settings import load
from workers.simulator.server import Simulator
from workers.simulator.settings import PORT, Settings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def _speed(text: str) -> float:
    if text == "max":
        return math.inf
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0:
        raise typer.BadParameter(f"'{text}' is neither a positive number nor max", param_hint="--speed")
    return speed


@app.command()
def sim(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = PORT,
    seed: Annotated[int, typer.Option(help="The same seed makes the same market.")] = 1,
    spot_symbols: Annotated[
        int | None, typer.Option(min=0, help="Trading spot symbols (the exchange has about 1,300).")
    ] = None,
    usdm_symbols: Annotated[
        int | None, typer.Option(min=0, help="Trading USD-M symbols (the exchange has about 800).")
    ] = None,
    history_days: Annotated[int, typer.Option(min=1, help="Days of candles and trades before now.")] = 60,
    rate: Annotated[
        float, typer.Option(min=0, help="Send so many messages a second over all subscribed streams.")
    ] = 0.0,
    stamp: Annotated[bool, typer.Option(help='Put "TS": <monotonic ns> into each payload.')] = False,
    replay: Annotated[
        list[str] | None, typer.Option(help="Serve this capture (.jsonl, plain, .gz or .zst); repeatable.")
    ] = None,
    speed: Annotated[str, typer.Option(help="How much faster than recorded to replay, or max.")] = "1",
    replay_waits: Annotated[bool, typer.Option(help="Start only at POST /sim/replay/start.")] = False,
    life: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds after which connections are ended (24 h).")
    ] = None,
    dials: Annotated[
        int | None, typer.Option(min=1, help="Connection attempts per IP, market and five minutes (300).")
    ] = None,
    weight: Annotated[
        int | None, typer.Option(min=1, help="REST weight per IP and minute (6000 spot, 2400 futures).")
    ] = None,
    record: Annotated[bool, typer.Option(help="Keep who the newest events were, for GET /sim/ledger/events.")] = False,
    log_level: Annotated[str, typer.Option(help=f"One of {', '.join(log.LEVELS)}.")] = "info",
) -> None:
    """Serve a simulated Binance on one port: spot under /spot, USD-M under /usdm, COIN-M under /coinm.

    WebSocket bases are ws://HOST:PORT/spot, /usdm (then /public or /market) and /coinm; REST bases the same with http.
    GET /sim/ledger shows what happened, POST /sim/faults/<name> makes things go wrong.
    """
    if log_level not in log.LEVELS:
        raise typer.BadParameter(f"'{log_level}' is none of {', '.join(log.LEVELS)}", param_hint="--log-level")
    log_as("simulator", msgspec.structs.replace(load().config, log_level=log_level))
    base = Settings()
    settings = Settings(
        host=host,
        port=port,
        seed=seed,
        spot_symbols=spot_symbols,
        usdm_symbols=usdm_symbols,
        history_days=history_days,
        rate=rate,
        stamp=stamp,
        replay=tuple(replay or ()),
        speed=_speed(speed),
        replay_waits=replay_waits,
        life=base.life if life is None else life,
        dials=base.dials if dials is None else dials,
        weight_per_minute=weight,
        judged=record,
    )

    async def serve(stopping: process.Stopping) -> None:
        await _serve(settings, stopping)

    raise typer.Exit(process.run(serve))


async def _serve(settings: Settings, stopping: process.Stopping) -> None:
    notifier = notify.from_environment()
    async with Simulator(settings) as simulator, shown("simulator", Vitals()), asyncio.TaskGroup() as tasks:
        beating = tasks.create_task(notifier.beat())
        spot, usdm, coinm = (len(simulator.exchange.trading(market)) for market in Market)
        logging.getLogger(__name__).info(
            "simulated exchange ready",
            extra={"event": "simulator.ready", "port": simulator.port, "spot": spot, "usdm": usdm, "coinm": coinm},
        )
        notifier.say("READY=1", f"STATUS=simulated exchange on port {simulator.port}")
        await stopping.wait()
        notifier.say("STOPPING=1")
        beating.cancel()


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    return run_command(app, arguments, "fsnats sim")
