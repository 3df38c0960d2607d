import re

import pytest
from fleet_builder import fleet
from msgspec.structs import replace

from recontool.model.units import SECOND_US
from recontool.report.plain import columns, plain, shortened
from recontool.report.terminal import LABEL
from recontool.report.text import LISTED_WORKERS, screen, verdict_line

HOSTILE = '\x1b[31m<script>alert(1)</script>\u202egnp.exe\r\n"\u2028'


@pytest.mark.parametrize("outages", [0, 1, 2, 6, 300])
@pytest.mark.parametrize("text", ["", HOSTILE, "x" * 128])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_one_worker_fits_25_lines_of_80_columns(outages: int, text: str, ascii_only: bool) -> None:
    lines = screen(fleet(1, outages=outages, text=text), ascii_only=ascii_only).split("\n")
    assert len(lines) <= 25
    assert [line for line in lines if columns(line) > 80] == []
    assert all(line.isprintable() for line in lines)
    assert not ascii_only or "".join(lines).isascii()


def test_verdict_stands_first_and_says_what_it_is_based_on() -> None:
    first, second, third, *_ = screen(fleet(1)).split("\n")
    assert first.startswith("CRITICAL  1 of 1 workers lost their session")
    assert second == "2 files  24,690 lines, parsed 24,002, unparsed 88 (0.36 %)"
    assert third == "2026-11-24 08:00:00 to 09:00:00 UTC (1 h 00 min)  format tagged-v1"


def test_worst_outages_are_listed_in_time_order_and_the_rest_counted() -> None:
    analysis = fleet(1, outages=300)
    worker = analysis.workers["worker-1"]
    text = screen(analysis)
    starts = re.findall(r"^(\d\d:\d\d:\d\d) +[\d.]+ s ", text, re.MULTILINE)
    assert starts == sorted(starts)
    assert len(starts) >= 3
    assert f"and {300 - len(starts)} shorter; 300 outages" in text
    longest = max(o.duration_us or 0 for o in worker.outages) / SECOND_US
    assert f"{longest:.1f} s" in text


def test_metrics_outside_their_range_come_before_all_others() -> None:
    text = screen(fleet(1))
    assert re.search(r"^max_reconnect_time +27\.85 s +≤ 10 s +TOO HIGH$", text, re.MULTILINE)
    assert re.search(r"and \d+ metrics more: \d+ ok, 1 without data$", text, re.MULTILINE)


def test_an_open_outage_reads_open() -> None:
    analysis = fleet(1, outages=2)
    worker = analysis.workers["worker-1"]
    still = replace(worker.outages[-1], end_us=None)
    changed = replace(worker, outages=(*worker.outages[:-1], still))
    text = screen(replace(analysis, workers={"worker-1": changed}))
    assert re.search(r"^\d\d:\d\d:\d\d +open ", text, re.MULTILINE)


def test_an_outage_of_a_second_shows_in_the_strip_of_a_week() -> None:
    analysis = fleet(1, minutes=7 * 24 * 60, outages=1)
    strip = next(line for line in screen(analysis).split("\n") if line.startswith("state"))[LABEL:]
    assert strip.count("▄") == 1


def test_colour_only_where_it_was_asked_for() -> None:
    assert "\x1b" not in screen(fleet(1))
    assert "\x1b[1;31mCRITICAL\x1b[0m" in screen(fleet(1), color=True)


def test_many_workers_are_a_table_with_the_most_damaged_first_and_a_fleet_line() -> None:
    analysis = fleet(50)
    lines = screen(analysis).split("\n")
    stable = [float(line.split()[1]) for line in lines if line.startswith("worker-")]
    assert stable == sorted(stable)
    assert len(stable) == LISTED_WORKERS
    assert any(re.match(r"all 50 +[\d.]+ +200 ", line) for line in lines)
    assert any(line.strip().startswith("and 10 workers with less damage") for line in lines)
    assert all(columns(line) <= 80 for line in lines)


def test_a_table_never_cuts_a_number() -> None:
    lines = screen(fleet(4, text="-" + "n" * 120), width=72).split("\n")
    rows = [line for line in lines if re.match(r"wor…n+ ", line)]
    assert len(rows) == 4
    for row in rows:
        assert re.search(r" 0\.\d{4} +4 +\d+\.\d\d s +\d+\.\d\d s +\S.* s +\d+/\d+ +\d+$", row), row


def test_without_workers_the_screen_says_why() -> None:
    text = screen(fleet(0))
    assert text.startswith("NO DATA  1 coordinator log and no worker log")
    assert "2 starts, 4 accepted, 5 disconnected, 6 rejected" in text


def test_verdict_line_is_one_line_without_control_characters() -> None:
    line = verdict_line(fleet(1, text=HOSTILE))
    assert line.isprintable()
    assert line.startswith("CRITICAL  1 of 1")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("worker-1", "worker-1"),
        ("a\x1b[31m", "a\\x1b[31m"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\u202eevil", "\\u202eevil"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\udcff", "\\udcff"),
        ("Zürich 東京", "Zürich 東京"),
    ],
)
def test_plain_spells_what_hides_or_steers(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_shortened_keeps_both_ends_and_the_width() -> None:
    assert shortened("a-rather-long-worker-name.log:1204", 20) == "a-rather…me.log:1204"
    assert columns(shortened("東京" * 20, 11)) <= 11
