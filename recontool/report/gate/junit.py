"""A gate as JUnit XML: one test case per condition; what could not be decided is skipped, with the reason."""

from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from recontool.model.comparison import CheckResult, Gate
from recontool.report.plain import plain

SUITE: Final = "recontool check"


def junit(gate: Gate) -> str:
    """The document with its declaration; written as UTF-8."""
    counts = {
        "name": SUITE,
        "tests": str(len(gate.checks)),
        "failures": str(sum(check.outcome == "failed" for check in gate.checks)),
        "errors": "0",
        "skipped": str(sum(check.outcome == "no_data" for check in gate.checks)),
    }
    root = Element("testsuites", counts)
    suite = SubElement(root, "testsuite", counts)
    for check in gate.checks:
        _case(suite, check)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode")


def _case(suite: Element, check: CheckResult) -> None:
    case = SubElement(suite, "testcase", classname="recontool.check", name=plain(check.condition), time="0")
    if check.outcome == "failed":
        failure = SubElement(case, "failure", type="recontool.finding", message=plain(check.message))
        failure.text = "\n".join(
            plain(" ".join((f"{one.subject}: {one.message}", *one.evidence))) for one in check.findings
        )
    elif check.outcome == "no_data":
        SubElement(case, "skipped", message=plain(check.message))
    else:
        SubElement(case, "system-out").text = plain(check.message)
