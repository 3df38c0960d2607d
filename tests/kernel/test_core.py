"""The compiled core against the reference: the same answers, however the input is cut and whoever reads it."""

import ctypes
import os
import random
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from recontool.kernel.library import library

if library() is None:
    pytest.skip("the compiled core is not built here", allow_module_level=True)

import near
import near_prefixes
import pyarrow as pa
from fuzz import FORMS, difference, prefix_difference
from twins import RULES, by_core, by_reference, outcome

from recontool.analysis.compiled import ReadFile, new_fleet, parts_of, vocabulary
from recontool.api.summary import of_fleet
from recontool.kernel import fleet as core_fleet
from recontool.kernel.fleet import NativeFleet, Parser, Vocabulary, core
from recontool.kernel.patterns import UnsupportedPatternError, compiled
from recontool.kernel.prefixes import Unwrapper
from recontool.kernel.table import ArrowDesk, Wanted
from recontool.kernel.zones import steps
from recontool.logs.format import BUILT_IN, builtin
from recontool.logs.grammar import render
from recontool.logs.lines import MAX_LINE
from recontool.logs.prefix import unwrap
from recontool.logs.reader import LogReader
from recontool.model.events import Event
from recontool.model.instant import iso, to_datetime
from recontool.model.units import SECOND_US

TAGGED = builtin()["tagged-v1"]
BATCHES = 20


@pytest.mark.parametrize("batch", range(BATCHES))
def test_both_find_the_same_near_the_grammar(batch):
    """`make fuzz` does a million of these."""
    for seed in range(batch * 100, batch * 100 + 100):
        assert difference(seed) == ""
        assert prefix_difference(seed) == ""


def scanned(path, form, source, threads, range_bytes):
    """As `by_core`, from a file in threads."""
    whole, light = new_fleet(RULES), new_fleet(light=True)
    for fleet in (whole, light):
        parser = Parser(vocabulary(), form, source, light=fleet.light)
        fleet.begin(parser, 0, 0)
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            fleet.scan(parser, file.fileno(), 0, size, threads=threads, range_bytes=range_bytes)
        fleet.end_file(parser)
    found = outcome(parts_of(whole, {0: ReadFile("0.log", form, source, 0)}, RULES), [])
    found.summary = of_fleet(light)
    return found


def test_a_refused_debug_line_tells_that_checkpoints_have_lines_of_their_own():
    form = builtin()["ipfs-accelerate"]
    refused = b"[worker_reconnection] - Will attempt reconnection in 1.5 seconds (attempt 399999999999999999999)"
    half = b"[enhanced_worker_client] - Task t1 (Task-1): iteration 2/4 - 50.0%"
    lines = [
        b"2026-11-25 09:46:43,000 - DEBUG - " + refused + b"\n",
        b"2026-11-25 09:46:44,000 - INFO - " + half + b"\n",
    ]
    expected = by_reference([b"".join(lines)], form, "w1", UTC)
    assert by_core([lines], form, "w1", UTC) == expected
    assert expected.files[0][0].unmarked == 1


def test_a_traceback_or_json_that_a_record_begins_is_part_of_it():
    form = builtin()["ipfs-accelerate"]
    head = "2026-11-25 09:46:43,000 - DEBUG - [enhanced_worker_client] - "
    text = (
        f'{head}Traceback (most recent call last):\n  File "/x.py", line 1, in y\n    raise E\nE: boom\n'
        f'{head}Test results: {{\n  "a": 1\n}}\n{head}left [\n1\n]\n{head}done\nloose\n'
    ).encode()
    expected = by_reference([text], form, "w1", UTC)
    assert by_core([[text]], form, "w1", UTC) == expected
    counts = expected.files[0][0]
    assert (counts.continuation, counts.unparsed, counts.total) == (7, 1, 12)


def test_any_cut_and_any_number_of_threads_give_one_answer(tmp_path):
    log = tmp_path / "0.log"
    for seed in range(12):
        rng = random.Random(seed)
        form, make, source, _ = FORMS[seed % len(FORMS)]
        text = make(rng, 25)
        log.write_bytes(text)
        expected = by_reference([text], form, source)
        expected.files = []
        for range_bytes in {1, 2, 3, 7, rng.randint(1, 200), len(text) // 2 + 1, len(text) + 1}:
            for threads in (1, 2, 8):
                assert scanned(log, form, source, threads, range_bytes) == expected, (seed, range_bytes, threads)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form[0].name)
def test_a_cut_at_every_byte(tmp_path, form):
    form, make, source, _ = form
    log = tmp_path / "0.log"
    text = make(random.Random(3), 12)[-4000:]
    log.write_bytes(text)
    expected = by_reference([text], form, source)
    expected.files = []
    for at in range(1, len(text) + 1):
        assert scanned(log, form, source, 2, at) == expected, at


def test_a_format_is_compiled_once_for_all_files():
    form = builtin()["ipfs-accelerate"]
    assert vocabulary().format(form) is vocabulary().format(form)
    assert vocabulary().format(form) is not vocabulary().format(TAGGED)


@pytest.mark.parametrize("name", sorted(near_prefixes.BY_NAME))
def test_a_prefix_taken_off_in_any_pieces(name):
    prefix = near_prefixes.BY_NAME[name]
    lines = [near_prefixes.behind(random.Random(seed), name, b"line %d \xff" % seed) + b"\r\n" for seed in range(30)]
    expected = b"".join(one.rstrip(b"\n") + b"\n" for one in unwrap(prefix, lines))
    for at in range(len(lines)):
        unwrapper = Unwrapper(prefix)
        halves = (b"".join(lines[:at]), b"".join(lines[at:]))
        assert b"".join(unwrapper.take(half) for half in halves) + unwrapper.rest() == expected


@pytest.mark.parametrize("name", sorted(near_prefixes.BY_NAME))
def test_a_megabyte_behind_a_prefix(name):
    prefix, rng = near_prefixes.BY_NAME[name], random.Random(2)
    lines = [
        near_prefixes.behind(rng, name, b"x" * size) + b"\n" for size in (2**20 - 90, 2**19, 2**19, 2**19, 2**20 + 9, 3)
    ]
    cut = [line if len(line) <= MAX_LINE else line[:MAX_LINE] for line in lines]  # as their stream cuts them
    expected = b"".join(one.rstrip(b"\n") + b"\n" for one in unwrap(prefix, cut))
    unwrapper = Unwrapper(prefix)
    assert unwrapper.take(b"".join(lines)) + unwrapper.rest() == expected


LINE = b"2026-11-24T10:00:00.000000Z INFO w1 [TASK] started task="
LONG = {
    "a megabyte": LINE + b"x" * 2**20,
    "a line of junk": b"j" * (2**20 + 7),
    "exactly the limit": LINE + b"x" * (2**20 - len(LINE)),
    "one below": LINE + b"x" * (2**20 - len(LINE) - 1),
    "quoted": LINE + b'"' + b"x" * 2**20 + b'"',
    "escapes": LINE + b'"' + rb"\u00e4" * 100_000 + b'"',
}


@pytest.mark.parametrize("line", LONG.values(), ids=LONG)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_megabyte_lines(tmp_path, line, end):
    text = LINE + b"a\n" + line + end + (LINE + b"b\n" if end else b"")
    log = tmp_path / "0.log"
    log.write_bytes(text)
    # The reference is given lines that are cut already, as its stream cuts them.
    cut = b"\n".join(one[: 2**20] for one in text.split(b"\n"))
    expected = by_reference([cut], TAGGED)
    expected.files = []
    for range_bytes in (1000, 2**18, 2**22):
        assert scanned(log, TAGGED, "", 2, range_bytes) == expected


@pytest.mark.parametrize("interval", ["63948970431930.0", "1e15", "-1e15", "1e-9", "0.0000005"])
def test_intervals_at_the_edge_mean_the_same(interval):
    stamps = (b"2026-11-24T10:00:00.000000Z", b"2026-11-24T10:00:01.000000Z", b"2026-11-24T18:00:00.000000Z")
    texts = (b"config role=worker metrics_interval=" + interval.encode(), b"plain", b"[TASK] completed task=a")
    text = b"".join(b"%s INFO w1 %s\n" % pair for pair in zip(stamps, texts, strict=True))
    assert by_core([[text]], TAGGED) == by_reference([text], TAGGED)


def test_the_first_marked_record_ends_what_a_claim_stands_for():
    texts = (
        "[CONNECT] attempt n=1", "[CONNECT] established session=a", "config role=worker log_level=INFO",
        "metrics tasks_executed=10 task_success_rate=0.5", "plain", "[CHECKPOINT] created task=a", "plain",
        "[CHECKPOINT] created task=a", "[TASK] completed task=a", "[TASK] completed task=b",
    )  # fmt: skip
    text = told(texts)
    expected = by_reference([text], TAGGED)
    assert by_core([[text]], TAGGED) == expected
    (_, _, alerts) = expected.workers["w1"]
    ended = {alert.alert: alert.resolved_us for alert in alerts}
    assert ended["task_failures"] == near.START_US + 5 * SECOND_US


def test_a_common_record_ends_a_traceback():
    common = ["[TASK] started task=a", "[CHECKPOINT] created task=a", "[CHECKPOINT] created task=a"]
    text = told(["[CONNECT] attempt n=1", "[CONNECT] established", *common])
    torn = b"Traceback (most recent call last):\n" + told(["[CHECKPOINT] created task=b"]) + b"KeyError: 1\n"
    expected = by_reference([text + torn], TAGGED)
    assert by_core([[text + torn]], TAGGED) == expected
    assert (expected.files[0][0].continuation, expected.files[0][0].unparsed) == (1, 1)


def test_a_part_that_begins_with_a_refused_record_is_dated_by_its_first_good_one():
    common = ["[CHECKPOINT] created task=a"] * 3
    first = told(["[CONNECT] attempt n=1", "[CONNECT] established", *common])
    second = told(["[TASK] completed took_ms=x", *common], from_second=60)
    expected = by_reference([first, second], TAGGED)
    assert by_core([[first], [second]], TAGGED) == expected
    assert expected.files[1][1] == near.START_US + 61 * SECOND_US


def told(texts, *, from_second=0):
    """Lines of w1, a second apart."""
    lines = (
        f"{iso(near.START_US + (from_second + number) * SECOND_US)} INFO w1 {text}\n"
        for number, text in enumerate(texts)
    )
    return "".join(lines).encode()


def test_of_more_silences_than_are_kept_the_longest_stay():
    rng = random.Random(5)
    at_us, lines = near.START_US, []
    for number in range(12_000):
        at_us += rng.choice((62_000_000, 62_000_000, 70_000_000, rng.randrange(1_000_000, 200_000_000)))
        lines.append(render(Event(at_us, "INFO", "w1", "TASK", "started", {"task": f"t{number}"})).encode() + b"\n")
    text = b"".join(lines)
    expected = by_reference([text], TAGGED)
    assert by_core([[text]], TAGGED) == expected
    assert by_core([[b"".join(lines[:11_000]), b"".join(lines[11_000:])]], TAGGED, resume=True) == expected
    (found, *_) = expected.workers["w1"]
    assert 9_000 < len(found.gaps) <= 10_000


@pytest.mark.parametrize("seed", range(12))
def test_rules_turn_at_the_same_instants_wherever_time_jumps(seed):
    """The fold looks at a rule only where something may have changed: at the grid, at a rule's deadline, after a silence."""
    rng, at_us = random.Random(seed), near.START_US
    grid_us = (0, 1, -2_000_000, 14_999_999, 15_000_000, 15_000_001, 40_000_000)
    steps_us = (*(700_000, 2_500_000) * 12, *grid_us, 300_000_000, 300_000_001, 330_000_000, 900_000_000)
    lines = told(["[CONNECT] attempt n=1", "[CONNECT] established", "[RECONNECT] attempt n=1", "message_sent seq=1"])
    at_us += 10 * SECOND_US
    for _ in range(800):
        at_us += rng.choice(steps_us)
        text = rng.choice(
            (
                "[CHECKPOINT] created task=t",
                f"[TASK] {rng.choice(('completed', 'failed', 'cancelled', 'started'))} task=t",
                f"[COMPRESS] compressed raw_bytes={rng.choice((1000, 2000))} wire_bytes=1000",
                f"message_acked seq=1 latency_ms={rng.choice((0, 300))}",
                "nothing of note",
            )
        )
        lines += f"{iso(at_us)} INFO w1 {text}\n".encode()
    expected = by_reference([lines], TAGGED)
    assert by_core([[lines]], TAGGED) == expected
    ((_, _, alerts),) = expected.workers.values()
    assert len(alerts) > 20


def test_an_error_in_a_thread_is_an_error(tmp_path):
    fleet, parser = new_fleet(), Parser(vocabulary(), TAGGED)
    fleet.begin(parser, 0, 0)
    log = tmp_path / "0.log"
    log.write_bytes(b"x\n" * 5000)
    fd = os.open(log, os.O_WRONLY)
    try:
        with pytest.raises(OSError, match="Bad file descriptor"):
            fleet.scan(parser, fd, 0, 10_000, threads=3, range_bytes=100)
    finally:
        os.close(fd)


def test_a_file_that_shrinks_while_it_is_read_ends_there(tmp_path):
    log = tmp_path / "0.log"
    log.write_bytes(LINE + b"a\n")
    fleet, parser = new_fleet(), Parser(vocabulary(), TAGGED)
    fleet.begin(parser, 0, 0)
    with log.open("rb") as file:
        fleet.scan(parser, file.fileno(), 0, 10**6, threads=2, range_bytes=50)
    assert fleet.count("workers") == 1


def test_a_state_that_makes_no_sense_is_refused():
    text = near.tagged(random.Random(1), 40)
    fleet, parser, chunk = new_fleet(), Parser(vocabulary(), TAGGED), core_fleet.Chunk()
    fleet.begin(parser, 0, 0)
    chunk.give(text, parser)
    fleet.fold(parser, chunk)
    state = fleet.save()
    assert new_fleet().load(state)
    assert not new_fleet().load(state[:-1])
    assert not new_fleet().load(state + b"\0")
    assert not new_fleet().load(b"")
    for at in range(0, len(state), max(1, len(state) // 300)):
        assert not new_fleet().load(state[:at])
    assert not new_fleet(RULES).load(state)


def test_a_core_of_other_sources_is_not_used(monkeypatch):
    monkeypatch.setattr(core_fleet, "_SIZES", (3, 3, 3))
    with pytest.raises(RuntimeError, match="install it anew"):
        Vocabulary.without_alerts()


def test_unpacked_pieces_are_whole_lines_for_the_core():
    text = near.tagged(random.Random(9), 60)
    lines = text.split(b"\n")
    pieces = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    assert by_core([pieces], TAGGED) == by_core([[text]], TAGGED)


PATTERNS = [
    *(shape.pattern for shape in builtin()["ipfs-accelerate"].shapes),
    *(template.match.pattern for template in builtin()["ipfs-accelerate"].templates),
    rb"a*?b(?P<x>c|de|)(?:f(?P<y>g*))?",
    rb"(?P<a>[^x-z]+)(?P<b>\d{2,3})",
    rb"(?:ab){2}c?",
    rb"(?P<a>a|ab)(?P<b>c|bcd)(?P<c>d*)",
    rb"\w+\s\S+\W?.*",
]


def matches(program, text):
    spans = (ctypes.c_int64 * 32)()
    groups = len(re.compile(PATTERNS[program], re.DOTALL).groupindex)
    found = core().recon_match(matches.form, program, text, len(text), spans)
    return [(spans[2 * at], spans[2 * at + 1]) for at in range(groups)] if found else None


def test_the_matcher_decides_as_re_does():
    table = "\n".join(f"P\t{compiled(re.compile(one, re.DOTALL)).hexed()}" for one in PATTERNS)
    vocab = vocabulary()
    matches.form = core().recon_format_new(vocab.handle, table.encode())
    rng, found = random.Random(4), 0
    seeds = [*(sample.line.encode() for sample in builtin()["ipfs-accelerate"].samples), b"aaabcfgg", b"abcd", b"ababc"]
    seeds += [sentence.partition(" - ")[2].encode() for sentence in near.SENTENCES]
    for _ in range(24_000):
        text = bytearray(rng.choice(seeds))
        for _ in range(rng.choice((0, 0, 1, 2))):
            at = rng.randrange(len(text) + 1)
            text[at : at + rng.randint(0, 2)] = rng.choice((b"", b"a", b"b", b"7", b" ", b"\xff", b"-", b"(", b"d"))
        program = rng.randrange(len(PATTERNS))
        expected = re.compile(PATTERNS[program], re.DOTALL).fullmatch(bytes(text))
        groups = None if expected is None else list(expected.regs[1:])
        assert matches(program, bytes(text)) == groups, (PATTERNS[program], bytes(text))
        found += groups is not None
    core().recon_format_free(matches.form)
    assert found > 500


@pytest.mark.parametrize("pattern", [rb"(?=a)a", rb"(a)\1", rb"(?:ab)*", rb"^a$", rb"(?i)a"])
def test_what_the_matcher_cannot_say_is_left_to_the_reference(pattern):
    with pytest.raises(UnsupportedPatternError):
        compiled(re.compile(pattern, re.DOTALL))


def test_every_format_is_read_by_the_core_or_said_not_to_be():
    read = []
    for name in BUILT_IN:
        try:
            Parser(vocabulary(), builtin()[name], "w1")
        except UnsupportedPatternError:
            continue
        read.append(name)
    assert read == list(BUILT_IN)


@pytest.mark.parametrize("name", ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "America/Nuuk"])
def test_clocks_of_a_zone_go_as_those_of_zoneinfo(name):
    zone, rng = ZoneInfo(name), random.Random(6)
    words = steps(zone)
    changes = [to_datetime(second * SECOND_US) for second in words[:-2:2] if second > 0]
    near_changes = [at + timedelta(seconds=by) for at in changes for by in (-3601, -1800, -1, 0, 1, 1800, 3600)]
    anywhen = [
        datetime(1, 1, 2, tzinfo=UTC) + timedelta(seconds=rng.randrange(9990 * 366 * 86_000)) for _ in range(2000)
    ]
    walls = [*rng.sample(near_changes, min(len(near_changes), 1500)), *(at for at in anywhen if at.year < 9990)]
    text = "".join(f"time={at.replace(tzinfo=None).isoformat()} source=w1 event_name=queue\n" for at in walls).encode()
    reader = LogReader(text.splitlines(), builtin()["logfmt"], zone=zone)
    desk = ArrowDesk(vocabulary(), Wanted(), pa.schema([("at", pa.timestamp("us", tz="UTC"))]), "0.log")
    parser, fleet = Parser(vocabulary(), builtin()["logfmt"], "", zone, cells=True), new_fleet()
    fleet.begin(parser, 0, 0)
    desk.chunk.give(text, parser)
    desk.take(fleet, parser)
    assert desk.batch()["at"].cast(pa.int64()).to_pylist() == [event.at_us for event in reader]
    assert len(walls) > 2000


def test_an_empty_fleet_says_nothing():
    assert NativeFleet().count("workers") == 0


def test_a_summary_knows_what_a_block_of_the_field_format_hides():
    """A line of a block is no record of the process's level, whichever fold looks at it."""
    text = (
        b"====== Performance Metrics for w1 ======\n"
        b"2026-11-25 10:00:25,190 - DEBUG - [enhanced_worker_client] - Message count: 3\n"
        b"2026-11-25 10:01:55,191 - INFO - [enhanced_worker_client] - Task t1 (Task-1): iteration 2/4 - 50.0%\n"
    )
    form = builtin()["ipfs-accelerate"]
    assert by_core([[text]], form, "w1").summary.markers["CHECKPOINT"] == 1
    assert by_core([[text]], form, "w1") == by_reference([text], form, "w1")


def test_a_summary_knows_when_a_bare_block_was_written():
    """It stands at the latest time of its file, whoever's that is, and decides whether a later file goes on with it."""
    head = b"2026-10-04T02:%02d:00.000000Z INFO %s "
    first = (
        head % (1, b"w1")
        + b"[RECONNECT] established n=1\n"
        + head % (50, b"w2")
        + b"[CONNECT] attempt n=1\n"
        + head % (2, b"w1")
        + b"[RECONNECT] lost cause=closed\n"
        + b"====== Performance Metrics for w1 ======\n"
    )
    second = head % (40, b"w1") + b"[CONNECT] established session=s1\n"
    expected = by_reference([first, second], TAGGED)
    assert expected.summary.reconnects == 0
    assert by_core([[first], [second]], TAGGED) == expected
