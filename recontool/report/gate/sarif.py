"""A gate as SARIF 2.1.0: a rule per condition, a result per finding with the log lines that show it.

What passed is a result of kind `pass`; what could not be decided is of kind `open`, the standard's word for it.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from recontool.model.comparison import CheckResult, Gate
from recontool.report.plain import plain

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LINE: Final = re.compile(r"(?P<name>.+):(?P<line>[1-9]\d*)")


def sarif(gate: Gate) -> dict[str, Any]:
    """One log with one run."""
    paths = dict(gate.inputs)
    rules = [
        {
            "id": _rule_id(check.condition),
            "name": check.condition,
            "shortDescription": {"text": plain(f"Fails on {check.condition}")},
            "defaultConfiguration": {"level": "error"},
        }
        for check in gate.checks
    ]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "recontool", "version": gate.version, "rules": rules}},
                "invocations": [{"executionSuccessful": not gate.undecided, "exitCode": int(gate.failed)}],
                "columnKind": "unicodeCodePoints",
                "results": [result for i, check in enumerate(gate.checks) for result in _results(i, check, paths)],
            }
        ],
    }


def _results(index: int, check: CheckResult, paths: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    rule = {"ruleId": _rule_id(check.condition), "ruleIndex": index}
    if check.outcome != "failed":
        kind = "pass" if check.outcome == "passed" else "open"
        yield {**rule, "kind": kind, "level": "none", "message": {"text": plain(check.message)}}
        return
    for finding in check.findings:
        text = plain(f"{finding.subject}: {finding.message}")
        places = [_location(place, paths) for place in finding.evidence]
        found = {**rule, "kind": "fail", "level": "error", "message": {"text": text}}
        yield {**found, "locations": places} if places else found


def _location(place: str, paths: Mapping[str, str]) -> dict[str, Any]:
    match = _LINE.fullmatch(place)
    name = match["name"] if match is not None else place
    path = Path(paths.get(name, name))
    uri = path.as_uri() if path.is_absolute() else quote(os.fsencode(path))
    found: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if match is not None:
        found["region"] = {"startLine": int(match["line"])}
    return {"physicalLocation": found}


def _rule_id(condition: str) -> str:
    """An id that stays the same as long as the condition does."""
    return "recontool/" + re.sub(r"[^a-z0-9_.%+<>=-]+", "-", condition.lower()).strip("-")
