"""What a client of the gateway was sent, read from the frames that were written to it."""

import json
from typing import Any


async def no_numbers() -> bytes:
    """For an application that nobody asks for its numbers."""
    return b""


def heard(written: list[bytes]) -> list[Any]:
    """The text messages in `written`, which is emptied; all of them less than 64 KB, in JSON and in one frame each."""
    messages, data = [], b"".join(written)
    written.clear()
    while data:
        assert data[1] < 127
        start, length = (4, int.from_bytes(data[2:4])) if data[1] == 126 else (2, data[1])
        messages.append(json.loads(data[start : start + length]))
        data = data[start + length :]
    return messages
