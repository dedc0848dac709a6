"""The command line as a whole: help, usage, settings."""

import sys

import pytest

from fsnats import __version__
from fsnats.cli import main
from tests.fsnats.cli.conftest import running

VERBS = ("up", "supervise", "gateway", "status", "tail", "client", "record", "export", "config", "doctor", "version")


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for verb in (*VERBS, "sim"):
        assert f"\n  {verb} " in out
    assert "..." not in out.partition("Commands:")[2], "a verb's sentence is cut"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    assert capsys.readouterr().out.count("\n") > 4


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out.startswith(f"fsnats {__version__} ")


@pytest.mark.parametrize(
    "arguments",
    [["fly"], ["up", "--simulate"], ["--set", "nothing", "config"], ["tail", "spot"], ["tail", "forex", "a@trade"]],
)
def test_wrong_usage_ends_with_64(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 64
    assert "fsnats" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--set", "gateway_prot=1", "config"], "gateway_prot"),
        (
            ["--set", "gateway-port=seventy", "config"],
            "--set gateway_port: 'seventy' is not a whole number >= 0, <= 65535",
        ),
        (["gateway", "--tls-key", "key.pem"], "--tls-key: a key without a certificate"),
        (["record", "foo"], "'foo'"),
        (["--config", "/nowhere/fsnats.toml", "config"], "--config: no file '/nowhere/fsnats.toml'"),
    ],
)
def test_a_bad_setting_ends_with_78_and_names_it(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSNATS_CONFIG", "")  # restored afterwards: --config sets it
    assert main(arguments) == 78
    assert named in capsys.readouterr().err


class _Impatient:
    """Somebody who presses Ctrl-C while the verbs are imported."""

    def find_spec(self, name: str, _path: object, _target: object = None) -> None:
        if name == "fsnats.cli.app":
            raise KeyboardInterrupt


def test_ctrl_c_while_it_is_still_loading_ends_it_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "fsnats.cli.app", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Impatient(), *sys.meta_path])
    assert main(["version"]) == 130


async def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, fsnats.cli; fsnats.cli.main(['--help']);"
        "sys.stderr.write(' '.join(m for m in 'httpx websockets nats rich litestar uvicorn'.split()"
        " if m in sys.modules))"
    )
    async with running(sys.executable, "-P", "-c", code) as process:
        _, err = await process.communicate()
    assert err.decode() == ""
