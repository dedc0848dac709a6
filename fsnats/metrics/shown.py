"""A program that lets itself be asked for its numbers."""

import contextlib
import os
from collections.abc import AsyncIterator, Callable

from fsnats.metrics.family import Family, Page
from fsnats.metrics.sockets import SOCKET, WHOLE, ask, telling
from fsnats.metrics.vitals import Vitals
from fsnats.notify import PROGRAM

_WITHIN = 2.0  # seconds for the answer for all, who each have one


@contextlib.asynccontextmanager
async def shown(name: str, vitals: Vitals, own: Callable[[], list[Family]] = list) -> AsyncIterator[None]:
    """Tell `own` numbers and the vital ones where our supervisor asks for them, for as long as the block runs.

    `name` is for a program that has no supervisor to name it.
    """

    async def pages() -> list[Page]:
        return [_page(name, vitals, own)]

    with vitals.beating():
        async with telling(os.environ.get(SOCKET, ""), pages):
            yield


async def whole(name: str, vitals: Vitals, own: Callable[[], list[Family]]) -> list[Page]:
    """What such a program tells over HTTP: if it is one of many that share a port, for all of them."""
    address = os.environ.get(WHOLE, "")
    pages = (await ask({name: address}, _WITHIN))[name] if address else None
    return pages or [_page(name, vitals, own)]


def _page(name: str, vitals: Vitals, own: Callable[[], list[Family]]) -> Page:
    return Page(os.environ.get(PROGRAM) or name, [*vitals.families(), *own()])
