"""The server half of RFC 6455, as the gateway and the simulator use it: finished frames out, text messages in."""
