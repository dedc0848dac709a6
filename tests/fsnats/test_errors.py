"""What readers of bytes from outside must be ready for."""

import ast
from pathlib import Path

import msgspec
import pytest

from fsnats.errors import UNREADABLE

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"a":1}', b'{"a":"\xff"}', b'{"\xff":""}', b"\xff", b'{"b":' + b"[" * 100_000],
    ids=["nothing", "cut off", "no object", "no text", "a value", "a key", "garbage", "a hundred thousand deep"],
)
def test_what_a_decoder_raises_for_bytes_is_named(data: bytes) -> None:
    with pytest.raises(UNREADABLE):
        msgspec.json.decode(data, type=dict[str, str])
    with pytest.raises(UNREADABLE):
        msgspec.json.Decoder(dict[str, str]).decode(data)


@pytest.mark.parametrize("package", ["fsnats", "gateway", "workers"])
def test_nobody_is_ready_for_a_part_of_it_only(package: str) -> None:
    parts = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "DecodeError" and path != ROOT / "fsnats" / "errors.py"
    ]
    assert not parts, "say fsnats.errors.UNREADABLE"
