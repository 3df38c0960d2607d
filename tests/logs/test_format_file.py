"""Format files of users: the documented example works, every mistake is told with its line, samples are run."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recontool.logs.decoder import decoder_for
from recontool.logs.format_file import read_format_file
from recontool.model.errors import BadFieldError, UsageError

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
EXAMPLE = re.search(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[1]


def _line(text):
    return EXAMPLE[: EXAMPLE.index(text)].count("\n") + 1


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def test_the_documented_example_is_a_format(written):
    form = read_format_file(written(EXAMPLE))
    decoder = decoder_for(form, source="w1")
    header = decoder.header(b"2026-11-24 10:15:33.250 INFO jobs: job 17 done in 250.5 ms")
    (event,) = decoder.events(header)
    assert (event.source, event.marker, event.name) == ("w1", "TASK", "completed")
    assert event.fields == {"task": "17", "took_ms": 250.5}


MISTAKES = [
    ("no TOML", "name =", "name", 1, "is no TOML"),
    ("unknown key", "starts = ", "start = ", _line("[[template]]"), "did you mean 'starts'"),
    ("missing key", 'title = "the fleet in building 7"\n', "", 1, "needs the key 'title'"),
    (
        "wrong type",
        'worker_loggers = ["link", "jobs"]',
        "worker_loggers = 7",
        _line("worker_loggers"),
        "expected a list",
    ),
    ("name of another", 'name = "my-fleet"', 'name = "tagged-v1"', 1, "none of tagged-v1"),
    ("other engine", '"templates"', '"kernel"', _line("engine"), 'expected "templates"'),
    ("bad expression", "dialing (?P<url>", "dialing ((?P<url>", _line("[[template]]"), "is no regular expression"),
    ("unknown field", "?P<url>", "?P<urll>", _line("[[template]]"), "did you mean 'url'"),
    ("unknown event", 'event = "attempt"', 'event = "attempts"', _line("[[template]]"), "is not in the vocabulary"),
    ("field of another type", 'cause = "closed"', "cause = 5", None, "expected str"),
    ("shape without a group", "(?P<milli>", "(?P<micro>", _line("shapes"), "lacks milli"),
    ("sample of another event", "job 17 done in 250.5 ms", "job 17 ended", None, "becomes a record without event"),
    ("sample that is no line", "2026-11-24 10:15:34.000 INFO", "10:15 INFO", None, "a line that fits no shape"),
    ("sample of no time", "2026-11-24 10:15:34.000", "2026-02-30 10:15:34.000", None, "a damaged line"),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_a_mistake_is_told_with_its_line(written, old, new, line, said):
    assert old in EXAMPLE
    path = written(EXAMPLE.replace(old, new))
    with pytest.raises(UsageError, match=re.escape(said)) as raised:
        read_format_file(path)
    assert re.match(rf"{re.escape(str(path))}:{line or '[1-9][0-9]*'}(:\d+)?$", raised.value.where)


def test_all_mistakes_are_told_at_once(written):
    path = written(EXAMPLE.replace("?P<url>", "?P<urll>").replace('event = "lost"', 'event = "lsot"'))
    with pytest.raises(UsageError) as raised:
        read_format_file(path)
    assert str(raised.value).count(f"{path}:") == 2


@pytest.mark.parametrize("content", [b"\xff\xfe", b""])
def test_a_file_that_is_none_is_refused(tmp_path, content):
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"mine\.toml"):
        read_format_file(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_format_file(tmp_path / "missing.toml")


@settings(deadline=None)
@given(
    st.integers(0, len(EXAMPLE)),
    st.integers(0, 30),
    st.sampled_from(["", '"', "]", "7", "x", "\n", "[[sample]]\n", "true"]),
)
def test_a_damaged_file_is_loaded_or_refused(tmp_path_factory, cut, length, junk):
    path = tmp_path_factory.getbasetemp() / "damaged.toml"
    path.write_text(EXAMPLE[:cut] + junk + EXAMPLE[cut + length :], "utf-8")
    try:
        form = read_format_file(path)
    except UsageError as error:
        assert "damaged.toml" in error.where  # noqa: PT017 - either outcome is right
    else:
        assert form.samples


TRICKY = r"""
name = "tricky"
title = "what its patterns do not rule out"
engine = "templates"
shapes = ['(?P<second>\S+ \S+)\.(?P<milli>.{3}) (?P<level>\w+) (?P<logger>\w+): (?P<text>.*)']
worker_loggers = ["a"]
coordinator_loggers = []
claim_only = []

[[template]]
logger = "a"
starts = "saved"
match = 'saved(?: (?P<size_bytes>\d+))?'
marker = "CHECKPOINT"
event = "created"
even = "size_bytes"

[[sample]]
line = "2026-11-24 02:21:24.682 INFO a: saved 2"
marker = "CHECKPOINT"
event = "created"
"""


def test_what_must_be_even_must_be_a_group(written):
    with pytest.raises(UsageError, match="even is 'n', which is no group of match"):
        read_format_file(written(TRICKY.replace('even = "size_bytes"', 'even = "n"')))


@pytest.mark.parametrize(
    ("word", "level"),
    [
        ("WARN", "WARNING"),
        ("warning", "WARNING"),
        ("Fatal", "CRITICAL"),
        ("TRACE", "DEBUG"),
        ("NOTICE", "INFO"),
        ("zzz", "INFO"),
    ],
)
def test_levels_may_have_the_names_of_other_programs(written, word, level):
    decoder = decoder_for(read_format_file(written(TRICKY)), source="w1")
    assert decoder.header(f"2026-11-24 02:21:24.682 {word} a: x".encode()).level == level


@pytest.mark.parametrize(("text", "events"), [("saved 2", 1), ("saved 3", 0), ("saved", 0)])
def test_what_must_be_even_must_be_there(written, text, events):
    decoder = decoder_for(read_format_file(written(TRICKY)), source="w1")
    assert len(decoder.events(decoder.header(f"2026-11-24 02:21:24.682 INFO a: {text}".encode()))) == events


@pytest.mark.parametrize("stamp", ["2026-11-24 02:21:24.6x2", "2026-11-24 02:61:24.682", "yesterday noon.682"])
def test_a_time_that_is_none_refuses_its_line(written, stamp):
    decoder = decoder_for(read_format_file(written(TRICKY)), source="w1")
    with pytest.raises(BadFieldError):
        decoder.header(f"{stamp} INFO a: saved 2".encode())
