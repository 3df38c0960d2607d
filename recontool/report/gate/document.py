"""A gate as the JSON object of `check --format json`, schema `recontool.check/1`; statuses are words, never booleans."""

from typing import Any, Final

from recontool.model.comparison import Gate

SCHEMA: Final = "recontool.check/1"


def document(gate: Gate) -> dict[str, Any]:
    """Plain dicts, lists and strings; keys may be added, never renamed."""
    return {
        "schema": SCHEMA,
        "version": gate.version,
        "status": gate.severity.lower().replace(" ", "_"),
        "sentence": gate.sentence,
        "baseline": gate.baseline or None,
        "checks": [
            {
                "condition": check.condition,
                "status": check.outcome,
                "certainty": "unclear" if check.unclear else "clear",
                "message": check.message,
                "findings": [
                    {"subject": one.subject, "message": one.message, "evidence": list(one.evidence)}
                    for one in check.findings
                ],
            }
            for check in gate.checks
        ],
    }
