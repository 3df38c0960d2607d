"""What a catalogue metric is called in Prometheus, and the factor that turns its value into base units.

The rule: `recontool_` and the catalogue's name. Milliseconds become seconds (`_ms` to `_seconds`, factor 0.001),
seconds and bytes say so at the end, a counter ends in `_total`, ratios and all other units stay as they are. An alias
is exported under the name of what it stands for. `/metrics` and exported alert rules both ask here.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from recontool.model.catalogue import ALIASES, CATALOGUE, Metric, Unit

PREFIX: Final = "recontool_"
_SUFFIXES: Final[Mapping[Unit, tuple[str, str, float]]] = {  # what the name may end in, what it ends in then, factor
    "ms": ("_ms", "_seconds", 0.001),
    "s": ("_s", "_seconds", 1.0),
    "bytes": ("_bytes", "_bytes", 1.0),
}


class Exported(Struct, frozen=True):
    """One metric as Prometheus sees it: value there = value here * `factor`."""

    name: str
    kind: Literal["counter", "gauge"]
    factor: float


def _exported(metric: Metric) -> Exported:
    ending, base, factor = _SUFFIXES.get(metric.unit, ("", "", 1.0))
    if metric.counter:
        ending = base = "_total"
    return Exported(
        f"{PREFIX}{metric.name.removesuffix(ending)}{base}", "counter" if metric.counter else "gauge", factor
    )


EXPORTED: Final[Mapping[str, Exported]] = {name: _exported(CATALOGUE[ALIASES.get(name, name)]) for name in CATALOGUE}

if len({exported.name for exported in EXPORTED.values()}) != len(EXPORTED) - len(ALIASES):
    raise ValueError("two metrics would be exported under one name")
