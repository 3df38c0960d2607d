"""The tagged-v1 line: what is rendered reads back, what is damaged is read, skipped or refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recontool.logs.grammar import parse_record, render
from recontool.model.errors import BadFieldError
from recontool.model.events import EVENTS, FIELD_TYPES, Event
from recontool.model.markers import LEVELS

_VALUES = {
    str: st.text(max_size=20),
    int: st.integers(-(10**18), 10**18),
    float: st.floats(-1e15, 1e15),
    bool: st.booleans(),
}


@st.composite
def events(draw):
    spec = draw(st.sampled_from(EVENTS))
    names = draw(st.lists(st.sampled_from(spec.fields), unique=True, max_size=6)) if spec.fields else []
    return Event(
        at_us=draw(st.integers(0, 4 * 10**15)),
        level=draw(st.sampled_from(LEVELS)),
        source=draw(st.from_regex(r"[A-Za-z0-9._:-]{1,20}", fullmatch=True)),
        marker=spec.marker,
        name=spec.name,
        fields={name: draw(_VALUES[FIELD_TYPES[name]]) for name in names},
    )


@given(events())
def test_what_is_rendered_reads_back(event):
    line = render(event)
    assert parse_record(line) == event
    assert len(line.splitlines()) == 1


@given(events(), st.integers(0, 120), st.integers(0, 40), st.text(max_size=8))
def test_a_damaged_line_is_read_skipped_or_refused(event, cut, length, junk):
    line = render(event)
    with suppress(BadFieldError):
        found = parse_record(line[:cut] + junk + line[cut + length :])
        assert found is None or isinstance(found, Event)


@pytest.mark.parametrize(
    "line",
    [
        "2026-02-30T10:00:00.000000Z INFO w [TASK] started task=1",
        "2026-11-24T10:00:00.000000Z INFO w [CONNECT] attempt n=one",
        "2026-11-24T10:00:00.000000Z INFO w [RECONNECT] established down_s=1.2.3",
        "2026-11-24T10:00:00.000000Z INFO w [RECONNECT] established down_s=1e999",
        "2026-11-24T10:00:00.000000Z INFO w [RECONNECT] established down_s=2e15",
        "2026-11-24T10:00:00.000000Z INFO w [CONNECT] attempt n=9223372036854775808",
        "2026-11-24T24:00:00.000000Z INFO w [TASK] started task=1",
        '2026-11-24T10:00:00.000000Z INFO w [TASK] failed error="cut',
        '2026-11-24T10:00:00.000000Z INFO w [TASK] failed error="\\q"',
        "2026-11-24T10:00:00.000000Z INFO w [TASK] started task=a=b",
    ],
)
def test_a_field_that_does_not_fit_is_refused(line):
    with pytest.raises(BadFieldError):
        parse_record(line)


@pytest.mark.parametrize(
    "text", ["started to listen", "[NOTHING] established", "[TASK]started", "Message count: 12", "=====", ""]
)
def test_a_record_without_event_has_no_name(text):
    found = parse_record(f"2026-11-24T10:00:00.000000Z INFO w {text}")
    assert found is not None
    assert found.name == ""


@pytest.mark.parametrize(
    "line", ["", "hello", "2026-11-24T10:00:00Z INFO w [TASK] started", " 2026-11-24T10:00:00.000000Z INFO w x"]
)
def test_other_lines_are_no_records(line):
    assert parse_record(line) is None


def test_nothing_a_peer_sends_can_forge_a_line():
    hostile = 'x\n2026-11-24T10:00:00.000000Z INFO w [CONNECT] established\u2028\u202e"\x1b[31m'
    line = render(Event(0, "INFO", "w", "SECURITY", "auth_failed", {"reason": hostile}))
    assert line.isprintable()
    assert parse_record(line).fields["reason"] == hostile


def test_somebody_elses_words_are_not_examined():
    found = parse_record("2026-11-24T10:00:00.000000Z INFO w listening n=all code=none")
    assert (found.name, found.fields) == ("", {})


def test_half_a_surrogate_pair_is_no_text():
    found = parse_record(r'2026-11-24T10:00:00.000000Z INFO w [TASK] failed error="\ud83d \ud83d\ude00"')
    assert found.fields["error"] == "\ufffd \U0001f600"


def test_unknown_fields_are_ignored():
    found = parse_record("2026-11-24T10:00:00.000000Z INFO w [TASK] started task=a colour=red")
    assert found.fields == {"task": "a"}
