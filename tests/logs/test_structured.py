"""JSON lines and logfmt: common writers' records become events; what does not fit is refused, never a crash."""

import json
from contextlib import suppress
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recontool.logs.pairs import MOST_DEPTH
from recontool.logs.structured import READERS, event_of, read_json, read_logfmt
from recontool.logs.times import micros, whole_number
from recontool.model.errors import BadFieldError
from recontool.model.instant import iso

AT = "2026-11-24T10:15:32.500000Z"
AT_US = micros(AT)

JSON_WRITERS = [
    (
        "structlog, tagged text",
        '{"timestamp": "2026-11-24T10:15:32.5Z", "level": "warning", "worker": "w1", "event": "[RECONNECT] lost code=1006"}',
        ("WARNING", "w1", "RECONNECT", "lost", {"code": 1006}),
    ),
    (
        "structlog, keys",
        '{"timestamp": "2026-11-24T10:15:32.5Z", "level": "info", "worker_id": "w1", "marker": "TASK", "event": "completed", "task": "t1", "took_ms": 12}',
        ("INFO", "w1", "TASK", "completed", {"task": "t1", "took_ms": 12.0}),
    ),
    (
        "python-json-logger",
        '{"asctime": "2026-11-24 10:15:32,500", "levelname": "ERROR", "name": "app.tasks", "source": "w1", "message": "[TASK] failed task=t1", "error": "boom"}',
        ("ERROR", "w1", "TASK", "failed", {"task": "t1", "error": "boom"}),
    ),
    (
        "zap, seconds as a float",
        '{"level":"dpanic","ts":1795515332.5,"logger":"conn","msg":"lost","source":"w1","marker":"[reconnect]","cause":"closed"}',
        ("CRITICAL", "w1", "RECONNECT", "lost", {"cause": "closed"}),
    ),
    (
        "slog",
        '{"time":"2026-11-24T11:15:32.5+01:00","level":"DEBUG-4","msg":"message_acked","source":"w1","seq":7,"rtt_ms":3.25}',
        ("DEBUG", "w1", "", "message_acked", {"seq": 7, "rtt_ms": 3.25}),
    ),
    (
        "bunyan, numeric level",
        '{"v":0,"level":40,"time":"2026-11-24T10:15:32.500Z","pid":17,"worker":"w1","tag":"SYNC","msg":"failed","error":{"code":1}}',
        ("WARNING", "w1", "SYNC", "failed", {"pid": 17, "error": '{"code":1}'}),
    ),
    (
        "pino, milliseconds",
        '{"level":30,"time":1795515332500,"source":"coordinator","event_name":"assigned","marker":"TASK","worker":"w1"}',
        ("INFO", "coordinator", "TASK", "assigned", {"worker": "w1"}),
    ),
    (
        "ECS",
        '{"@timestamp":"2026-11-24T10:15:32.500000000Z","log.level":"error","source":"w1","message":"disk is full n=many"}',
        ("ERROR", "w1", "", "", {}),
    ),
]
LOGFMT_WRITERS = [
    (
        "go-logfmt",
        r'ts=2026-11-24T10:15:32.5Z lvl=warn worker=w1 msg="[RECONNECT] lost reason=\"a b\"" code=1006 retried',
        ("WARNING", "w1", "RECONNECT", "lost", {"reason": "a b", "code": 1006}),
    ),
    (
        "slog text",
        "time=2026-11-24T10:15:32.5Z level=INFO msg=created source=w1 marker=CHECKPOINT task=t1 url=ws://h/?a=b",
        ("INFO", "w1", "CHECKPOINT", "created", {"task": "t1", "url": "ws://h/?a=b"}),
    ),
    (
        "a marker of its own beside a text with fields",
        'time=2026-11-24T10:15:32.5Z source=w1 tag=reconnect msg="lost code=1006 cause=closed" cause=heartbeat',
        ("INFO", "w1", "RECONNECT", "lost", {"code": 1006, "cause": "heartbeat"}),
    ),
    ("no level", 'at=1795515332.5 source=w1 msg="hello there"', ("INFO", "w1", "", "", {})),
]


def _time(value, zone=UTC):
    return read_json(json.dumps({"time": value}), zone).at_us


def _seen(record):
    event = event_of(record)
    return (event.level, event.source, event.marker, event.name, event.fields)


@pytest.mark.parametrize(("line", "expected"), [row[1:] for row in JSON_WRITERS], ids=[row[0] for row in JSON_WRITERS])
def test_a_json_record_becomes_its_event(line, expected):
    record = read_json(line)
    assert iso(record.at_us) == AT
    assert _seen(record) == expected


@pytest.mark.parametrize(
    ("line", "expected"), [row[1:] for row in LOGFMT_WRITERS], ids=[row[0] for row in LOGFMT_WRITERS]
)
def test_a_logfmt_record_becomes_its_event(line, expected):
    record = read_logfmt(line)
    assert iso(record.at_us) == AT
    assert _seen(record) == expected


@pytest.mark.parametrize(
    ("value", "expected_us"),
    [
        (1795515332, AT_US - 500_000),
        (1795515332500, AT_US),
        (1795515332500000, AT_US),
        (1795515332500000999, AT_US),
        ("1795515332.5", AT_US),
        ("2026-11-24 10:15:32.5", AT_US),
        ("2026-11-24T10:15:32.5 +00:00", AT_US),
        ("2026-11-24 10:15", AT_US - 32_500_000),
        (1.7955153325e12, AT_US),
        ("2026-11-24T10:15:32.500000999+0000", AT_US),
        (0, 0),
        ("20261124", 20_261_124_000_000),  # digits are seconds since 1970, never a date
    ],
)
def test_times_in_every_unit(value, expected_us):
    assert _time(value) == expected_us


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7),
        ("7.0", 7),
        ("70e-1", 7),
        ("0.7e1", 7),
        ("-0.0", 0),
        ("0e99", 0),
        ("7.5", None),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775808", None),
        ("1e999999999999999999999", None),
        ("1e-999999999999999999999", None),
    ],
)
def test_which_json_numbers_are_whole(text, expected):
    assert whole_number(text) == expected


def test_the_exact_microsecond_of_a_number_with_many_digits():
    assert micros("1795515332." + "9" * 18) == AT_US + 499_999
    assert micros("1795515332." + "9" * 400, number=True) == AT_US + 499_999


def test_how_deep_a_record_may_be():
    levels = "[" * MOST_DEPTH + "]" * MOST_DEPTH
    assert read_json(f'{{"time": 1, "x": {levels}}}').at_us == 1_000_000
    with pytest.raises(BadFieldError, match="levels deep"):
        read_json(f'{{"time": 1, "x": [{levels}]}}')


def test_only_ascii_white_space_separates():
    assert read_json('\u2003{"time": 1}') is None
    assert event_of(read_logfmt("time=1 marker=TASK msg=failed error=a\u2003b")).fields == {"error": "a\u2003b"}


def test_a_time_without_zone_is_in_the_zone_asked_for():
    assert _time("2026-11-24T11:15:32.5", ZoneInfo("Europe/Berlin")) == AT_US
    assert _time("2026-11-24T10:15:32.5Z", ZoneInfo("Europe/Berlin")) == AT_US


@pytest.mark.parametrize(
    "value",
    ["", "soon", "2026-02-30T10:00:00Z", "2026-11-24", True, [], -1, 10**40, "9999-12-31T23:59:59-14:00"],
)
def test_what_is_no_time_is_refused(value):
    with pytest.raises(BadFieldError, match="time is"):
        _time(value)


@pytest.mark.parametrize(
    ("read", "line"),
    [
        (read_json, ""),
        (read_json, "{"),
        (read_json, "{}"),
        (read_json, '["2026"]'),
        (read_json, '{"message": "no time"}'),
        (read_logfmt, ""),
        (read_logfmt, "Traceback (most recent call last):"),
        (read_logfmt, "2026-11-24T10:15:32.500000Z INFO w1 [TASK] started task=1"),
        (read_logfmt, "level=info msg=x"),
        (read_logfmt, 'a=1 "b'),
    ],
)
def test_other_lines_are_none_of_ours(read, line):
    assert read(line) is None


@pytest.mark.parametrize(
    ("read", "line"),
    [
        (read_json, '{"time": 1, }'),
        (read_json, '{"time": NaN}'),
        (read_json, '{"time": 1e999999999}'),
        (read_json, '{"a":' * 100_000 + "1" + "}" * 100_000),
        (read_json, '{"time": 1, "worker": "two words", "event": "x"}'),
        (read_json, '{"time": 1, "worker": {"id": 7}, "event": "x"}'),
        (read_json, '{"time": 1, "marker": "TASK", "event": "failed", "took_ms": "soon"}'),
        (read_json, '{"time": 1, "marker": "TASK", "event": "started", "attempt": 1.5}'),
        (read_json, '{"time": 1, "marker": "TASK", "event": "started", "attempt": true}'),
        (read_json, '{"time": 1, "marker": "TASK", "event": "started", "attempt": 1e400}'),
        (read_json, '{"time": 1, "event": "[TASK] failed took_ms=soon"}'),
        (read_logfmt, 'time=1 msg="cut'),
        (read_logfmt, "time=soon msg=x"),
    ],
)
def test_a_damaged_record_is_refused(read, line):
    with pytest.raises(BadFieldError):
        event_of(read(line))


def test_text_of_a_metrics_block_comes_back_as_it_stands():
    record = read_json('{"time": 1, "worker": "w1", "message": "====== Performance Metrics for w1 ======"}')
    assert record.text == "====== Performance Metrics for w1 ======"
    assert event_of(record).name == ""


def test_go_escapes_are_undone_and_half_characters_replaced():
    line = r'time=1 marker=TASK msg=failed error="a\x1b\u20ac\U0001f600\a\ud800\"" task=1'
    assert event_of(read_logfmt(line)).fields["error"] == 'a\x1b€😀\a\ufffd"'


KEYS = ["time", "level", "worker", "source", "marker", "event", "msg", "took_ms", "attempt", "error", "resumed", "n"]
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from([AT, "RECONNECT", "TASK", "lost", "[TASK] started task=1", "w1", "info"])
    | st.lists(st.integers(), max_size=2)
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES), st.integers(0, 80), st.integers(0, 9), st.text(max_size=6))
def test_any_object_cut_anywhere_is_read_skipped_or_refused(values, cut, length, junk):
    line = json.dumps({"time": AT, **values})
    for text in (line, line[:cut] + junk + line[cut + length :]):
        with suppress(BadFieldError):
            record = read_json(text)
            assert record is None or iso(record.at_us).endswith("Z")


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KEYS), st.text(max_size=10)), max_size=6), st.booleans())
def test_any_pairs_are_read_skipped_or_refused(pairs, quoted):
    line = " ".join([f"time={AT}", *(f"{key}={json.dumps(text) if quoted else text}" for key, text in pairs)])
    with suppress(BadFieldError):
        record = read_logfmt(line)
        assert record is None or iso(record.at_us).endswith("Z")


@settings(deadline=None)
@given(st.text(st.sampled_from('{}[]":=, abn01\\\t'), max_size=60))
def test_noise_near_both_grammars_never_crashes(line):
    for read in READERS.values():
        with suppress(BadFieldError):
            record = read(line)
            assert record is None or event_of(record).fields is not None
