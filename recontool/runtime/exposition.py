"""The text of `GET /metrics`: every metric of the catalogue per worker, and the coordinator's own, in base units.

Format: Prometheus text exposition 0.0.4. Names and factors are `recontool.model.prometheus`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from recontool.model.catalogue import ALIASES, CATALOGUE
from recontool.model.instant import MINUTE_US, SECOND_US
from recontool.model.prometheus import EXPORTED, PREFIX
from recontool.runtime.instructions import Sample

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
FRESH_US: Final = 5 * MINUTE_US  # as long as Prometheus itself looks back; older values would look current
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_HELP_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n"})


@dataclass(slots=True)
class Family:
    """One metric with all its samples: labels and value."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    samples: list[tuple[Mapping[str, str], float]] = field(default_factory=list)


def of_workers(samples: Iterable[Sample], connected: frozenset[str], now_us: int) -> list[Family]:
    """What workers reported last, as far as it is fresh; a value that is missing or null has no line."""
    seen = sorted((sample for sample in samples), key=lambda sample: sample.worker)
    fresh = [sample for sample in seen if sample.at_us and now_us - sample.at_us < FRESH_US]
    families = [
        Family(
            f"{PREFIX}worker_connected",
            "gauge",
            "whether the worker has a session: 1 or 0",
            [({"worker": sample.worker}, float(sample.worker in connected)) for sample in seen],
        ),
        Family(
            f"{PREFIX}worker_reported_timestamp_seconds",
            "gauge",
            "when the worker reported last, by its own clock, in Unix time",
            [({"worker": sample.worker}, sample.at_us / SECOND_US) for sample in seen if sample.at_us],
        ),
    ]
    for name, metric in CATALOGUE.items():
        if name in ALIASES:
            continue
        exported = EXPORTED[name]
        found: list[tuple[Mapping[str, str], float]] = [
            ({"worker": sample.worker}, value * exported.factor)
            for sample in fresh
            if (value := sample.metrics.get(name)) is not None
        ]
        families.append(Family(exported.name, exported.kind, metric.definition, found))
    return families


def text(families: Iterable[Family]) -> bytes:
    """`families` as the exposition format has them; those without a sample are left out."""
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines.append(f"# HELP {family.name} {family.help.translate(_HELP_ESCAPES)}")
            lines.append(f"# TYPE {family.name} {family.kind}")
            lines += [f"{family.name}{_labels(labels)} {_number(value)}" for labels, value in family.samples]
    return "".join(f"{line}\n" for line in lines).encode()


def _labels(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{inner}}}" if inner else ""


def _number(value: float) -> str:
    if value != value:  # noqa: PLR0124 - NaN
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))
