"""Every metric that the programs declare, wherever they do."""

from fsnats.metrics import bus, hops, vitals
from fsnats.metrics.family import Metric
from fsnats.supervisor import numbers as supervisor
from gateway import metrics as gateway
from workers.history import numbers as history
from workers.ingest import numbers as ingest
from workers.recorder import numbers as recorder


def declared() -> list[Metric]:
    """In the order of the documentation's table."""
    modules = (supervisor, vitals, bus, hops, ingest, gateway, history, recorder)
    metrics = [each for module in modules for each in vars(module).values() if isinstance(each, Metric)]
    return [*metrics, *gateway.METRICS.values()]
