"""A tokens file that changes under a running gateway."""

import logging
from pathlib import Path

import pytest

from fsnats.errors import ConfigError
from gateway.admission.tokensfile import TokensFile

FIRST, SECOND = "f1rst-f1rst-f1rst", "s3cond-s3cond-s3cond"


def text(*tokens: str) -> str:
    return "".join(f"[[token]]\nname = 'n{index}'\ntoken = '{token}'\n" for index, token in enumerate(tokens))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.toml"
    path.touch(mode=0o600)
    path.write_text(text(FIRST))
    return path


@pytest.fixture
def file(path: Path) -> TokensFile:
    return TokensFile(str(path), "SETTING")


def valid(file: TokensFile) -> list[str]:
    return [token for token in (FIRST, SECOND) if file.tokens.find(token)]


def test_a_change_counts_from_the_second_look_on(file: TokensFile, path: Path) -> None:
    path.write_text(text(FIRST, SECOND))
    file.look()
    assert valid(file) == [FIRST]
    file.look()
    assert valid(file) == [FIRST, SECOND]


def test_a_file_that_is_being_written_revokes_nobody(file: TokensFile, path: Path) -> None:
    for written in (text(SECOND), text(SECOND) + "\n", text(SECOND, FIRST)):
        path.write_text(written)
        file.look()
        assert valid(file) == [FIRST]
    file.look()
    assert valid(file) == [FIRST, SECOND]


def test_a_file_that_did_not_change_is_not_read_again(file: TokensFile) -> None:
    before = file.tokens
    file.look()
    file.look()
    assert file.tokens is before


def test_asked_for_it_is_read_at_once(file: TokensFile, path: Path) -> None:
    path.write_text(text(SECOND))
    file.reload()
    assert valid(file) == [SECOND]


@pytest.mark.parametrize("broken", ["[[token]]\ntoken = f1rst-f1rst-f1rst", "", None])
def test_a_broken_file_keeps_the_tokens_of_before_and_says_so_once(
    file: TokensFile, path: Path, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    path.unlink() if broken is None else path.write_text(broken)
    for _ in range(4):
        file.look()

    assert valid(file) == [FIRST]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "stay" in record.getMessage()
    assert FIRST not in str(vars(record))
    path.write_text(text(SECOND))
    file.look()
    file.look()
    assert valid(file) == [SECOND]


def test_a_file_that_cannot_be_used_at_the_start_names_the_setting(tmp_path: Path, path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^SETTING: cannot read '.*/nowhere': No such file or directory$"):
        TokensFile(str(tmp_path / "nowhere"), "SETTING")
    path.write_text("[[token]]")
    with pytest.raises(ConfigError, match=r"^SETTING: '.*/tokens\.toml': .*missing required field"):
        TokensFile(str(path), "SETTING")
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"^SETTING: '.*' is not UTF-8$"):
        TokensFile(str(path), "SETTING")


def test_a_file_that_everybody_can_read_is_warned_of(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    TokensFile(str(path), "SETTING")
    assert not caplog.records
    path.chmod(0o644)
    TokensFile(str(path), "SETTING")
    assert [record.getMessage() for record in caplog.records] == ["every user of this machine can read the tokens file"]
