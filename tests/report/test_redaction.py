import base64
import gzip
import re
from pathlib import Path

import pytest
from fleet_builder import fleet, look

from recontool.api.analyze import analyze
from recontool.api.detail import look_again
from recontool.model.errors import UsageError
from recontool.report.html import render
from recontool.report.redaction import KINDS, kinds_of, redacted

SAMPLES = sorted(str(path) for path in (Path(__file__).parents[2] / "sample_logs").glob("*.log"))


def everything(page: str) -> str:
    """The page with its packed data unpacked."""
    packed = re.findall(r'<script type="text/plain" id="(?:details|charts)">([^<]*)<', page)
    return page + "".join(gzip.decompress(base64.b64decode(text)).decode() for text in packed)


def test_no_name_of_any_kind_is_left_anywhere_in_the_page() -> None:
    analysis = analyze(SAMPLES)
    detail = look_again(analysis)
    open_page = everything(render(analysis, detail))
    closed = everything(render(*redacted(analysis, detail, KINDS)))
    text = "\n".join(Path(path).read_text("utf-8") for path in SAMPLES)
    names = {
        *re.findall(r"worker=(\S+)", text),
        *re.findall(r"(?:task|session|checkpoint)=(\S+)", text),
        *re.findall(r"peer=([\d.]+)", text),
        "localhost",
        "sample_logs",
    }
    assert len(names) > 300
    assert sum(name in open_page for name in names) > 50
    assert [name for name in sorted(names) if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", closed)] == []
    assert "[RECONNECT] lost cause=closed code=1006" in closed
    assert closed.count("worker-") > 100


def test_tokens_are_stable_and_keyed() -> None:
    analysis = fleet(3)
    one, same, other = (redacted(analysis, look(analysis), ("workers",), key)[0] for key in (b"", b"", b"k"))
    assert list(one.workers) == list(same.workers)
    assert len(set(one.workers) | set(other.workers) | set(analysis.workers)) == 9


def test_every_place_of_a_name_gets_the_same_token() -> None:
    analysis = fleet(12)
    changed, detail = redacted(analysis, look(analysis), ("workers",))
    for key, worker in changed.workers.items():
        assert worker.key == worker.worker == key
        assert worker.files == (f"{key}.log",)
        assert all(outage.worker == key and outage.evidence[0].startswith(f"{key}.log:") for outage in worker.outages)
    assert {steps.worker for steps in detail.steps} == set(changed.workers)
    assert {name.removesuffix(".log") for name in detail.raw} == set(changed.workers)
    assert [w.metrics for w in changed.workers.values()] == [w.metrics for w in analysis.workers.values()]


def test_a_worker_named_like_one_of_our_words_changes_none_of_them() -> None:
    analysis = fleet(1)
    only = next(iter(analysis.workers.values()))
    named = only.__class__(**{**{f: getattr(only, f) for f in only.__slots__}, "key": "closed", "worker": "closed"})
    changed, _ = redacted(
        analysis.__class__(**{**{f: getattr(analysis, f) for f in analysis.__slots__}, "workers": {"closed": named}}),
        look(analysis),
        ("workers",),
    )
    (worker,) = changed.workers.values()
    assert "closed" in {outage.cause for outage in worker.outages}
    assert worker.key.startswith("worker-")


def test_nothing_to_redact_changes_nothing() -> None:
    analysis = fleet(2)
    assert redacted(analysis, look(analysis), ()) == (analysis, look(analysis))


@pytest.mark.parametrize(("text", "kinds"), [("", ()), ("ids,workers", ("workers", "ids")), (" hosts ", ("hosts",))])
def test_kinds_are_read_from_a_list(text: str, kinds: tuple[str, ...]) -> None:
    assert kinds_of(text) == kinds


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'paths' cannot be redacted, expected workers, hosts, ids"):
        kinds_of("workers,paths")
