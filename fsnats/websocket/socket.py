"""The socket beneath a transport, for those who write to it past the transport while nothing waits there.

uvloop keeps what is written until the end of the loop's turn, and then looks at every transport again: with a thousand
clients a tenth of what a message costs.
"""

import asyncio
from _socket import socket as Socket  # without what Python's own class adds: it is one more for each client

__all__ = ["Socket", "beneath"]


def beneath(transport: asyncio.BaseTransport) -> Socket | None:
    """The socket that a transport writes to as it is; None where there is TLS between, or no socket at all.

    It is still the transport's: `detach` it before the transport closes, which is when `connection_lost` was called.
    """
    shared = transport.get_extra_info("socket")
    if shared is None or transport.get_extra_info("sslcontext") is not None:
        return None
    return Socket(shared.family, shared.type, shared.proto, shared.fileno())
