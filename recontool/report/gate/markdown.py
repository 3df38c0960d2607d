"""A gate as markdown for the summary page of a build job."""

from recontool.model.comparison import Gate
from recontool.report.comparison.markdown import code, table


def markdown(gate: Gate) -> str:
    """The text, ending without a newline."""
    rows = [
        (
            f"**{check.word}**" if check.outcome == "failed" else check.word,
            code(check.condition),
            check.message,
            code(*dict.fromkeys(line for finding in check.findings[:3] for line in finding.evidence[:2])),
        )
        for check in gate.checks
    ]
    lines = [f"### {gate.severity}: {gate.sentence}", ""]
    lines += [f"Baseline: {code(gate.baseline)}", ""] if gate.baseline else []
    return "\n".join([*lines, *table(("status", "condition", "what was found", "evidence"), rows)])
