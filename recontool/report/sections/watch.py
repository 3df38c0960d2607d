"""What was noticed and what follows: security events, alerts, recommendations and claims that events contradict."""

from recontool.model.catalogue import CATALOGUE
from recontool.model.findings import Alert, Analysis, Disagreement, Recommendation
from recontool.report import quantity, ranking, timeline, view
from recontool.report.language import say, several, spoken
from recontool.report.view import Cell, Figure, Row, Section


def security_section(analysis: Analysis) -> Section:
    """Refused keys, bad signatures, replays and malformed frames."""
    if not analysis.security:
        return Section(
            "security",
            say("Security events"),
            empty=say(
                "No security events: no key was refused and no frame was forged, replayed, oversized or malformed."
            ),
        )
    rows = [
        Row(
            (
                Cell(spoken(found.event.replace("_", " "))),
                Cell(found.source),
                Cell(quantity.count(found.count), sort=found.count),
                Cell(quantity.moment(found.first_us), sort=found.first_us),
                Cell(quantity.moment(found.last_us), sort=found.last_us),
                Cell(found.detail),
                Cell(view.evidence(found.evidence)),
            ),
            span=(found.first_us, found.last_us),
        )
        for found in sorted(analysis.security, key=lambda found: (-found.count, found.first_us))
    ]
    titles = view.columns(
        "Event", "`Seen by", "#Count", "First (UTC)", "Last (UTC)", "~Detail of the first", "`Evidence"
    )
    total = sum(found.count for found in analysis.security)
    return Section(
        "security",
        say("Security events"),
        badge=quantity.count(total),
        tone="warning",
        tables=(view.table(say("Security events by kind and source"), titles, rows, what="kinds"),),
    )


def alerts_section(analysis: Analysis) -> Section:
    """When which rule fired, for how long, and how far the value went."""
    rules = ranking.alerts_by_rule(analysis.alerts)
    if not rules:
        empty = say(
            "No alerts: none of the rules held at any time."
            if analysis.workers
            else "No alerts: no worker log was among the inputs."
        )
        return Section("alerts", say("Alerts"), empty=empty)
    fired = [alert for found in rules.values() for alert in found]
    shown, _ = ranking.bounded(
        fired, view.most_rows(len(fired)), lambda alert: _held(alert, analysis), lambda alert: alert.fired_us or 0
    )
    critical = sum(alert.severity == "CRITICAL" for alert in fired)
    lead = ", ".join(
        several(len(found), "{rule} {n} time", "{rule} {n} times", rule=name.replace("_", " "))
        for name, found in rules.items()
    )
    titles = view.columns("Severity", "Rule", "`Worker", "Fired (UTC)", "Resolved (UTC)", "#Held for", "#Peak")
    return Section(
        "alerts",
        say("Alerts"),
        lead=say("{text}.", text=f"{lead[0].upper()}{lead[1:]}"),
        badge=quantity.count(len(fired)),
        tone="critical" if critical else "warning",
        figures=(Figure(say("When alerts fired"), _alert_finding(analysis, fired), chart="alerts"),),
        tables=(
            view.table(
                say("Alert intervals in time order"),
                titles,
                [_alert_row(alert, analysis) for alert in shown],
                of=len(fired),
                what="shorter intervals",
            ),
        ),
    )


def advice_section(analysis: Analysis) -> Section:
    """Changes the evidence supports."""
    if not analysis.recommendations:
        return Section(
            "advice",
            say("Recommendations"),
            empty=say("No recommendations: nothing in these logs supports changing a setting."),
        )
    rows = [_advice_row(advice) for advice in analysis.recommendations]
    titles = view.columns("Recommendation", "`Change", "~Why", "`Workers", "`Evidence")
    return Section(
        "advice",
        say("Recommendations"),
        badge=quantity.count(len(rows)),
        lead=say("Each follows from the lines named as its evidence; none is a rule of thumb."),
        tables=(view.table(say("Recommendations with their evidence"), titles, rows, what="recommendations"),),
    )


def claims_section(analysis: Analysis) -> Section:
    """What processes say about themselves against what their events show."""
    if not analysis.disagreements:
        return Section(
            "claims",
            say("Claims against events"),
            empty=say(
                "No disagreements: what processes report about themselves agrees with their events, or they report nothing."
            ),
        )
    rows = [_claim_row(claim) for claim in analysis.disagreements]
    titles = view.columns("`Worker", "Metric", "#Claimed", "#Events show", "At (UTC)", "~Explanation", "`Evidence")
    return Section(
        "claims",
        say("Claims against events"),
        lead=say("A process's own numbers that its events do not support. The metrics above follow the events."),
        badge=quantity.count(len(rows)),
        tone="warning",
        tables=(view.table(say("Disagreements"), titles, rows, what="disagreements"),),
    )


def _held(alert: Alert, analysis: Analysis) -> int:
    start = alert.pending_us if alert.fired_us is None else alert.fired_us
    return max(ranking.alert_end_us(alert, analysis) - start, 0)


def _alert_finding(analysis: Analysis, fired: list[Alert]) -> str:
    still = sum(alert.resolved_us is None for alert in fired)
    first = min(alert.fired_us or alert.pending_us for alert in fired)
    told = {"intervals": quantity.counted(len(fired), "interval"), "time": timeline.when(analysis, first)}
    if still:
        return say(
            "{intervals}, the first from {time} UTC, {n} still firing when the logs end.", **told, n=f"{still:,}"
        )
    return say("{intervals}, the first from {time} UTC, all resolved before the logs end.", **told)


def _alert_row(alert: Alert, analysis: Analysis) -> Row:
    held = _held(alert, analysis)
    fired_us = alert.pending_us if alert.fired_us is None else alert.fired_us
    return Row(
        (
            Cell(say(alert.severity), view.TONES[alert.severity]),
            Cell(alert.alert.replace("_", " ")),
            Cell(say("fleet") if alert.worker is None else alert.worker),
            Cell(quantity.moment(fired_us), sort=fired_us),
            Cell(
                say("still firing") if alert.resolved_us is None else quantity.moment(alert.resolved_us),
                sort=alert.resolved_us,
            ),
            Cell(quantity.duration(held), sort=held),
            Cell(quantity.NOTHING if alert.peak is None else f"{alert.peak:,.4g}", sort=alert.peak),
        )
    )


def _advice_row(advice: Recommendation) -> Row:
    return Row(
        (
            Cell(spoken(advice.title)),
            Cell(_change(advice)),
            Cell(spoken(advice.reason)),
            Cell(view.evidence(advice.workers, 5)),
            Cell(view.evidence(advice.evidence)),
        )
    )


def _change(advice: Recommendation) -> str:
    if not advice.setting:
        return say("no setting")
    before = spoken(advice.current) if advice.current else say("default")
    return say("{setting}: {before} to {after}", setting=advice.setting, before=before, after=advice.proposed)


def _claim_row(claim: Disagreement) -> Row:
    metric = CATALOGUE.get(claim.metric)
    title = claim.metric if metric is None else say(metric.title)
    claimed, shown = (
        f"{amount:,.4g}"
        if metric is None and amount is not None
        else quantity.value(metric or CATALOGUE["uptime_s"], amount)
        for amount in (claim.claimed, claim.shown)
    )
    return Row(
        (
            Cell(claim.worker),
            Cell(title),
            Cell(claimed, sort=claim.claimed),
            Cell(say("nothing to show") if claim.shown is None else shown, sort=claim.shown),
            Cell(quantity.moment(claim.at_us), sort=claim.at_us),
            Cell(spoken(claim.explanation)),
            Cell(view.evidence(claim.evidence)),
        )
    )
