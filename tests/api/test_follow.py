"""`analyze --follow`: the screen stays current while logs grow, rotate and vanish."""

from contextlib import suppress

import pytest
from stories import tagged

from recontool.api import follow as following
from recontool.api.analyze import analyze
from recontool.api.follow import follow
from recontool.api.sources import DEFAULT
from recontool.model.errors import NoDataError, UsageError

LIFE = [(0, "[CONNECT] established"), (1, "[RECONNECT] lost cause=closed"), (2, "[RECONNECT] established")]


def test_every_change_gives_a_new_analysis(tmp_path):
    log = tmp_path / "worker-1.log"
    log.write_text(tagged(LIFE[:1]))
    steps = [
        lambda: log.open("a").write(tagged(LIFE[1:2])),
        lambda: None,
        lambda: (tmp_path / "worker-2.log").write_text(tagged(LIFE, source="worker-2")),
        lambda: log.rename(tmp_path / "worker-1.log.1"),
        lambda: log.write_text(tagged([(3, "[RECONNECT] established")])),
    ]
    seen = []
    rounds = follow([str(tmp_path)], DEFAULT, pause=lambda _seconds: steps.pop(0)())
    with suppress(IndexError):  # when no step is left
        seen.extend(
            {key: [outage.end_us is None for outage in w.outages] for key, w in found.workers.items()}
            for found in rounds
        )
    assert seen == [
        {"worker-1": []},
        {"worker-1": [True]},
        {"worker-1": [True], "worker-2": [False]},
        {"worker-1": [True], "worker-2": [False]},
        {"worker-1": [False], "worker-2": [False]},
    ]


def test_nothing_there_is_an_error_at_first(tmp_path):
    with pytest.raises(NoDataError):
        next(follow([str(tmp_path)], DEFAULT))


def test_a_log_that_is_gone_for_a_moment_is_waited_for(tmp_path):
    log = tmp_path / "worker-1.log"
    log.write_text(tagged(LIFE[:1]))
    steps = [log.unlink, lambda: None, lambda: log.write_text(tagged(LIFE))]
    rounds = follow([str(log)], DEFAULT, pause=lambda _seconds: steps.pop(0)())
    assert [len(next(rounds).workers["worker-1"].outages) for _ in range(2)] == [0, 1]


@pytest.fixture
def moving(monkeypatch):
    """Something that happens at the start of each analysis but the first."""
    happens = []
    calls = []

    def late(paths, reading):
        calls.append(paths)
        if len(calls) > 1:
            happens[0]()
        return analyze(paths, reading)

    monkeypatch.setattr(following, "analyze", late)
    return happens, calls


def test_a_log_that_is_taken_away_while_it_is_read_is_read_again(tmp_path, moving):
    log, (happens, calls) = tmp_path / "worker-1.log", moving
    log.write_text(tagged(LIFE[:1]))
    happens.append(lambda: log.unlink(missing_ok=True) if len(calls) == 2 else None)
    rounds = follow([str(log)], DEFAULT, pause=lambda _seconds: log.write_text(tagged(LIFE)))
    assert [len(next(rounds).workers["worker-1"].outages) for _ in range(2)] == [0, 1]


def nothing(_log):
    pass


def more(log):
    with log.open("a") as end:
        end.write("more\n")


@pytest.mark.parametrize(
    ("error", "moves", "tries"), [(UsageError("refused"), nothing, 1), (OSError("refused"), more, 5)]
)
def test_what_cannot_be_read_is_an_error_at_once_or_at_last_when_it_moves(tmp_path, moving, error, moves, tries):
    log, (happens, calls) = tmp_path / "worker-1.log", moving
    log.write_text(tagged(LIFE[:1]))

    def refuse():
        moves(log)
        raise error

    happens.append(refuse)
    rounds = follow([str(log)], DEFAULT, pause=lambda _seconds: log.write_text(tagged(LIFE)))
    next(rounds)
    with pytest.raises(type(error), match="refused"):
        next(rounds)
    assert len(calls) == 1 + tries
