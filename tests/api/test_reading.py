"""One story in every shape it may come in: the answer is the same."""

import gzip
import json
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
import zstandard
from stories import OWN, tagged

from recontool.api.analyze import analyze
from recontool.api.sources import Reading
from recontool.kernel.library import library
from recontool.logs.format_file import read_format_file
from recontool.logs.grammar import parse_record
from recontool.model.instant import iso, to_datetime
from recontool.report.document import document
from recontool.storage.states import HeldStates

STORY = [
    (0, "config role=worker log_level=DEBUG metrics_interval=10.0"),
    (1, "[CONNECT] attempt n=1 url=ws://localhost:8765/ws"),
    (2, "[CONNECT] established session=a"),
    (3, "[TASK] started task=t1"),
    (4, '[TASK] failed task=t1 took_ms=12.5 error="it broke: \\"no\\""'),
    (5, "DEBUG message_sent type=heartbeat size_bytes=40 seq=1"),
    (6, "DEBUG message_acked seq=1 rtt_ms=3.25"),
    (20, "[RECONNECT] lost cause=closed code=1006"),
    (21, "[RECONNECT] attempt n=1"),
    (25, "[RECONNECT] established n=1 down_s=5.0"),
    (26, "[SECURITY] auth_failed reason=no peer=x"),
    (30, "plain words"),
]
TEXT = tagged(STORY)


def as_json(line):
    event = parse_record(line)
    where = {"timestamp": iso(event.at_us), "level": event.level.lower(), "worker": event.source}
    said = {"marker": event.marker or None, "event_name": event.name, **event.fields} if event.name else {"event": "x"}
    return json.dumps({**where, **said})


def as_logfmt(line):
    event = parse_record(line)
    values = {"ts": iso(event.at_us), "level": event.level, "source": event.source, "msg": line.split(" ", 3)[3]}
    return " ".join(f"{key}={json.dumps(value)}" for key, value in values.items())


def as_docker(line):
    return json.dumps({"log": line + "\n", "stream": "stdout", "time": "2026-11-24T10:15:32.123456789Z"}).replace(
        '": ', '":'
    )


SHAPES = {
    "as it is": lambda line: line,
    "JSON lines": as_json,
    "logfmt": as_logfmt,
    "Kubernetes": lambda line: f"2026-11-24T10:15:32.123456789Z stdout F {line}",
    "Docker json-file": as_docker,
    "docker compose": lambda line: f"worker-1  | {line}",
    "journald": lambda line: f"Nov 24 10:15:32 host worker[17]: {line}",
    "journald around JSON": lambda line: f"Nov 24 10:15:32 host worker[17]: {as_json(line)}",
    "CRLF": lambda line: line + "\r",
}


def answer(path, **how):
    found = document(analyze([str(path)], Reading(**how)))
    for one in found["inputs"]:
        del one["bytes"], one["format"]
    return found


@pytest.fixture
def plain(tmp_path):
    log = tmp_path / "plain" / "worker-1.log"
    log.parent.mkdir()
    log.write_text(TEXT)
    return answer(log)


def same(found, plain):
    for one in (*found["inputs"], *plain["inputs"]):
        one["path"] = ""
    return found == plain


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("reference", [False, True], ids=["core", "reference"])
def test_every_shape_tells_the_same_story(tmp_path, plain, shape, reference, monkeypatch):
    if reference:
        monkeypatch.setattr("recontool.api.fold.library", lambda: None)
    log = tmp_path / "worker-1.log"
    log.write_text("".join(shape(line) + "\n" for line in TEXT.splitlines()))
    found = answer(log)
    if found["inputs"][0]["lines"] != plain["inputs"][0]["lines"]:
        pytest.fail(str(found["inputs"][0]["lines"]))
    assert same(found, plain)


def test_a_line_split_by_the_container_is_read_whole(tmp_path, plain):
    first, rest = TEXT.splitlines()[0], TEXT.splitlines()[1:]
    stamp = "2026-11-24T10:15:32.123456789Z stdout"
    lines = [f"{stamp} P {first[:30]}", f"{stamp} F {first[30:]}", *(f"{stamp} F {line}" for line in rest)]
    log = tmp_path / "worker-1.log"
    log.write_text("\n".join(lines) + "\n")
    found = answer(log)
    assert found["inputs"][0]["lines"]["continuation"] == 1
    assert found["workers"]["worker-1"]["metrics"] == plain["workers"]["worker-1"]["metrics"]


WALL = [
    ("2026-10-25T02:30:00", "established"),  # the first of two
    ("2026-10-25T03:10:00", "lost"),
    ("2026-10-25T03:10:05.5", "established"),
    ("2027-03-28T02:30:00", "lost"),  # which no clock shows: an hour before three by the new time
    ("2027-03-28T03:30:10", "established"),
]


@pytest.mark.parametrize("reference", [False, True], ids=["core", "reference"])
def test_clocks_without_a_zone_where_they_are_set(tmp_path, reference, monkeypatch):
    if reference:
        monkeypatch.setattr("recontool.api.fold.library", lambda: None)
    log = tmp_path / "worker-1.log"
    log.write_text("".join(f"time={at} source=w1 tag=RECONNECT msg={name}\n" for at, name in WALL))
    berlin = answer(log, zone=ZoneInfo("Europe/Berlin"))
    outages = [(one["start"], one["duration_s"]) for one in berlin["workers"]["w1"]["outages"]]
    assert outages == [("2026-10-25T02:10:00.000000Z", 5.5), ("2027-03-28T01:30:00.000000Z", 10.0)]
    assert berlin["inputs"][0]["first_at"] == "2026-10-25T00:30:00.000000Z"


def test_another_zone_reads_the_log_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("recontool.api.compiled._WORTH_KEEPING", 1)
    log, states = tmp_path / "worker-1.log", HeldStates()
    log.write_text("".join(f"time={at} source=w1 tag=RECONNECT msg={name}\n" for at, name in WALL) * 30)
    zones = (UTC, ZoneInfo("Europe/Berlin"), UTC)
    first_at = [answer(log, zone=zone, states=states)["inputs"][0]["first_at"] for zone in zones]
    assert first_at == ["2026-10-25T02:30:00.000000Z", "2026-10-25T00:30:00.000000Z", "2026-10-25T02:30:00.000000Z"]


PACKED = {
    "gzip": gzip.compress,
    "gzip in two members": lambda raw: gzip.compress(raw[:100]) + gzip.compress(raw[100:]),
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)
def test_packed_logs_tell_the_same(tmp_path, plain, pack):
    log = tmp_path / "worker-1.log"
    log.write_bytes(pack(TEXT.encode()))
    assert same(answer(log), plain)


@pytest.mark.parametrize("twist", ["", "(?!x)"], ids=["core", "left to the reference"])
def test_a_format_of_ones_own(tmp_path, twist):
    form = tmp_path / "mine.toml"
    form.write_text(OWN.replace("'up'", f"'up{twist}'"))
    log = tmp_path / "w-9.log"
    log.write_text(
        "".join(
            f"INFO {to_datetime(1_795_687_654_250_000 + 2_000_000 * number):%Y-%m-%d %H:%M:%S.%f} net: {text}\n"
            for number, text in enumerate(("up", "down 1006", "up", "other"))
        )
    )
    said = []
    (worker,) = analyze([str(log)], Reading(forms=(read_format_file(form),), tell=said.append)).workers.values()
    assert (worker.key, [outage.code for outage in worker.outages]) == ("w-9", [1006])
    assert bool(said) == (bool(twist) and library() is not None)


def test_the_newest_part_of_a_rotated_log_is_its_siblings_even_before_it_says_so(tmp_path):
    at = "2026-11-24 10:0{}:00,000 - INFO - [{}] - {}\n".format
    older = [
        at(0, "enhanced_worker_client", "Starting enhanced worker client w9"),
        at(1, "worker_reconnection", "Connecting to coordinator at ws://127.0.0.1:1/api/v1/worker/w9/ws/"),
        at(2, "worker_reconnection", "WebSocket connection established for worker w9"),
        at(3, "worker_reconnection", "WebSocket connection closed: 1006, gone"),
    ]
    newer = [at(4, "worker_reconnection", "Will attempt reconnection in 1.5 seconds (attempt 2)")]
    (tmp_path / "app.log.1").write_text("".join(older))
    (tmp_path / "app.log").write_text("".join(newer))
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole" / "app.log").write_text("".join([*older, *newer]))
    parts = analyze([str(tmp_path / "app.log"), str(tmp_path / "app.log.1")])
    whole = analyze([str(tmp_path / "whole")])
    assert list(parts.workers) == list(whole.workers) == ["w9"]
    assert parts.workers["w9"].metrics == whole.workers["w9"].metrics
    assert len(parts.workers["w9"].outages) == len(whole.workers["w9"].outages) == 1


def test_lines_that_two_parts_of_a_log_share_count_once(tmp_path):
    common = [(40 + number / 10, f"[CHECKPOINT] created task=t{number}") for number in range(400)]
    lines = tagged([*STORY, *common]).splitlines(keepends=True)
    (tmp_path / "w.log.1").write_text("".join(lines[:300]), "utf-8")
    (tmp_path / "w.log").write_text("".join(lines[101:]), "utf-8")
    found = analyze([str(tmp_path)])
    (worker,) = found.workers.values()
    counts = {file.name: (file.lines.total, file.lines.duplicate) for file in found.inputs}
    assert counts == {"w.log.1": (300, 0), "w.log": (len(lines) - 101, 199)}
    assert worker.markers["CHECKPOINT"] == 400
    assert worker.metrics["checkpoints_created"].value == 400
