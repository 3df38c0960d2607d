"""`analyze --follow`: the screen stays current while logs grow, rotate and vanish."""

from contextlib import suppress

import pytest
from stories import tagged

from recontool.api.follow import follow
from recontool.api.sources import DEFAULT
from recontool.model.errors import NoDataError

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
