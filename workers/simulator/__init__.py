"""A protocol-accurate Binance on one port: for offline use, demos, tests, chaos and load."""
