import pytest

from fsnats.cli.progress import EVERY, Progress


class Time:
    def __init__(self) -> None:
        self.now = self.wait = 0.0


@pytest.fixture
def time() -> Time:
    return Time()


def progress(time: Time) -> Progress:
    return Progress(2000, lambda: time.wait, lambda: time.now)


def test_elsewhere_than_on_a_terminal_it_is_a_line_every_now_and_then(
    time: Time, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress(time) as shown:
        shown.advance(1200)
        shown.look()
        time.now = EVERY
        shown.look()
        shown.look()
        time.now, time.wait = 2 * EVERY, 12.4
        shown.look()
    assert capsys.readouterr().err.splitlines() == [
        "fsnats: 1,200 of 2,000 done",
        "fsnats: 1,200 of 2,000 done; waits 12 s for the exchange's weight",
    ]


def test_on_a_terminal_it_is_a_bar(
    time: Time, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress(time) as shown:
        shown.advance(1200)
        time.wait = 7
        shown.look()
    written = capsys.readouterr()
    assert "1200/2000" in written.err
    assert "waits 7 s" in written.err
    assert written.out == ""
