"""The server half of RFC 6455, as the gateway and the simulator use it: finished frames out, text messages in."""

import os

# Clients put hundreds of stream names into the URL; Binance itself answers 414 only above 8,000 to 16,000 characters
# (UBWA#17, #19, #120).  This is websockets' documented way to say so, and it is read when websockets is first imported.
REQUEST_LINE_BYTES = 65536
os.environ.setdefault("WEBSOCKETS_MAX_LINE_LENGTH", str(REQUEST_LINE_BYTES))
