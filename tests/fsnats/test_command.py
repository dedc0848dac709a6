from typing import Annotated

import pytest
import typer

from fsnats.command import run_command
from fsnats.errors import BusUnavailable, ConfigError

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def work(how: Annotated[str, typer.Argument()], count: int = 1) -> None:
    match how:
        case "badly":
            raise ConfigError("FSNATS_X", "is wrong")
        case "alone":
            raise BusUnavailable("NATS is not connected")
        case "oddly":
            raise typer.Exit(5)


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["well"], 0, ""),
        (["oddly"], 5, ""),
        (["badly"], 78, "fsnats: FSNATS_X: is wrong\n"),
        (["alone"], 69, "fsnats: NATS is not connected\n"),
    ],
)
def test_errors_become_a_sentence_and_a_status(
    arguments: list[str], status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(app, arguments) == status
    assert capsys.readouterr().err == says


@pytest.mark.parametrize("arguments", [[], ["well", "--count", "x"], ["well", "--nope"]])
def test_wrong_usage_is_64(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(app, arguments) == 64
    assert "Usage" in capsys.readouterr().err
