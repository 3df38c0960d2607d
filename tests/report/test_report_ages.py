"""Clocks at the ends of time: one damaged year makes a log ten thousand years long, and it is told all the same."""

from pathlib import Path

import pytest

from recontool.api.analyze import analyze
from recontool.api.report import build_report
from recontool.report.document import document
from recontool.report.text import screen

SAMPLES = Path(__file__).parents[2] / "sample_logs"
DAMAGES = {
    "all in the year 1": lambda lines: [b"0001" + line[4:] for line in lines],
    "all in the year 9999": lambda lines: [b"9999" + line[4:] for line in lines],
    "one in the year 1": lambda lines: [b"0001" + lines[0][4:], *lines[1:]],
    "one in the year 9999": lambda lines: [*lines[:-1], b"9999-12-31T23:59:59" + lines[-1][19:]],
    "some in either": lambda lines: [b"0001" + lines[0][4:], *lines[1:-1], b"9999-12-31T23:59:59" + lines[-1][19:]],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_any_year_there_is_can_be_told(tmp_path, damage):
    paths = []
    for name in ("worker-1.log", "worker-2.log", "coordinator.log"):
        path = tmp_path / name
        path.write_bytes(b"".join(damage((SAMPLES / name).read_bytes().splitlines(keepends=True))))
        paths.append(str(path))
    found = analyze(paths)
    assert document(found)["workers"].keys() >= {"worker-1", "worker-2"}
    assert max(map(len, screen(found).splitlines())) <= 80
    for lite in (False, True):
        page = build_report(found, tmp_path / "report.html", lite=lite)
        assert page.read_text("utf-8").rstrip().endswith("</html>")
