"""A gate on the terminal: the verdict, one line per condition, the lines that show why."""

from typing import Final

from recontool.model.comparison import CheckResult, Gate
from recontool.report.terminal import Screen

_PAINT: Final = {"FAILED": "CRITICAL", "PASSED": "OK", "NO DATA": "NO DATA", "UNCLEAR": "WARNING"}
_FINDINGS: Final = 5


def verdict_line(gate: Gate) -> str:
    """Severity word and sentence on one line."""
    return f"{gate.severity}  {gate.sentence}"


def screen(gate: Gate, on: Screen) -> str:
    """The whole screen; lines are joined by newlines, none at the end."""
    first, *rest = on.wrapped("", verdict_line(gate), 3)
    word = gate.severity
    lines = [on.paint(word, _PAINT[word]) + on.paint(first[len(word) :], "bold"), *rest]
    lines += on.wrapped("baseline", gate.baseline, 2) if gate.baseline else []
    order = {"failed": 0, "no_data": 1, "passed": 2}
    for check in sorted(gate.checks, key=lambda check: order[check.outcome]):
        lines += _check(on, check)
    return "\n".join(lines)


def _check(on: Screen, check: CheckResult) -> list[str]:
    said = check.message if check.outcome != "failed" or not check.findings else f"{len(check.findings)} found"
    lines = on.wrapped(check.word, f"{check.condition}: {said}", 3)
    lines[0] = on.paint(lines[0], "outside" if check.outcome == "failed" else "")
    for finding in check.findings[:_FINDINGS]:
        place = f" ({', '.join(finding.evidence)})" if finding.evidence else ""
        lines += on.wrapped(" ", f"{finding.subject}: {finding.message}{place}", 3)
    if len(check.findings) > _FINDINGS:
        lines += on.wrapped(" ", f"and {len(check.findings) - _FINDINGS} more", 1)
    return lines
