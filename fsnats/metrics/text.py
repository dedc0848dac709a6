"""Prometheus' text format 0.0.4, of one program or of many: each family once, each number with its program.  Pure."""

from collections.abc import Iterable

from fsnats.metrics.family import Page, Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_HELP_ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n"})


def written(pages: Iterable[Page]) -> bytes:
    """What is told over HTTP.  A sample that names its program itself keeps that name."""
    families: dict[str, list[str]] = {}
    for page in pages:
        for family in page.families:
            name = family.name
            lines = families.get(name)
            if lines is None:
                text = family.text.translate(_HELP_ESCAPED)
                lines = families[name] = [f"# HELP {name} {text}", f"# TYPE {name} {family.kind}"]
            lines += (_line(name, page.program, sample) for sample in family.samples)
    return "".join(f"{line}\n" for lines in families.values() for line in lines).encode()


def _line(name: str, program: str, sample: Sample) -> str:
    labels = {"program": program} | sample.labels
    inside = ",".join(f'{label}="{value.translate(_ESCAPED)}"' for label, value in labels.items())
    return f"{name}{sample.suffix}{{{inside}}} {sample.value:.16g}"
