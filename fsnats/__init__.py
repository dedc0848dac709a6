"""fsnats: subscribe to Binance once, serve everyone."""

__version__ = "0.1.0"
