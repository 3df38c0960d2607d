"""Rules for Prometheus: what they say, what is refused, and that a real promtool fires them in the same intervals."""

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import oracle
import pytest
from typer.testing import CliRunner

from recontool.alerts.backtest import backtest, grid
from recontool.alerts.export import expression, prometheus_rules
from recontool.alerts.rules import BUILT_IN, Rule
from recontool.cli import command_line
from recontool.model.errors import UsageError
from recontool.model.prometheus import EXPORTED
from recontool.model.units import SECOND_US

ROOT = Path(__file__).parents[2]
PROMTOOL = shutil.which("promtool", path=f"{ROOT / '.promtool/usr/bin'}{os.pathsep}{os.environ.get('PATH', '')}")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="there is no promtool; `make promtool` unpacks Debian's")

SAID = {
    "avg_message_latency_ms > 200": "recontool_avg_message_latency_seconds > 0.2",
    "200 < avg_message_latency": "0.2 < recontool_avg_message_latency_seconds",
    "rate(reconnections[1m]) * 60 > 3": "(rate(recontool_reconnections_total[1m]) * 60) > 3",
    "failed_reconnections_total > 0": "recontool_failed_reconnections_total > 0",
    "avg(avg_message_latency_ms[1m]) >= 0.7": "avg_over_time(recontool_avg_message_latency_seconds[1m]) >= 0.0007",
    "count(avg_message_latency_ms[15m]) > 3": "count_over_time(recontool_avg_message_latency_seconds[15m]) > 3",
    "avg_message_latency_ms / 2 > 100": "((recontool_avg_message_latency_seconds * 1000) / 2) > 100",
    "compression_time_ms > decompression_time_ms": (
        "recontool_compression_time_seconds > recontool_decompression_time_seconds"
    ),
    "-queue_depth + abs(queue_depth) != 0": (
        "((-recontool_queue_depth) + abs(recontool_queue_depth)) < 0"
        " or ((-recontool_queue_depth) + abs(recontool_queue_depth)) > 0"
    ),
    "not queue_depth > 3": "(recontool_queue_depth + 3) unless (recontool_queue_depth > 3)",
    "queue_depth > 1 unless uptime_s < 60": "(recontool_queue_depth > 1) unless (recontool_uptime_seconds < 60)",
}


@pytest.mark.parametrize("condition", SAID)
def test_what_a_condition_becomes(condition):
    assert expression(Rule("r", condition)) == SAID[condition]


FLEET = {
    "reconnections_per_minute > 30": "sum(recontool_reconnections_per_minute) > 30",
    "max(avg_message_latency_ms[2m]) > 500": "max(max_over_time(recontool_avg_message_latency_seconds[2m])) > 0.5",
    "compression_ratio < 1.5": "avg(recontool_compression_ratio) < 1.5",
    "absent(queue_depth[5m])": "absent(recontool_queue_depth)",
    "not absent(queue_depth[5m])": "count(recontool_queue_depth)",
}


@pytest.mark.parametrize("condition", FLEET)
def test_what_it_becomes_for_the_fleet(condition):
    assert expression(Rule("r", condition, scope="fleet")) == FLEET[condition]


def test_hysteresis_asks_whether_the_alert_fires_already():
    rule = Rule("lag", "avg_message_latency_ms > 200", clear_when="avg_message_latency_ms <= 150")
    assert expression(rule) == (
        "(recontool_avg_message_latency_seconds > 0.2) or ((recontool_avg_message_latency_seconds > 0.15)"
        ' and on (worker) ALERTS{alertname="lag",alertstate="firing"})'
    )


REFUSED = [
    (Rule("r", "queue_depth > 1", no_data="alert"), "no_data: alert"),
    (Rule("r", "absent(queue_depth[5m])"), "absent per worker"),
    (Rule("r", "absent(queue_depth[1m])", scope="fleet"), "a setting of the server"),
    (Rule("r", "1 > 0"), "reads no metric"),
]


@pytest.mark.parametrize(("rule", "reason"), REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_cannot_be_said_is_refused_with_the_reason(rule, reason):
    with pytest.raises(UsageError, match=reason):
        prometheus_rules([*BUILT_IN, rule])


def test_the_command_exports_the_built_in_rules():
    done = CliRunner().invoke(command_line(), ["alerts", "export", "--prometheus", "--rule", "high_message_latency"])
    assert done.exit_code == 0
    assert 'expr: "recontool_avg_message_latency_seconds > 0.2"' in done.stdout


# The oracle's kinds of rule, and what they leave out: other functions, units, negation, the fleet.
MORE = (
    Rule("Inverted", "not avg_message_latency_ms > 200 and queue_depth >= 0"),
    Rule("Between", "not (avg_message_latency_ms < 100 or avg_message_latency_ms > 300) unless queue_depth > 8"),
    Rule("Unequal", "queue_depth != 5", for_us=30 * SECOND_US),
    Rule("Arithmetic", "abs(avg_message_latency_ms - 200) / 2 > 40"),
    Rule("Spread", "max(avg_message_latency_ms[1m]) - min(avg_message_latency_ms[1m]) > 150"),
    Rule("Total", "sum(queue_depth[2m]) > 80 or last(queue_depth[1m]) > 9"),
    Rule("Everyone", "queue_depth > 12", scope="fleet"),
    Rule("Mean", "task_success_rate < 0.9", scope="fleet", keep_firing_us=45 * SECOND_US),
    Rule("Busy", "rate(reconnections[2m]) * 60 > 8", scope="fleet", for_us=30 * SECOND_US),
    Rule("Hysteresis", "task_success_rate < 0.85", scope="fleet", clear_when="task_success_rate >= 0.95"),
    Rule("Gone", "absent(avg_message_latency_ms[5m])", scope="fleet", for_us=60 * SECOND_US),
)
INTERVAL_S, LAST_S = 7, 1_500


@needs_promtool
@pytest.mark.skipif(bool(oracle.missing), reason=oracle.missing)
@pytest.mark.parametrize("seed", range(6))
def test_a_real_promtool_fires_in_the_same_intervals(tmp_path, seed):
    """Debian's promtool is older than Prometheus 3: no sample lies on an edge of a window, where the two differ."""
    rules = (*oracle.rules(), *MORE)
    samples = recorded(random.Random(seed))
    rows = [
        (number * INTERVAL_S * SECOND_US, worker, metric, value)
        for (worker, metric), values in samples.items()
        for number, value in enumerate(values)
        if value is not None
    ]
    found = backtest(rules, oracle.series_of(rows), grid(0, LAST_S * SECOND_US, oracle.STEP_US))
    assert len({alert.alert for alert in found if alert.fired_us is not None}) > len(rules) * 2 // 3
    (tmp_path / "rules.yml").write_text(prometheus_rules(rules))
    (tmp_path / "test.yml").write_text(json.dumps(unit_test(rules, samples, found)))
    done = subprocess.run(
        [PROMTOOL, "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def recorded(generator):
    """(worker, metric) -> a value, "stale" or None every 7 s."""
    found = {}
    for worker in ("w1", 'w"2\\'):
        for metric, middle, spread in (
            ("avg_message_latency_ms", 200, 60),
            ("task_success_rate", 0.93, 0.05),
            ("compression_ratio", 1.6, 0.3),
            ("queue_depth", 6, 3),
        ):
            found[worker, metric] = walk(
                generator,
                lambda value, middle=middle, spread=spread: 0.7 * value + 0.3 * middle + generator.gauss(0, spread / 2),
                middle,
            )
        for metric, chance in (("reconnections", 0.35), ("failed_reconnections_total", 0.15), ("tasks_executed", 0.9)):
            found[worker, metric] = walk(
                generator,
                lambda value, chance=chance: 0 if generator.random() < 0.02 else value + (generator.random() < chance),
                0,
            )
        found[worker, "queue_depth"] = [
            value if value in {None, "stale"} else float(round(value)) for value in found[worker, "queue_depth"]
        ]
    return found


def walk(generator, following, value):
    values, silent = [], 0
    for number in range(LAST_S // INTERVAL_S + 1):
        value = following(value)
        if silent == 0 and generator.random() < 0.01:
            silent = generator.choice([3, 10, 60])
        silent = max(silent - 1, 0)
        on_an_edge = number * INTERVAL_S % 15 == 0
        if on_an_edge or silent:
            values.append(None)
        else:
            values.append("stale" if generator.random() < 0.01 else float(value))
    return values


def unit_test(rules, samples, found):
    """The test file that holds exactly when promtool sees the firings of `found`."""
    series = [
        {
            "series": f"{EXPORTED[metric].name}{{worker={json.dumps(worker)}}}",
            "values": " ".join(shown(value, EXPORTED[metric].factor) for value in values),
        }
        for (worker, metric), values in samples.items()
    ]
    checks = [
        {
            "eval_time": f"{at_s}s",
            "alertname": rule.name,
            "exp_alerts": [
                expected(rule, alert) for alert in found if alert.alert == rule.name and fires(alert, at_s * SECOND_US)
            ],
        }
        for at_s in range(0, LAST_S + 1, 15)
        for rule in rules
    ]
    return {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "15s",
        "tests": [{"interval": f"{INTERVAL_S}s", "input_series": series, "alert_rule_test": checks}],
    }


def shown(value, factor):
    if value is None or value == "stale":
        return value or "_"
    return repr(value * factor)


def fires(alert, at_us):
    return (
        alert.fired_us is not None
        and alert.fired_us <= at_us
        and (alert.resolved_us is None or at_us < alert.resolved_us)
    )


def expected(rule, alert):
    labels = {"severity": rule.severity} | ({} if alert.worker is None else {"worker": alert.worker})
    return {"exp_labels": labels, "exp_annotations": {"summary": rule.name, "condition": rule.condition}}


@needs_promtool
def test_promtool_accepts_every_rule_that_is_exported(tmp_path):
    rules = [
        *BUILT_IN,
        *(
            Rule(f"r{number}", condition, description='{{ $labels }} "quoted" \n newline')
            for number, condition in enumerate(SAID)
        ),
        *(Rule(f"f{number}", condition, scope="fleet") for number, condition in enumerate(FLEET)),
    ]
    (tmp_path / "rules.yml").write_text(prometheus_rules(rules))
    done = subprocess.run(
        [PROMTOOL, "check", "rules", "rules.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(rules)} rules found" in done.stdout
