"""`recontool alerts backtest`: the oracle's cases as CSV and Parquet files, logs, grids, formats and errors."""

import csv
import io
import json
from datetime import UTC, datetime

import numpy as np
import oracle
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stories import tagged
from typer.testing import CliRunner

import recontool
from recontool.cli import command_line
from recontool.model.errors import NoDataError, ReconError, UsageError
from recontool.model.instant import from_datetime, iso
from recontool.model.units import SECOND_US
from recontool.storage.snapshots import Sample, write

START_US = from_datetime(datetime(2026, 11, 24, 10, tzinfo=UTC))
needs_oracle = pytest.mark.skipif(bool(oracle.missing), reason=oracle.missing)


def backtest(*arguments):
    """The JSON of a backtest."""
    done = CliRunner().invoke(command_line(), ["alerts", "backtest", *map(str, arguments), "--format", "json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0
    return json.loads(done.stdout)


def firings(*arguments):
    """(alert, worker, fired, resolved) in seconds since START."""
    return [
        (one["alert"], one["worker"], since_start(one["fired_at"]), since_start(one["resolved_at"]))
        for one in backtest(*arguments)["alerts"]
    ]


def since_start(text):
    return None if text is None else (from_datetime(datetime.fromisoformat(text)) - START_US) / SECOND_US


def rows_of(case):
    """(at_us, worker) -> metric -> value."""
    rows = {}
    for at_us, worker, metric, value in oracle.samples(case):
        rows.setdefault((START_US + at_us, worker), {})[metric] = value
    return rows


def as_csv(case, path):
    rows = rows_of(case)
    metrics = sorted({metric for values in rows.values() for metric in values})
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["at", "worker", *metrics])
        for (at_us, worker), values in rows.items():
            writer.writerow([iso(at_us), worker, *(cell(values.get(metric)) for metric in metrics)])


def cell(value):
    special = {None: "", np.inf: "+Inf", -np.inf: "-Inf"}
    return special.get(value, value)  # NaN is written as nan


def as_parquet(case, path):
    """Numbers, with the end of a series as the NaN that Prometheus uses for it."""
    stale = np.array([0x7FF0000000000002], dtype=np.uint64).view(np.float64)[0]
    rows = rows_of(case)
    metrics = sorted({metric for values in rows.values() for metric in values})
    columns = {
        "at": pa.array([at_us for at_us, _ in rows], pa.timestamp("us", tz="UTC")),
        "worker": pa.array([worker for _, worker in rows]),
    }
    for metric in metrics:
        values = [row.get(metric) for row in rows.values()]
        present = np.array([value is not None for value in values])
        numbers = np.array([0.0 if value in {None, "stale"} else value for value in values], dtype=np.float64)
        numbers[[value == "stale" for value in values]] = stale
        columns[metric] = pa.array(numbers, mask=~present)
    pq.write_table(pa.table(columns), path)


@needs_oracle
@pytest.mark.parametrize("write", [as_csv, as_parquet], ids=["csv", "parquet"])
@pytest.mark.parametrize("case", oracle.CASES, ids=lambda case: case["name"])
def test_the_command_decides_as_prometheus_did(tmp_path, case, write):
    path = tmp_path / ("case.csv" if write is as_csv else "case.parquet")
    write(case, path)
    until = iso(START_US + case["last_eval_s"] * SECOND_US)
    rules = oracle.FOLDER / "rules.yaml"
    found = backtest(path, "--rules", rules, "--since", iso(START_US), "--until", until)["alerts"]
    moments = [
        (
            one["alert"],
            one["worker"],
            *(
                None if at is None else since_start(at) * SECOND_US
                for at in (one["pending_at"], one["fired_at"], one["resolved_at"])
            ),
        )
        for one in found
    ]
    assert oracle.intervals(moments) == oracle.expected(case)


HEAD = "at,worker,avg_message_latency_ms,task_success_rate\n"


def table(*rows):
    """CSV text of (second, worker, cells)."""
    return HEAD + "".join(
        f"{iso(START_US + round(second * SECOND_US))},{worker},{cells}\n" for second, worker, cells in rows
    )


def test_the_json_is_the_contract(tmp_path):
    (tmp_path / "s.csv").write_text(table((0, "w", "100,"), (15, "w", "300,"), (30, "w", "250.5,"), (45, "w", "50,")))
    assert backtest(tmp_path / "s.csv") == {
        "alerts": [
            {
                "alert": "high_message_latency",
                "severity": "WARNING",
                "worker": "w",
                "pending_at": "2026-11-24T10:00:15.000000Z",
                "fired_at": "2026-11-24T10:00:15.000000Z",
                "resolved_at": "2026-11-24T10:00:45.000000Z",
                "peak": 300.0,
            }
        ]
    }


RULES = """
alerts:
  g:
    lag: {condition: "avg_message_latency_ms > 200", for: 30s}
    low: {condition: "task_success_rate < 0.95 or avg_message_latency_ms > 1000", severity: CRITICAL}
    gone: {condition: "absent(avg_message_latency_ms[5m])", scope: fleet}
"""


INTERVALS = {
    "pending only": (["300,", "300,", "50,"], [("lag", 0, None, 30, 300.0)]),
    "fired": (["300,", "300,", "400,", "50,"], [("lag", 0, 30, 45, 400.0)]),
    "an infinite extreme is none": (
        ["300,", "+Inf,", "400,", "50,"],
        [("lag", 0, 30, 45, None), ("low", 15, 15, 30, None)],
    ),
    "below a limit the least counts": ([",0.9", ",0.5", ",1"], [("low", 0, 0, 30, 0.5)]),
    "NaN ends it and is no extreme": ([",NaN", ",0.5", ",NaN"], [("low", 15, 15, 30, 0.5)]),
    "stale ends it": ([",0.5", ",stale", ","], [("low", 0, 0, 15, 0.5)]),
    "an empty cell changes nothing": ([",0.5", ",", ",0.4"], [("low", 0, 0, None, 0.4)]),
}


@pytest.mark.parametrize(("cells", "expected"), INTERVALS.values(), ids=INTERVALS)
def test_intervals_and_peaks(tmp_path, cells, expected):
    (tmp_path / "r.yaml").write_text(RULES)
    (tmp_path / "s.csv").write_text(table(*((15 * number, "w", cell) for number, cell in enumerate(cells))))
    found = [
        (one["alert"], *(since_start(one[name]) for name in ("pending_at", "fired_at", "resolved_at")), one["peak"])
        for one in backtest(tmp_path / "s.csv", "--rules", tmp_path / "r.yaml")["alerts"]
        if one["worker"] is not None
    ]
    assert found == expected


def test_the_grid_starts_at_since_and_earlier_samples_feed_it(tmp_path):
    rows = [(second, "w", f"{300 if second < 100 else 50},") for second in range(0, 200, 10)]
    (tmp_path / "s.csv").write_text(table(*rows))
    window = ("--since", iso(START_US + 62 * SECOND_US), "--until", iso(START_US + 122 * SECOND_US), "--step", "20s")
    assert firings(tmp_path / "s.csv", *window) == [("high_message_latency", "w", 62, 102)]


def test_times_may_be_unix_seconds_or_carry_another_zone(tmp_path):
    for number, at in enumerate(
        [
            "1795557600",
            "1795557600.0",
            "1795557600000",
            "1795557600000000000",
            "2026-11-25T11:20:00+13:20",
            "2026-11-24T22:00:00",
        ]
    ):
        path = tmp_path / f"{number}.csv"
        path.write_text(f"at,worker,queue_depth,compression_ratio\n{at},w,1,1.2\n")
        assert (
            backtest(path, "--since", "2026-11-24T22:00:00Z")["alerts"][0]["fired_at"] == "2026-11-24T22:00:00.000000Z"
        )


def test_rows_may_stand_in_any_order_and_files_join(tmp_path):
    (tmp_path / "b.csv").write_text(table((30, "w", "50,"), (15, "w", "300,")))
    (tmp_path / "a.csv").write_text(table((0, "w", "300,"), (0, "v", "300,"), (15, "w", "300,")))
    assert firings(tmp_path / "b.csv", tmp_path / "a.csv") == [
        ("high_message_latency", "w", 0, 30),
        ("high_message_latency", "v", 0, None),
    ]


def test_a_head_that_is_no_csv_is_told_or_read_as_a_log(tmp_path):
    samples, log = tmp_path / "s.csv", tmp_path / "w.log"
    samples.write_text('at,worker,"' + "x" * 200_000)
    with pytest.raises(UsageError, match=r"s\.csv:1: is no CSV: field larger"):
        backtest(samples)
    log.write_bytes(b"at,worker\rqueue_depth\n" + tagged([(1, "[CONNECT] established")]).encode())
    assert backtest(log)["alerts"] == []


def test_an_alias_stands_for_its_metric(tmp_path):
    (tmp_path / "s.csv").write_text(f"at,worker,avg_message_latency\n{iso(START_US)},w,300\n")
    assert firings(tmp_path / "s.csv") == [("high_message_latency", "w", 0, None)]


def test_a_parquet_file_may_hold_text_and_whole_numbers(tmp_path):
    columns = {
        "at": [pd.Timestamp("2026-11-24T10:00:00Z"), pd.Timestamp("2026-11-24T10:00:15Z")],
        "worker": pd.Categorical(["w", "w"]),
        "avg_message_latency_ms": [300, 301],
        "compression_ratio": ["1.2", "stale"],
        "task_success_rate": [None, None],
    }
    pd.DataFrame(columns).to_parquet(tmp_path / "no-suffix")
    assert firings(tmp_path / "no-suffix") == [("high_message_latency", "w", 0, None), ("low_compression", "w", 0, 15)]


BROKEN = {
    "no time": ("at,worker,queue_depth\nnoon,w,1\n", "s.csv:2:1", "no time"),
    "no value": (f"at,worker,queue_depth\n{iso(START_US)},w,high\n", "s.csv:2:3", "no value"),
    "digits with underscores": (f"at,worker,queue_depth\n{iso(START_US)},w,1_0\n", "s.csv:2:3", "no value"),
    "a short row": (f"at,worker,queue_depth\n{iso(START_US)},w\n", "s.csv:2", "2 cells"),
    "a cell without end": (f'at,worker,queue_depth\n{iso(START_US)},"{"w" * 200_000}",1\n', "s.csv:2", "no CSV"),
    "a column twice": ("at,worker,queue_depth,queue_depth\n", "s.csv:1", "twice"),
}


@pytest.mark.parametrize(("text", "where", "told"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_with_its_place(tmp_path, text, where, told):
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(UsageError) as raised:
        backtest(tmp_path / "s.csv")
    assert raised.value.where == where
    assert told in raised.value.problem


@pytest.mark.parametrize(
    "arguments",
    [
        ["--step", "0s"],
        ["--step", "x"],
        ["--rule", "nope"],
        ["--sweep", "limit=1"],
        ["--sweep", "threshold=9..1"],
        ["--since", "2026-11-25"],
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path, arguments):
    (tmp_path / "s.csv").write_text(table((0, "w", "100,")))
    with pytest.raises(UsageError):
        backtest(tmp_path / "s.csv", *arguments)


def test_a_file_without_samples_is_no_data(tmp_path):
    (tmp_path / "s.csv").write_text(HEAD)
    with pytest.raises(NoDataError):
        backtest(tmp_path / "s.csv")


def test_unknown_columns_and_unread_metrics_are_told(tmp_path):
    (tmp_path / "s.csv").write_text(f"at,worker,queue_dept\n{iso(START_US)},w,1\n{iso(START_US)},w,1\n")
    with pytest.raises(ReconError, match="did you mean queue_depth"):
        backtest(tmp_path / "s.csv")
    (tmp_path / "t.csv").write_text(f"at,worker,queue_depth\n{iso(START_US)},w,1\n")
    done = CliRunner().invoke(command_line(), ["alerts", "backtest", str(tmp_path / "t.csv")])
    assert "rule low_compression reads compression_ratio, of which the input holds no sample" in done.stderr


def test_csv_and_markdown_keep_every_worker_id_in_its_cell(tmp_path):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["at", "worker", "compression_ratio"])
    workers = ["a,b", 'c"d', "e|f<g>", "two\nlines", " ", ""]
    writer.writerows([iso(START_US), worker, 1.0] for worker in workers)
    (tmp_path / "s.csv").write_text(out.getvalue())
    shown = (
        CliRunner().invoke(command_line(), ["alerts", "backtest", str(tmp_path / "s.csv"), "--format", "csv"]).stdout
    )
    assert [row["worker"] for row in csv.DictReader(io.StringIO(shown))] == workers
    assert {row["evidence"] for row in csv.DictReader(io.StringIO(shown))} <= {f"s.csv:{line}" for line in range(2, 10)}
    lines = (
        CliRunner()
        .invoke(command_line(), ["alerts", "backtest", str(tmp_path / "s.csv"), "--format", "markdown"])
        .stdout
    )
    assert [line.count(" | ") for line in lines.strip().splitlines()] == [7] * (2 + len(workers))


def test_the_screen_fits_its_width(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    rows = [(15 * n, f"worker-with-a-long-name-{n % 3}", f"{100 + n % 7 * 40},0.{80 + n}") for n in range(20)]
    (tmp_path / "samples-of-a-long-night.csv").write_text(table(*rows))
    shown = (
        CliRunner()
        .invoke(command_line(), ["alerts", "backtest", str(tmp_path / "samples-of-a-long-night.csv"), "-q"])
        .stdout
    )
    assert max(map(len, shown.splitlines())) <= 80
    assert "high_message_latency  WARNING" in shown


def story(folder, *lines):
    (folder / "worker-1.log").write_text(tagged([(0, "config role=worker"), (1, "[CONNECT] established"), *lines]))
    return folder / "worker-1.log"


def flaps(start, count, every):
    """`count` reconnections, every one on the first try."""
    return [
        part
        for number in range(count)
        for at in [start + number * every]
        for part in (
            (at, "[RECONNECT] lost cause=closed"),
            (at + 0.25, "[RECONNECT] attempt n=1"),
            (at + 0.5, "[RECONNECT] established n=1"),
        )
    ]


def test_a_worker_that_reconnects_60_times_a_minute_is_found(tmp_path):
    """Attempts equal successes, so nothing but the rate tells."""
    log = story(tmp_path, *flaps(60, 120, 1), (400, "x y"))
    (found,) = backtest(log)["alerts"]
    # 0.5 s after each whole second: at 75 s the window holds 15, at 120 s the full 60; at 225 s 14, at 240 s none.
    assert (found["alert"], since_start(found["fired_at"]), since_start(found["resolved_at"]), found["peak"]) == (
        "high_reconnection_rate",
        75,
        240,
        60.0,
    )


def test_windows_over_a_log_count_exactly(tmp_path):
    """A log shows every reconnection: nothing is extrapolated, exactly three in a minute are not more than three."""
    (tmp_path / "r.yaml").write_text(
        "alerts: {g: {more: {condition: 'increase(reconnections[1m]) > 3'}, three: {condition: 'rate(reconnections[1m]) * 60 == 3'}}}"
    )
    log = story(tmp_path, *flaps(61, 3, 5), (300, "x y"))
    assert firings(log, "--rules", tmp_path / "r.yaml") == [("three", "worker-1", 75, 135)]


def test_an_orderly_end_ends_the_alert(tmp_path):
    lines = [(10, "[COMPRESS] compressed raw_bytes=10 wire_bytes=9"), (40, "[CONNECT] closed code=1000"), (200, "x y")]
    until = iso(START_US + 60 * SECOND_US)
    assert firings(story(tmp_path, *lines), "--until", until) == [("low_compression", "worker-1", 15, 45)]


def test_a_long_silence_is_unknown(tmp_path):
    worst, better = "[COMPRESS] compressed raw_bytes=10 wire_bytes=9", "[COMPRESS] compressed raw_bytes=1 wire_bytes=1"
    # It ends five minutes after the last record; the next one comes after the last evaluation.
    assert firings(story(tmp_path, (10, worst), (1000, better))) == [("low_compression", "worker-1", 15, 315)]


def test_a_sweep_tells_what_each_threshold_would_catch(tmp_path):
    log = story(
        tmp_path,
        *flaps(60, 6, 5),
        (300, "[RECONNECT] lost cause=closed"),
        (330, "[RECONNECT] established n=1"),
        (600, "x y"),
    )
    rows = backtest(log, "--rule", "high_reconnection_rate", "--sweep", "threshold=0..6:2", "--sweep", "for=0s,1m")[
        "sweep"
    ]
    found = {
        (row["threshold"], row["for"]): (row["firings"], row["caught"], row["missed"], row["false_alarms"])
        for row in rows
    }
    assert found == {
        ("0", "0s"): (2, 7, 0, 0),
        ("0", "1m"): (1, 6, 1, 0),
        ("2", "0s"): (1, 6, 1, 0),
        ("2", "1m"): (1, 6, 1, 0),
        ("4", "0s"): (1, 6, 1, 0),
        ("4", "1m"): (0, 0, 7, 0),
        ("6", "0s"): (0, 0, 7, 0),
        ("6", "1m"): (0, 0, 7, 0),
    }


def test_without_logs_a_sweep_cannot_tell_what_was_caught(tmp_path):
    (tmp_path / "s.csv").write_text(table((0, "w", "300,"), (15, "w", "100,")))
    rows = backtest(tmp_path / "s.csv", "--rule", "high_message_latency", "--sweep", "threshold=100,300")["sweep"]
    assert [(row["threshold"], row["firings"], row["caught"]) for row in rows] == [("100", 1, None), ("300", 0, None)]


def test_the_library_gives_the_same_as_a_frame(tmp_path):
    (tmp_path / "s.csv").write_text(table((0, "w", "100,"), (15, "w", "300,"), (30, "w", "50,0.9")))
    frame = recontool.backtest(tmp_path / "s.csv")
    assert frame[["alert", "worker", "peak", "evidence"]].to_numpy().tolist() == [
        ["high_message_latency", "w", 300.0, "s.csv:3"],
        ["task_failures", "w", 0.9, "s.csv:4"],
    ]
    assert frame["fired_at"].tolist() == [pd.Timestamp("2026-11-24T10:00:15Z"), pd.Timestamp("2026-11-24T10:00:30Z")]
    assert frame["resolved_at"].isna().tolist() == [False, True]
    assert recontool.backtest(tmp_path / "s.csv", until="2026-11-24T10:00:00").empty


def test_workers_of_a_log_may_lack_what_others_have(tmp_path):
    (tmp_path / "r.yaml").write_text(
        "alerts: {g: {r: {condition: 'increase(tasks_executed[5s]) > 0'}, s: {condition: 'not rate(reconnections[20s]) > 0'}}}"
    )
    busy = [(0, "config role=worker"), (1, "[CONNECT] established"), (31, "[TASK] started task=a"), (100, "x y")]
    (tmp_path / "a.log").write_text(tagged(busy, source="a"))
    (tmp_path / "z.log").write_text(tagged([(2, "plain words"), (3, "[SECURITY] auth_ok"), (90, "x y")], source="z"))
    found = firings(tmp_path / "a.log", tmp_path / "z.log", "--rules", tmp_path / "r.yaml", "--step", "2s")
    assert found == [("s", "a", 0, None), ("s", "z", 4, None), ("r", "a", 32, 36)]


def test_events_win_over_snapshots_of_the_same_worker(tmp_path):
    log = story(tmp_path, (10, "[COMPRESS] compressed raw_bytes=10 wire_bytes=2"), (60, "x y"))
    (tmp_path / "s.csv").write_text(f"at,worker,compression_ratio\n{iso(START_US + 20 * SECOND_US)},worker-1,1.0\n")
    assert firings(log, tmp_path / "s.csv") == []


def test_a_newer_snapshot_file_is_refused(tmp_path):
    columns = pa.table({"at": [0], "worker": ["w"], "queue_depth": [1.0]})
    pq.write_table(columns.replace_schema_metadata({"recontool.snapshots": "99"}), tmp_path / "s.parquet")
    with pytest.raises(UsageError, match="snapshot schema"):
        backtest(tmp_path / "s.parquet")


def test_a_coordinators_snapshots_are_read(tmp_path):
    latency = [100, 300, None, float("nan"), 300]
    samples = [
        Sample(START_US + 15 * number * SECOND_US, "w", {"avg_message_latency_ms": value, "uptime_s": 15.0 * number})
        for number, value in enumerate(latency)
    ]
    write(tmp_path / "snapshots", samples)
    assert firings(tmp_path) == [("high_message_latency", "w", 15, 45), ("high_message_latency", "w", 60, None)]
