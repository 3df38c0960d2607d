"""The text of `GET /metrics`: every metric of the catalogue per worker, and the coordinator's own, in base units.

Format: Prometheus text exposition 0.0.4. Names and factors are `recontool.model.prometheus`.
"""

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct, field

from recontool.model.catalogue import ALIASES, CATALOGUE
from recontool.model.prometheus import EXPORTED, PREFIX
from recontool.model.units import MINUTE_US, SECOND_US
from recontool.runtime.instructions import Sample

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
FRESH_US: Final = 5 * MINUTE_US  # as long as Prometheus itself looks back; older values would look current
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_SPECIAL: Final = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}
_HELP_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n"})


class Family(Struct):
    """One metric with all its samples: labels as `labels` writes them, and value."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    samples: list[tuple[str, float]] = field(default_factory=list)


def labels(**values: str) -> str:
    """Labels as they stand behind a name; written once per worker, since a fleet has many metrics."""
    inner = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in values.items())
    return f"{{{inner}}}" if inner else ""


def of_workers(samples: Iterable[Sample], connected: frozenset[str], now_us: int) -> list[Family]:
    """What workers reported last, as far as it is fresh; a value that is missing or null has no line."""
    seen = [(labels(worker=sample.worker), sample) for sample in sorted(samples, key=lambda sample: sample.worker)]
    fresh = [(where, sample.metrics) for where, sample in seen if sample.at_us and now_us - sample.at_us < FRESH_US]
    families = [
        Family(
            f"{PREFIX}worker_connected",
            "gauge",
            "whether the worker has a session: 1 or 0",
            [(where, int(sample.worker in connected)) for where, sample in seen],
        ),
        Family(
            f"{PREFIX}worker_reported_timestamp_seconds",
            "gauge",
            "when the worker reported last, by its own clock, in Unix time",
            [(where, sample.at_us / SECOND_US) for where, sample in seen if sample.at_us],
        ),
    ]
    for name, metric in CATALOGUE.items():
        if name not in ALIASES:
            exported = EXPORTED[name]
            found = [(where, value) for where, metrics in fresh if (value := metrics.get(name)) is not None]
            if exported.factor != 1:
                found = [(where, value * exported.factor) for where, value in found]
            families.append(Family(exported.name, exported.kind, metric.definition, found))
    return families


def text(families: Iterable[Family]) -> bytes:
    """`families` as the exposition format has them; those without a sample are left out."""
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines.append(f"# HELP {family.name} {family.help.translate(_HELP_ESCAPES)}")
            lines.append(f"# TYPE {family.name} {family.kind}")
            name = family.name
            lines += [f"{name}{where} {_number(value)}" for where, value in family.samples]
    lines.append("")
    return "\n".join(lines).encode()


def _number(value: float) -> str:
    text = repr(value)
    return _SPECIAL.get(text, text)
