"""A comparison as the JSON object of `compare --format json`, schema `recontool.comparison/1`."""

import math
from typing import Any, Final

from recontool.model.comparison import Comparison, Difference, RunFacts
from recontool.model.instant import iso

SCHEMA: Final = "recontool.comparison/1"


def document(comparison: Comparison) -> dict[str, Any]:
    """Plain dicts, lists, strings, numbers and None; keys may be added, never renamed."""
    return {
        "schema": SCHEMA,
        "version": comparison.version,
        "verdict": {"severity": comparison.severity, "sentence": comparison.sentence},
        "base": _facts(comparison.base),
        "new": _facts(comparison.new),
        "method": {
            "interval": 0.95,
            "bootstrap": "studentised, by cluster",
            "draws": comparison.draws,
            "seed": comparison.seed,
            "correction": "holm",
            "tested": comparison.tested,
        },
        "measures": [_difference(one) for one in comparison.differences],
    }


def _facts(facts: RunFacts) -> dict[str, Any]:
    return {
        "name": facts.name,
        "workers": facts.workers,
        "reconnections": facts.reconnections,
        "first_at": None if facts.first_us is None else iso(facts.first_us),
        "last_at": None if facts.last_us is None else iso(facts.last_us),
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "measure": one.measure,
        "unit": one.unit,
        "better": one.better or None,
        "base": _number(one.base),
        "new": _number(one.new),
        "scale": one.scale,
        "change": _number(one.change),
        "low": _number(one.low),
        "high": _number(one.high),
        "least": one.least,
        "p": one.p,
        "p_adjusted": one.p_adjusted,
        "cliffs_delta": _number(one.effect),
        "resampled": one.resampled or None,
        "units": list(one.units) if one.resampled else None,
        "verdict": one.verdict,
        "reason": one.reason or None,
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
