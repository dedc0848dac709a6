"""The supervisor: keeps the fleet's processes running, the catalogue current and the dials within Binance's limits.

It starts every other process by command and imports none of them.  `fsnats.supervisor.main.supervise` composes it.
"""
