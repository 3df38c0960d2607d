"""The notebook surface: typed frames, figures, cards without script; empty where there is nothing, never of another type."""

from html.parser import HTMLParser

import pandas as pd
import pytest
from fleet_builder import fleet
from stories import tagged

import recontool
from recontool.api.run import Run
from recontool.model.errors import NoDataError, ReconError
from recontool.report.notebook import comparison_card, run_card

FRAMES = ("events", "attempts", "outages", "incidents", "metrics", "alerts", "recommendations")
STORY = [
    (0, "config role=worker log_level=INFO"),
    (1, "[CONNECT] attempt n=1 url=ws://h:1/"),
    (2, "[CONNECT] established session=a took_s=0.75"),
    (10, "[RECONNECT] lost cause=closed code=1006"),
    (11, "[RECONNECT] attempt n=1"),
    (11.5, "[RECONNECT] failed n=1 error=refused"),
    (12, "[RECONNECT] attempt n=2"),
    (12.5, "[TASK] started task=a"),
    (12.6, "[TASK] failed task=a took_ms=1.5 error=boom"),
    (13, "[RECONNECT] attempt n=3"),
    (13.25, "[RECONNECT] established n=3"),
    (20, "[RECONNECT] lost cause=closed"),
    (21, "[RECONNECT] attempt n=1"),
]
HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m\u202e"


@pytest.fixture
def run(tmp_path):
    (tmp_path / "worker-1.log").write_text(tagged(STORY))
    (tmp_path / "worker-2.log").write_text(tagged(STORY, source="worker-2"))
    return recontool.load(tmp_path)


@pytest.fixture
def empty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coordinator-only")
    (folder / "coordinator.log").write_text(tagged([(0, "config role=coordinator")], source="coordinator"))
    return recontool.load(folder)


def test_attempts_say_how_each_try_ended(run):
    mine = run.attempts[run.attempts["worker"] == "worker-1"]
    assert list(mine["outcome"]) == ["established", "failed", "failed", "established", "failed"]
    assert list(mine["marker"]) == ["CONNECT", *["RECONNECT"] * 4]
    assert list(mine["n"]) == [1, 1, 2, 3, 1]
    assert list(mine["took_s"].round(3).fillna(-1)) == [0.75, 0.5, -1, 0.25, -1]
    assert list(mine["error"]) == ["", "refused", "", "", ""]
    assert list(mine["line"]) == [2, 5, 7, 10, 13]


def test_attempts_add_up_to_the_metrics(run):
    attempts = run.metrics.query("worker == 'fleet' and metric == 'connection_attempts'")["value"].item()
    failed = sum(worker.derived["failed_reconnections_total"] for worker in run.analysis.workers.values())
    assert len(run.attempts) == attempts
    assert (run.attempts["outcome"] == "failed").sum() == failed


def test_attempts_of_logs_that_share_an_id_stay_apart(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.log").write_text(tagged(STORY))
    found = recontool.load(tmp_path)
    assert set(found.attempts["worker"]) == {"worker-1@a.log", "worker-1@b.log"} == set(found.outages["worker"])


def test_frames_are_typed(run):
    assert str(run.attempts["at"].dtype) == "datetime64[us, UTC]"
    assert run.alerts["severity"].cat.ordered
    assert run.outages["end"].isna().sum() == 2
    assert set(run.metrics["status"].cat.categories) == {"ok", "outside", "no_data"}
    (incident,) = run.incidents.to_dict("records")[:1]
    assert incident["outages"] == 2
    assert incident["workers"] == ["worker-1", "worker-2"]


@pytest.mark.parametrize("name", FRAMES)
def test_an_empty_frame_has_the_columns_of_a_full_one(run, empty, name):
    full, nothing = getattr(run, name), getattr(empty, name)
    assert list(full.columns) == list(nothing.columns)
    kinds = [[str(kind) for kind in frame.dtypes] for frame in (full, nothing)]
    assert kinds[0] == kinds[1]


def test_snapshots_alone_have_metrics_and_no_events(run, tmp_path):
    from recontool.storage import snapshots
    from recontool.storage.snapshots import Sample

    snapshots.write(tmp_path / "snapshots", [Sample(1_795_507_200_000_000, "worker-1", {"tasks_executed": 5})])
    found = recontool.load(tmp_path / "snapshots")
    assert (len(found.events), len(found.attempts)) == (0, 0)
    assert list(found.events.columns) == list(run.events.columns)
    assert found.metrics.query("worker == 'worker-1' and metric == 'tasks_executed'")["value"].item() == 5


def test_plots_are_figures_or_say_why_not(run, empty):
    for name in ("timeline", "connected", "outages", "reconnect_times", "tasks", "task_times", "alerts"):
        assert getattr(run.plot, name)().data, name
    with pytest.raises(NoDataError, match="no worker log"):
        empty.plot.timeline()
    with pytest.raises(NoDataError, match="was logged with its time"):
        Run([], fleet_without_activity()).plot.messages()


def fleet_without_activity():
    from msgspec.structs import replace

    found = fleet(2)
    return replace(found, workers={key: replace(worker, activity=()) for key, worker in found.workers.items()})


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def assert_static(card):
    seen = Tags()
    seen.feed(card)
    assert seen.tags <= {"div", "p", "strong", "table", "thead", "tbody", "tr", "th", "td"}
    assert seen.attributes <= {"style", "scope"}
    assert len(card.encode()) < 20_000
    assert "\x1b" not in card
    assert "\u202e" not in card


def test_cards_hold_no_script_and_nothing_hidden(run):
    assert "connection_stability" in run._repr_html_()
    for card in (run._repr_html_(), run_card(fleet(500, text=HOSTILE)), run_card(fleet(0, text=HOSTILE))):
        assert_static(card)
    found = recontool.compare(Run([HOSTILE * 50], fleet(9, text=HOSTILE)), Run(["b"], fleet(9)))
    assert "&lt;script&gt;" in found._repr_html_()
    assert_static(found._repr_html_())
    assert_static(comparison_card(found.comparison))


def test_compare_takes_runs_and_paths(run, tmp_path):
    by_path, by_run = recontool.compare(tmp_path, str(tmp_path)), recontool.compare(run, run)
    pd.testing.assert_frame_equal(by_path.table, by_run.table)
    assert list(by_run.table.columns[:4]) == ["measure", "unit", "base", "new"]
    assert by_run.table["verdict"].cat.categories[0] == "worse"
    assert (by_run.table["change"].dropna() == 0).all()
    assert "12 without enough data" in repr(by_run)
    assert by_run.report(tmp_path / "c.html").read_text().startswith("<!doctype html>")


def test_load_says_what_it_reads_with(tmp_path):
    (tmp_path / "worker-1.log").write_text(tagged(STORY) + "damaged\n")
    assert repr(recontool.load(tmp_path)) == "<recontool.Run 1 workers, 2 outages: CRITICAL>"
    with pytest.raises(ReconError, match="unknown time zone 'Mars/Base'"):
        recontool.load(tmp_path, tz="Mars/Base")
    with pytest.raises(ReconError, match="strict"):
        recontool.load(tmp_path, strict=True)
