"""Binance's public REST, for clients whose base URL is the gateway."""
