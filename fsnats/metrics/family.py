"""Numbers as values: what is measured, and what came of it.  Pure."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """Prometheus' types."""

    COUNTER = "counter"  # since the program started, never less than before
    GAUGE = "gauge"  # now
    HISTOGRAM = "histogram"


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One number.  `suffix` is what a histogram's numbers have behind the name."""

    labels: dict[str, str]
    value: float
    suffix: str = ""


class Family(msgspec.Struct, frozen=True):
    """All numbers of one name that a program has; none is an answer too."""

    name: str
    kind: Kind
    text: str
    samples: list[Sample]


class Page(msgspec.Struct, frozen=True):
    """What one program tells."""

    program: str
    families: list[Family]


class Metric(msgspec.Struct, frozen=True):
    """What is measured: its name as Prometheus knows it, its meaning, the names of its labels."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()

    def one(self, value: float, *labels: str) -> Family:
        """The only number, for these values of the labels."""
        return self.family([self.sample(value, *labels)])

    def each(self, values: Mapping[str, float], *labels: str) -> Family:
        """A number for each value of the last label; `labels` are those before it."""
        return self.family([self.sample(value, *labels, last) for last, value in values.items()])

    def family(self, samples: list[Sample]) -> Family:
        """Any numbers."""
        return Family(self.name, self.kind, self.text, samples)

    def sample(self, value: float, *labels: str) -> Sample:
        """One of the numbers, for `family`."""
        return Sample(dict(zip(self.labels, labels, strict=True)), float(value))  # yes and no are numbers, too


def counter(name: str, text: str, *labels: str) -> Metric:
    """What only grows; Prometheus wants the name to end in `_total`."""
    return Metric(f"{name}_total", Kind.COUNTER, text, labels)


def gauge(name: str, text: str, *labels: str) -> Metric:
    """What holds now."""
    return Metric(name, Kind.GAUGE, text, labels)


def distribution(name: str, text: str, *labels: str) -> Metric:
    """How values are spread (`fsnats.metrics.histogram`)."""
    return Metric(name, Kind.HISTOGRAM, text, labels)
