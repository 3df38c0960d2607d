"""Re-analysis of logs that have grown: new bytes only, and the answer of a run that reads everything."""

import gzip
import os
import random
from zoneinfo import ZoneInfo

import pytest
from stories import OWN, tagged

from recontool.api import compiled
from recontool.api.analyze import analyze
from recontool.api.sources import Reading
from recontool.kernel.fleet import Chunk, NativeFleet
from recontool.kernel.library import library
from recontool.logs.format import load
from recontool.model.errors import UsageError
from recontool.report.document import document
from recontool.storage.states import HeldStates, StateFiles

pytestmark = pytest.mark.skipif(
    library() is None, reason="states are kept by the compiled core, which is not built here"
)


def story(seed, count=400):
    """Enough lines for files to be told by their edges."""
    rng, second, lines = random.Random(seed), seed * 10_000.0, []
    for number in range(count):
        second += rng.choice((0.1, 2.0, 30.0))
        text = rng.choice(
            (
                f"[TASK] started task=t{number % 7}",
                f"[TASK] completed task=t{number % 7}",
                "[RECONNECT] lost cause=closed code=1006",
                "[RECONNECT] attempt n=1",
                "[RECONNECT] established n=1",
                "[SECURITY] auth_failed reason=no",
                "[CHECKPOINT] created task=t1",
                "plain words",
                "config role=worker log_level=INFO metrics_interval=10.0",
                "metrics tasks_executed=3 messages_sent=9",
            )
        )
        lines.append(tagged([(second, text)]))
    return "".join(lines) + "junk\n"


@pytest.fixture(autouse=True)
def keep_small_states(monkeypatch):
    monkeypatch.setattr(compiled, "_WORTH_KEEPING", 1)


@pytest.fixture
def scanned(monkeypatch):
    """Where each scan began and ended."""
    seen = []
    scan = NativeFleet.scan

    def spy(self, parser, fd, start, end, **how):
        seen.append((start, end))
        return scan(self, parser, fd, start, end, **how)

    monkeypatch.setattr(NativeFleet, "scan", spy)
    return seen


def told(paths, states=None, **reading):
    return document(analyze([str(path) for path in paths], Reading(states=states, **reading)))


def test_a_grown_log_is_read_on_from_where_it_ended(tmp_path, scanned):
    log, states = tmp_path / "worker-1.log", HeldStates()
    log.write_text(story(1))
    first = log.stat().st_size
    told([log], states)
    with log.open("a") as more:
        more.write(story(2) + "2026-11-24T10:00:00.000000Z INFO worker-1 [TASK] star")
    scanned.clear()
    found = told([log], states)
    assert min(start for start, _ in scanned) == first
    assert found == told([log])


def test_a_line_that_was_cut_is_read_whole_the_next_time(tmp_path):
    log, states = tmp_path / "worker-1.log", HeldStates()
    whole = story(1)
    for cut in (len(whole) - 30, len(whole) - 9, len(whole)):
        log.write_text(whole[:cut])
        assert told([log], states) == told([log])


def test_an_unchanged_log_is_not_read_again(tmp_path, scanned):
    log, states = tmp_path / "worker-1.log", HeldStates()
    log.write_text(story(1))
    found = told([log], states)
    scanned.clear()
    assert told([log], states) == found
    assert all(start == end for start, end in scanned)


def test_a_rotated_log_is_found_under_its_new_name(tmp_path, scanned):
    log, states = tmp_path / "worker-1.log", HeldStates()
    log.write_text(story(1))
    told([log], states)
    first = log.stat().st_size
    log.rename(tmp_path / "worker-1.log.1")
    log.write_text(story(3))
    scanned.clear()
    both = [tmp_path / "worker-1.log.1", log]
    found = told(both, states)
    assert scanned[0] == (first, first)
    assert found == told(both)


def test_what_is_packed_away_after_a_rotation_is_read_once(tmp_path, monkeypatch):
    packed, log, states = tmp_path / "worker-1.log.2.gz", tmp_path / "worker-1.log", HeldStates()
    packed.write_bytes(gzip.compress(story(1, count=1000).encode()))
    log.write_text(story(3))
    first = told([packed, log], states)
    assert first == told([packed, log])
    with log.open("a") as more:
        more.write(story(4))
    expected = told([packed, log])
    monkeypatch.setattr(Chunk, "give", None)  # what is packed comes to the core by it
    assert told([packed, log], states) == expected


def test_of_a_log_that_ends_early_every_run_says_so(tmp_path):
    packed, log, states = tmp_path / "worker-1.log.2.gz", tmp_path / "worker-1.log", HeldStates()
    packed.write_bytes(gzip.compress(story(1, count=1000).encode())[:-100])
    log.write_text(story(3))
    first = told([packed, log], states)
    assert any("worker-1.log.2.gz" in notice["subject"] for notice in first["quality"])
    assert told([packed, log], states) == first


def test_what_is_written_to_an_older_part_while_it_is_read_is_not_lost(tmp_path, monkeypatch):
    both, states = [tmp_path / "worker-1.log.1", tmp_path / "worker-1.log"], HeldStates()
    both[0].write_text(story(1))
    both[1].write_text(story(3))
    scan = NativeFleet.scan

    def late(self, parser, fd, start, end, **how):
        scan(self, parser, fd, start, end, **how)
        if both[0].stat().st_size == len(story(1)):
            with both[0].open("a") as more:
                more.write(story(2))

    monkeypatch.setattr(NativeFleet, "scan", late)
    told(both, states)
    assert told(both, states) == told(both)


def test_a_file_that_takes_the_place_of_the_one_looked_at_is_not_taken_for_it(tmp_path, monkeypatch):
    log, states = tmp_path / "worker-1.log", HeldStates()
    log.write_text(story(1))
    told([log], states)
    look = compiled.resumed

    def late(*about):
        found = look(*about)
        log.write_text(story(7, count=800))
        return found

    monkeypatch.setattr(compiled, "resumed", late)
    with pytest.raises(UsageError, match="another file took its place"):
        told([log], states)


def test_a_short_log_after_a_rotation_keeps_what_its_long_part_took(tmp_path, monkeypatch, scanned):
    both, states = [tmp_path / "worker-1.log.1", tmp_path / "worker-1.log"], HeldStates()
    both[0].write_text(story(1))
    both[1].write_text(story(3, count=5))
    monkeypatch.setattr(compiled, "_WORTH_KEEPING", both[0].stat().st_size)
    told(both, states)
    scanned.clear()
    told(both, states)
    assert all(start == end for start, end in scanned)


def test_a_later_part_that_begins_otherwise_now_is_noticed(tmp_path):
    both, states = [tmp_path / "worker-1.log.1", tmp_path / "worker-1.log"], HeldStates()
    both[0].write_text(story(1))
    both[1].write_text(story(3))
    told(both, states)
    both[1].write_text("#" * 80 + both[1].read_text()[80:])
    assert told(both, states) == told(both)


def test_a_small_older_part_that_is_another_one_now_is_noticed(tmp_path):
    both, states = [tmp_path / "worker-1.log.1", tmp_path / "worker-1.log"], HeldStates()
    both[0].write_text(story(1, count=5))
    both[1].write_text(story(3))
    told(both, states)
    both[0].write_text("#" * (both[0].stat().st_size - 1) + "\n")
    assert told(both, states) == told(both)


CHANGES = {
    "truncated": lambda text: text[: len(text) // 2],
    "replaced by another log": lambda _text: story(7),
    "edited before its end": lambda text: text[:-40] + "x" * 39 + "\n",
    "emptied": lambda _text: "2026-11-24T10:00:00.000000Z INFO worker-1 [CONNECT] attempt n=1\n",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_log_that_is_another_one_now_is_read_from_its_start(tmp_path, change):
    log, states = tmp_path / "worker-1.log", HeldStates()
    text = story(1)
    log.write_text(text)
    told([log], states)
    log.write_text(change(text))
    assert told([log], states) == told([log])


def own(word):
    """A format of one name in which a connection ends with `word`."""
    return load(OWN.replace("down", word), where="own.toml")


OTHERWISE = {
    "in another zone": ("down", "worker-1.log", "Asia/Kolkata"),
    "by a format of the same name that says something else": ("gone", "worker-1.log", "UTC"),
    "as another worker's": ("down", "worker-2.log", "UTC"),
}


@pytest.mark.parametrize(("word", "name", "zone"), OTHERWISE.values(), ids=OTHERWISE)
def test_a_log_that_is_read_in_another_way_now_is_read_from_its_start(tmp_path, word, name, zone):
    log, states = tmp_path / "worker-1.log", HeldStates()
    log.write_text(
        "".join(
            f"INFO 2026-11-24 10:{n // 60:02}:{n % 60:02}.0 net: {('up', 'down 1006')[n % 2]}\n" for n in range(600)
        )
    )
    before = told([log], states, forms=(own("down"),))
    log = log.rename(tmp_path / name)
    reading = {"forms": (own(word),), "zone": ZoneInfo(zone)}
    assert told([log], **reading) != before
    assert told([log], states, **reading) == told([log], **reading)


def test_growth_in_any_pieces_gives_one_answer(tmp_path):
    rng = random.Random(5)
    log, states, text = tmp_path / "worker-1.log", HeldStates(), story(1) + story(2)
    at = 5000
    while at < len(text):
        log.write_text(text[:at])
        assert told([log], states) == told([log])
        at += rng.randint(1, 4000)


DAMAGE = {
    "cut short": lambda raw: raw[: len(raw) // 2],
    "one bit": lambda raw: raw[:2000] + bytes([raw[2000] ^ 1]) + raw[2001:],
    "empty": lambda _raw: b"",
    "of an older version": lambda raw: raw.replace(b"recontool state 1", b"recontool state 0"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_state_is_rebuilt_never_trusted(tmp_path, damage):
    log, states = tmp_path / "worker-1.log", StateFiles(tmp_path / "states")
    log.write_text(story(1))
    expected = told([log], states)
    (kept,) = (tmp_path / "states").glob("*.state")
    good = kept.read_bytes()
    kept.write_bytes(damage(good))
    assert told([log], states) == expected
    kept.write_bytes(good)
    assert told([log], states) == expected


def test_the_folder_of_states_stays_small(tmp_path):
    states = StateFiles(tmp_path)
    for number in range(70):
        states.put(f"k{number}", {"files": []}, b"x")
    assert len(list(tmp_path.glob("*.state"))) == 64
    assert states.get("k69") is not None


def test_the_state_that_was_used_least_recently_goes_first(tmp_path):
    states = StateFiles(tmp_path)
    for number in range(64):
        states.put(f"k{number}", {"files": []}, b"x")
        os.utime(tmp_path / f"k{number}.state", (number, number))
    states.get("k0")
    states.put("k64", {"files": []}, b"x")
    assert {number for number in range(65) if states.get(f"k{number}") is None} == {1}


def test_a_folder_that_cannot_be_written_costs_nothing_else(tmp_path):
    (tmp_path / "file").write_text("")
    log = tmp_path / "worker-1.log"
    log.write_text(story(1))
    assert told([log], StateFiles(tmp_path / "file" / "states")) == told([log])
