"""Programs' answers, some of them perhaps of other versions: one that cannot be read costs no other's.  Pure."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from fsnats.errors import UNREADABLE

T = TypeVar("T")

logger = logging.getLogger(__name__)


class _Head(msgspec.Struct):
    program: str = "?"


def sorted_out(answers: Iterable[bytes], decode: Callable[[bytes], T]) -> tuple[list[T], list[str]]:
    """Those that `decode` can read, and the names of the programs whose answers it cannot."""
    found: list[T] = []
    unread: list[str] = []
    for answer in answers:
        try:
            found.append(decode(answer))
        except UNREADABLE as error:
            unread.append(_program_of(answer))
            logger.warning(
                "a program's answer cannot be read",
                extra={"event": "bus.unreadable", "of": unread[-1], "error": str(error)},
            )
    return found, unread


def _program_of(answer: bytes) -> str:
    try:
        return msgspec.json.decode(answer, type=_Head).program
    except UNREADABLE:
        return "?"
