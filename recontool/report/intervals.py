"""What rules would have done, as a screen, Markdown, CSV or JSON: intervals, a timeline, and how variants compare."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from recontool.model.findings import Alert
from recontool.model.instant import seconds
from recontool.model.units import SECOND_US
from recontool.report import quantity
from recontool.report.document import Json, alert_json
from recontool.report.plain import columns, plain
from recontool.report.terminal import Screen

LISTED: Final = 40  # intervals and timelines a screen shows
COLUMNS: Final = ("alert", "severity", "worker", "pending_at", "fired_at", "resolved_at", "peak")
_HEADS: Final = {"firing_s": "firing", "false_alarms": "false"}
_FLEET: Final = "(fleet)"
_LABEL: Final = 20


def interval_csv(alerts: Sequence[Alert], evidence: Sequence[str]) -> str:
    """A header and a line per interval."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*COLUMNS, "evidence"))
    for alert, place in zip(alerts, evidence, strict=True):
        writer.writerow([*("" if value is None else value for value in alert_json(alert).values()), place])
    return out.getvalue().rstrip("\n")


def score_csv(scores: Sequence[Mapping[str, Any]]) -> str:
    """A header and a line per variant."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(scores[0]) if scores else ["alert"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: "" if value is None else value for key, value in row.items()} for row in scores)
    return out.getvalue().rstrip("\n")


def interval_markdown(alerts: Sequence[Alert], evidence: Sequence[str], until_us: int) -> str:
    """The intervals as a Markdown table."""
    head = ("alert", "severity", "worker", "fired", "resolved", "lasted", "peak", "evidence")
    rows = (_row(alert, place, until_us, moment=quantity.moment) for alert, place in zip(alerts, evidence, strict=True))
    return markdown(head, ((row[0], alert.severity, *row[1:]) for row, alert in zip(rows, alerts, strict=True)))


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; no cell can leave its place."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| "
        + " | ".join(plain(cell).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;") for cell in line)
        + " |"
        for line in lines
    )


def interval_screen(
    on: Screen, alerts: Sequence[Alert], evidence: Sequence[str], span_us: tuple[int, int]
) -> list[str]:
    """Rule by rule: its intervals, the latest left out when there are too many, and a timeline per worker."""
    if not alerts:
        return ["no rule would have fired"]
    grouped: dict[str, list[tuple[Alert, str]]] = {}
    for alert, place in zip(alerts, evidence, strict=True):
        grouped.setdefault(alert.alert, []).append((alert, place))
    lines: list[str] = []
    for name, found in grouped.items():
        severity = found[0][0].severity
        fired = sum(alert.fired_us is not None for alert, _ in found)
        lines.append(
            on.paint(on.short(f"{name}  {severity}, fired {quantity.counted(fired, 'time')}", on.width), severity)
        )
        head = ["  worker", "fired", "resolved", "lasted", "peak", "evidence"]
        rows = [_row(alert, place, span_us[1], moment=quantity.clock)[1:] for alert, place in found[:LISTED]]
        table = [head, *([f"  {row[0]}", *row[1:]] for row in rows)]
        lines += on.rows(table, frozenset({1, 2, 3, 4}), ["dim", *[""] * len(rows)])
        if len(found) > LISTED:
            rest = quantity.counted(len(found) - LISTED, "interval")
            lines.append(on.paint(f"  and {rest} more; --format csv has all", "dim"))
        lines += [*_timelines(on, [alert for alert, _ in found], span_us), ""]
    return lines[:-1]


def score_rows(scores: Sequence[Any]) -> list[Json]:
    """One flat row per variant: its settings by name, then how it did."""
    return [
        {
            "alert": one.alert,
            **dict(one.settings),
            "firings": one.firings,
            "firing_s": seconds(one.firing_us) if one.firing_us else 0,
            "workers": one.workers,
            "caught": one.caught,
            "missed": one.missed,
            "false_alarms": one.false_alarms,
        }
        for one in scores
    ]


def score_table(rows: Sequence[Json]) -> list[list[str]]:
    """`score_rows` as text, heading first."""
    head = list(rows[0])
    return [[_HEADS.get(key, key) for key in head], *([_cell(key, row[key]) for key in head] for row in rows)]


def score_screen(on: Screen, rows: Sequence[Json]) -> list[str]:
    """The variants as a table."""
    table = score_table(rows)
    return on.rows(table, frozenset(range(1, len(table[0]))), ["dim", *[""] * (len(table) - 1)])


def _cell(key: str, value: Any) -> str:
    if value is None:
        return quantity.NOTHING
    return quantity.duration(round(value * SECOND_US)) if key == "firing_s" and value else str(value)


def _row(alert: Alert, place: str, until_us: int, *, moment: Any) -> list[str]:
    begins = alert.pending_us if alert.fired_us is None else alert.fired_us
    ends = until_us if alert.resolved_us is None else alert.resolved_us
    return [
        alert.alert,
        _FLEET if alert.worker is None else alert.worker,
        "never" if alert.fired_us is None else moment(alert.fired_us),
        "still" if alert.resolved_us is None else moment(alert.resolved_us),
        quantity.duration(ends - begins) if alert.fired_us is not None else quantity.NOTHING,
        quantity.NOTHING if alert.peak is None else f"{alert.peak:.4g}",
        place or quantity.NOTHING,
    ]


def _timelines(on: Screen, alerts: Sequence[Alert], span_us: tuple[int, int]) -> list[str]:
    grouped: dict[str, list[Alert]] = {}
    for alert in alerts:
        grouped.setdefault(_FLEET if alert.worker is None else alert.worker, []).append(alert)
    label = min(_LABEL, max(columns(on.show(worker)) for worker in grouped)) + 4
    room = on.width - label
    firing, pending = ("#", "-") if on.ascii_only else ("█", "▁")
    lines = []
    for worker, found in list(grouped.items())[:LISTED]:
        name = on.short(worker, label - 4)
        cells = "".join(_cells(found, span_us, room, firing + pending)).rstrip()
        lines.append(f"  {name}{' ' * (label - 2 - columns(name))}{cells}")
    left, right = quantity.clock(span_us[0]), quantity.clock(span_us[1])
    legend = f"{firing} firing  {pending} pending".center(room - len(left) - len(right))
    lines.append(" " * label + left + on.paint(legend, "dim") + right)
    if len(grouped) > LISTED:
        lines.append(on.paint(f"  and {quantity.counted(len(grouped) - LISTED, 'timeline')} more", "dim"))
    return lines


def _cells(alerts: Sequence[Alert], span_us: tuple[int, int], room: int, glyphs: str) -> list[str]:
    """An interval always shows, however short it is; firing covers pending."""
    start_us, width_us = span_us[0], max(span_us[1] - span_us[0], 1)
    cells = [" "] * room
    for alert in alerts:
        ends_us = span_us[1] if alert.resolved_us is None else alert.resolved_us
        for begins_us, glyph in ((alert.pending_us, glyphs[1]), (alert.fired_us, glyphs[0])):
            if begins_us is None:
                continue
            first = min((begins_us - start_us) * room // width_us, room - 1)
            last = min(max((ends_us - start_us) * room // width_us, first + 1), room)
            for index in range(first, last):
                cells[index] = glyph
    return cells
