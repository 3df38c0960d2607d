"""Formats are data: each carries sample lines that must become the events they name."""

import pytest

from recontool.logs.decoder import decoder_for
from recontool.logs.format import builtin, load
from recontool.logs.probe import probe
from recontool.model.errors import UsageError

SAMPLES = [(form.name, sample) for form in builtin().values() for sample in form.samples]


@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_each_sample_becomes_its_event(name, sample):
    decoder = decoder_for(builtin()[name], source="w1")
    header = decoder.header(sample.line.encode())
    assert header is not None
    said = [(event.marker, event.name) for event in decoder.events(header)]
    assert said[:1] == ([(sample.marker, sample.event)] if sample.event else [])


@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_each_sample_is_recognised_by_its_content(name, sample):
    found = probe([sample.line.encode() + b"\n"])
    assert found is not None
    assert found.form.name == name


def test_the_owner_of_an_untagged_file_is_found_by_content():
    lines = [
        b"2026-11-24 02:21:24,000 - INFO - [worker_reconnection] - Registration confirmed for worker {worker_id}\n",
        b"2026-11-24 02:21:25,100 - INFO - [worker_reconnection] - WebSocket connection established for worker w7\n",
    ]
    assert probe(lines).source == "w7"
    coordinator = b"2026-11-24 02:21:24,000 - INFO - [coordinator_websocket_server] - Task manager started\n"
    assert probe([coordinator]).source == "coordinator"


@pytest.mark.parametrize("junk", [b"", b"\x00\x01\x02", b'127.0.0.1 - - [24/Nov/2026] "GET /" 200 12\n'])
def test_what_is_no_log_of_ours_is_not_guessed(junk):
    assert probe([junk]) is None


BROKEN = [
    ("no toml", "name = "),
    ("missing key", 'name = "x"'),
    (
        "unknown event",
        'name="x"\ntitle="x"\nengine="templates"\n[[template]]\nlogger="a"\nstarts="b"\nmatch="b"\nevent="zap"',
    ),
    (
        "unknown field",
        'name="x"\ntitle="x"\nengine="templates"\n[[template]]\nlogger="a"\nstarts="b"\nmatch="(?P<zap>b)"',
    ),
    ("bad pattern", 'name="x"\ntitle="x"\nengine="templates"\nshapes=["("]'),
]


@pytest.mark.parametrize("text", [text for _, text in BROKEN], ids=[name for name, _ in BROKEN])
def test_a_broken_format_file_is_refused_with_its_place(text):
    with pytest.raises(UsageError, match=r"mine\.toml"):
        load(text, where="mine.toml")


def test_the_owner_may_be_named_late():
    nameless = b"2026-11-24 02:21:24,000 - INFO - [websocket] - Websocket connected\n"
    named = b"2026-11-24 02:21:25,100 - INFO - [worker_reconnection] - WebSocket connection established for worker w7\n"
    assert probe([*[nameless] * 300, named]).source == "w7"
