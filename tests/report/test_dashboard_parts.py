"""What the live page says, part by part: verdict, views and bounds, whatever peers wrote."""

import math
import re
from html import unescape

import pytest
from msgspec.structs import replace

from recontool.model.catalogue import CATALOGUE, DOCUMENTED
from recontool.model.live import Live, LiveProcess, LiveSession, LiveWorker
from recontool.model.units import SECOND_US
from recontool.report.dashboard.page import ROWS, TITLES, LivePage
from recontool.report.dashboard.workers import LANES

NOW_US = 1_795_507_200 * SECOND_US
CALM = LiveProcess("0.1.0", NOW_US - 100 * SECOND_US, 0.03, 71 * 2**20, 0.004, 3, 1, 2, 0.1, 4, 9 * 2**30)
RULE = {"alert": "a_rule", "condition": "queue_depth > 1", "severity": "WARNING", "health": "ok", "error": None}
GOOD = {metric.name: 1.0 for metric in DOCUMENTED} | {"compression_ratio": 3.0, "connection_attempts": 2}


def worker(name, *, end_s=None, orderly=False, heard_s=-3, **metrics):
    end_us = None if end_s is None else NOW_US + end_s * SECOND_US
    sessions = [LiveSession(NOW_US - 60 * SECOND_US, end_us, orderly=orderly)]
    return LiveWorker(
        name, sessions, int(end_s is not None and not orderly), NOW_US + heard_s * SECOND_US, GOOD | metrics, 0
    )


def alert(severity="WARNING", state="firing", **more):
    at = "2026-11-24T08:00:00.000001Z"
    plain = {"alert": "a_rule", "worker": "w-1", "value": 1.0, "peak": 2.0, "condition": "queue_depth > 1"}
    return {
        **plain,
        "severity": severity,
        "state": state,
        "pending_at": at,
        "fired_at": at,
        "silenced_until": None,
        **more,
    }


def live(*workers, alerts=(), process=CALM, **more):
    return Live(NOW_US, process, workers, alerts={"at": None, "alerts": alerts, "rules": [RULE], **more})


def said(found: Live) -> dict[str, str]:
    """Each part's text, one space between words."""
    return {name: words(html) for name, html in LivePage().parts(found).items()}


def words(html):
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def rows(html, caption):
    """Cells of the table whose caption begins with `caption`."""
    tables = [table for table in re.findall(r"<table>.*?</table>", html, re.DOTALL) if f"<caption>{caption}" in table]
    assert len(tables) == 1, caption
    body = tables[0].partition("<tbody>")[2]
    return [
        [words(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)] for row in body.split("</tr>")[:-1]
    ]


@pytest.mark.parametrize(
    ("found", "summary"),
    [
        (live(), "NO DATA No worker has connected yet. This page fills as soon as one does."),
        (live(worker("a")), "OK The worker is connected and nothing is wrong."),
        (live(worker("a"), worker("b")), "OK All 2 workers are connected and nothing is wrong."),
        (live(worker("a"), worker("b", end_s=-1)), "WARNING 1 of 2 workers is away."),
        (live(worker("a", end_s=-1)), "CRITICAL 1 of 1 worker is away."),
        (live(worker("a", end_s=-1, orderly=True)), "NO DATA Every worker has said goodbye. Their last numbers are below."),
        (live(worker("a"), worker("b", end_s=-1, orderly=True)), "OK The worker is connected and nothing is wrong."),
        (live(worker("a"), alerts=[alert()]), "WARNING 1 alert fires."),
        (live(worker("a"), alerts=[alert(), alert("CRITICAL")]), "CRITICAL 2 alerts fire, 1 critical."),
        (live(worker("a"), alerts=[alert("INFO")]), "OK The worker is connected and nothing is wrong. 1 alert for information."),
        (live(worker("a"), alerts=[alert(), alert("INFO")]), "WARNING 1 alert fires. 1 alert for information."),
        (live(worker("a"), alerts=[alert(state="pending")]), "OK The worker is connected and nothing is wrong."),
        (
            live(worker("a", end_s=-1), worker("b"), alerts=[alert()], process=replace(CALM, lag_s=1.5)),
            "WARNING 1 of 2 workers is away. 1 alert fires; the event loop ran 1.50 s behind.",
        ),
        (
            live(worker("a"), rules=[{**RULE, "health": "broken", "error": "no"}]),
            "WARNING Rule a_rule cannot be evaluated.",
        ),
        (live(process=replace(CALM, free_bytes=2**20)), "WARNING The disk of the data folder has 1.0 MiB left."),
    ],
)  # fmt: skip
def test_the_sentence_on_top(found, summary):
    assert said(found)["summary"] == summary


def test_the_five_views_and_the_alerts_are_there_even_without_a_worker():
    text = said(live())
    assert [text[anchor].startswith(title) for anchor, title in TITLES] == [True] * 6
    assert text["workers"].endswith("Start one beside it with: recontool run-worker --worker-id worker-1")
    assert "No task was ever submitted" in text["tasks"]


def test_a_worker_is_connected_away_quiet_or_said_goodbye():
    found = LivePage().parts(
        live(
            worker("ok"),
            worker("away", end_s=-1),
            worker("quiet", heard_s=-400),
            worker("left", end_s=-1, orderly=True),
            alerts=[alert("CRITICAL", worker="ok")],
        )
    )
    quiet = live(replace(worker("quiet", heard_s=-400), sessions=[LiveSession(NOW_US - 500 * SECOND_US)]))
    table = rows(found["workers"], "Workers")
    assert [(row[0], row[1], row[-1]) for row in table] == [
        ("away", "away", "none"),
        ("ok", "connected", "1 firing"),
        ("quiet", "connected", "none"),  # it has not been here for long
        ("left", "said goodbye", "none"),
    ]
    assert rows(LivePage().parts(quiet)["workers"], "Workers")[0][1] == "no reports"


def test_values_are_set_beside_their_ranges_and_the_worst_come_first():
    found = LivePage().parts(
        live(worker("a"), worker("b", avg_reconnect_time=9.0), worker("c", avg_reconnect_time=None))
    )
    table = rows(found["reconnections"], "Reconnection Metrics: every worker")
    assert [row[0] for row in table] == ["b", "a", "c"]
    assert [row[3] for row in table] == ["▲ 9.00", "1.00", "-"]
    assert "Outside the normal range for the fleet: successful connections, average reconnect time." in words(
        found["reconnections"]
    )
    fleet = rows(found["reconnections"], "Reconnection Metrics: the fleet")
    assert fleet[2][1:4] == ["5.00 s", "0.5 to 3 s", "too high"]


def test_before_the_first_report_there_is_a_reason_and_no_number():
    fresh = replace(worker("a"), metrics={}, heard_us=0)
    found = LivePage().parts(live(fresh))
    assert rows(found["workers"], "Workers")[0][4] == "none yet"
    assert {row[5] for row in rows(found["messages"], "Message Performance: the fleet")[:-1]} == {
        "no metrics have come yet"
    }


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, 1e308, -1e300, 2**63, None])
@pytest.mark.filterwarnings("error")
def test_a_number_that_is_none_is_no_data(odd):
    found = LivePage().parts(live(worker("a", **dict.fromkeys(CATALOGUE, odd)), worker("b")))
    table = rows(found["reconnections"], "Reconnection Metrics: every worker")
    assert set({row[0]: row for row in table}["a"][1:]) == {"-"}
    assert rows(found["reconnections"], "Reconnection Metrics: the fleet")[2][1] == "1.00 s"
    assert rows(found["workers"], "Workers")[0][5:7] == ["-", "-"]


def test_five_hundred_workers_are_bounded_and_what_is_left_out_is_said():
    found = LivePage().parts(live(*(worker(f"w-{i}", end_s=-1 if i == 444 else None) for i in range(500))))
    for view, caption in (
        ("workers", "Workers"), ("reconnections", "Reconnection Metrics: every"),
        ("messages", "Message Performance: every"), ("tasks", "Task Execution: every"),
    ):  # fmt: skip
        assert len(rows(found[view], caption)) == ROWS
        assert "450 more workers" in words(found[view])
        assert "are not shown here; /api/v1/workers" in words(found[view])
    assert rows(found["workers"], "Workers")[0][:2] == ["w-444", "away"]
    assert found["workers"].count('class="strip"') == LANES
    assert sum(map(len, found.values())) < 400_000


def test_every_state_of_an_alert_has_its_table():
    silence = {
        "alert": "a*",
        "worker": "*",
        "severity": "*",
        "from": None,
        "until": "2026-11-24T09:00:00Z",
        "comment": "move",
    }
    ended = {"alert": "a_rule", "severity": "INFO", "worker": None, "value": None}
    times = {"pending_at": "2026-11-24T07:00:00Z", "resolved_at": "2026-11-24T07:30:00Z"}
    found = LivePage().parts(
        live(
            worker("w-1"),
            alerts=[alert("INFO"), alert(state="pending", worker=None, value=None), alert("CRITICAL")],
            resolved=[{**ended, **times}],
            silences=[silence],
        )
    )["alerts"]
    assert [row[0] for row in rows(found, "Firing now")] == ["CRITICAL", "INFO"]
    assert [row[2:5] for row in rows(found, "Pending")] == [["fleet", "2026-11-24 08:00:00", "-"]]
    assert rows(found, "Resolved") == [["INFO", "a rule", "fleet", "2026-11-24 07:00:00", "2026-11-24 07:30:00", "-"]]
    assert rows(found, "Silences") == [["a*", "*", "*", "-", "2026-11-24 09:00:00", "move"]]


def test_health_shows_rules_and_channels_and_what_is_wrong_with_them():
    channel = {"channel": "hook", "kind": "webhook", "waiting": 2, "delivered": 5, "failed_tries": 1, "dropped": 0}
    found = LivePage().parts(
        live(
            rules=[
                RULE,
                {**RULE, "alert": "b", "health": "broken", "error": "Oops: 1"},
                {**RULE, "alert": "c", "health": "no_data"},
            ],
            channels=[
                {**channel, "last_error": "HTTP 500"},
                {**channel, "channel": "mail", "waiting": 0, "last_error": None},
            ],
            process=replace(CALM, oldest_s=9.0),
        )
    )["health"]
    assert [(row[0], row[3], row[4]) for row in rows(found, "Alert rules")] == [
        ("b", "broken", "Oops: 1"),
        ("a rule", "ok", ""),
        ("c", "no data", "unknown for every worker"),
    ]
    assert [row[:3] for row in rows(found, "Notification channels")] == [
        ["hook", "webhook", "cannot deliver"],
        ["mail", "webhook", "ok"],
    ]
    assert "3 concerns" in words(found)
    assert "nobody is told" not in words(found)
    assert "nobody is told" in said(live())["health"]


def test_the_same_content_is_the_same_text_and_rendered_once():
    page, found = LivePage(), live(worker("a"))
    first = page.parts(found)
    later = page.parts(replace(found, at_us=NOW_US + SECOND_US))
    assert [name for name, text in later.items() if text is not first[name]] == ["workers", "health"]


def test_no_text_of_a_peer_becomes_markup():
    text = "</td><script>x</script>\"' onload=x \u202e\x1b[31m"
    hostile = worker(f"w{text}")
    found = LivePage().parts(
        live(
            hostile,
            alerts=[alert(worker=f"w{text}", condition=text)],
            rules=[{**RULE, "health": "broken", "error": text}],
        )
    )
    everything = "".join(found.values())
    assert "<script" not in everything
    assert "\u202e" not in everything
    assert "\x1b" not in everything
    assert words(found["workers"]).count("\\u202e\\x1b[31m") >= 2
