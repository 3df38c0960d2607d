"""Sets what workers reported last beside the normal ranges, and ranks workers for each view: the worst first."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from recontool.alerts.fleet import of_samples
from recontool.metrics.definitions import NOTHING_TO_COUNT
from recontool.metrics.judgement import judge
from recontool.model.catalogue import ALIASES, CATALOGUE, DOCUMENTED
from recontool.model.findings import MetricValue
from recontool.model.live import Live, LiveWorker
from recontool.model.order import natural
from recontool.model.units import MINUTE_US
from recontool.report import anchors
from recontool.report.ranking import SEVERITIES

QUIET_US: Final = 5 * MINUTE_US  # after this long without metrics a connected worker's numbers are old
_METRICS: Final = tuple(name for name in CATALOGUE if name not in ALIASES)
_LARGEST: Final = 1e15  # as in logs, what is beyond it is damage
_NO_REPORT: Final = "no metrics have come yet"


class Shown(Struct, frozen=True):
    """One worker with its metrics judged; `firing` counts its firing alerts by severity."""

    found: LiveWorker
    metrics: Mapping[str, MetricValue]
    firing: Counter[str]
    quiet: bool

    @property
    def away(self) -> bool:
        """Whether it is gone without a goodbye."""
        return not self.found.connected and not self.found.left

    def outside(self, names: Iterable[str]) -> int:
        """How many of these metrics are outside their range."""
        return sum(self.metrics[name].status == "outside" for name in names if name in self.metrics)

    def anchor(self, view: str) -> str:
        """The id of its row in a view; rows keep it from one update to the next."""
        return f"{view}:{anchors.worker_anchor(self.found.worker)}"


class Fleet(Struct, frozen=True):
    """Every worker in the order of ids, and all of them together."""

    live: Live
    workers: Sequence[Shown]
    values: Mapping[str, float | None]  # of the catalogue, out of the latest metrics of all
    metrics: Mapping[str, MetricValue]  # the documented ones among them, judged

    @property
    def away(self) -> int:
        """Workers that are gone without a goodbye."""
        return sum(worker.away for worker in self.workers)

    @property
    def expected(self) -> int:
        """Workers that should be connected."""
        return sum(not worker.found.left for worker in self.workers)

    def firing(self) -> list[Mapping[str, Any]]:
        """Alerts that fire, the most severe first, then by the time they began to."""
        return alerts_in("firing", self.live.alerts)


def of(live: Live) -> Fleet:
    """Judge and count."""
    firing: dict[str | None, Counter[str]] = {}
    for alert in alerts_in("firing", live.alerts):
        firing.setdefault(alert["worker"], Counter())[alert["severity"]] += 1
    workers = [
        Shown(
            worker,
            _judged(worker.metrics, told=bool(worker.heard_us)),
            firing.get(worker.worker, Counter()),
            worker.connected and live.at_us - max(worker.heard_us, worker.since_us) > QUIET_US,
        )
        for worker in map(_plausible, sorted(live.workers, key=lambda worker: natural(worker.worker)))
    ]
    values = of_samples([worker.found.metrics for worker in workers], _METRICS)
    return Fleet(live, workers, values, _judged(values, told=any(worker.heard_us for worker in live.workers)))


def alerts_in(state: str, alerts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Alerts of `/api/v1/alerts` in a state, the most severe first."""
    found = [alert for alert in alerts.get("alerts", ()) if alert["state"] == state]
    return sorted(
        found,
        key=lambda alert: (
            SEVERITIES.index(alert["severity"]),
            alert["fired_at"] or alert["pending_at"],
            alert["alert"],
            alert["worker"] or "",
        ),
    )


def worst_connected(workers: Iterable[Shown]) -> list[Shown]:
    """Gone workers first, then those with alerts, quiet ones, those that lost the most sessions; then by id."""
    return sorted(
        workers,
        key=lambda worker: (
            not worker.away,
            *(-worker.firing[severity] for severity in SEVERITIES),
            not worker.quiet,
            -worker.found.losses,
            worker.found.left,
        ),
    )


def worst_by(workers: Iterable[Shown], names: Sequence[str], then: Sequence[str]) -> list[Shown]:
    """Those with the most of `names` outside first, then by the highest of each of `then`; then by id."""
    return sorted(
        workers,
        key=lambda worker: (
            -worker.outside(names),
            *(-(worker.found.metrics.get(name) or 0) for name in then),
        ),
    )


def _plausible(worker: LiveWorker) -> LiveWorker:
    """The same without numbers that are none: a peer may send anything, and one NaN would spoil a sum."""
    kept = {name: value for name, value in worker.metrics.items() if value is not None and abs(value) <= _LARGEST}
    return replace(worker, metrics=kept)


def _judged(values: Mapping[str, float | int | None], *, told: bool) -> dict[str, MetricValue]:
    known = {metric.name: values.get(metric.name) for metric in DOCUMENTED}
    reasons = NOTHING_TO_COUNT if told else dict.fromkeys(known, _NO_REPORT)
    return judge(known, dict.fromkeys(known, "snapshot"), {name: reasons.get(name, _NO_REPORT) for name in known})
