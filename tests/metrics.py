"""Every metric that the programs declare, wherever they do."""

import re

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


def named(text: str) -> set[str]:
    """The metrics that an expression, or a sentence, is about: of a histogram's numbers the histogram."""
    return {
        re.sub(r"_seconds_(bucket|sum|count)$", "_seconds", name)
        for name in re.findall(r"(?:fsnats|process)_[a-z_]+", text)
    }
