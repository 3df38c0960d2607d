"""The coordinator's alerts: evaluates the rules on each round of samples, keeps what came of it, and has it delivered.

A round runs in a thread and ends in one transaction; channels deliver on their own. So neither a slow disk nor a dead
receiver holds up the coordinator's event loop.
"""

import asyncio
import os
import random
import sqlite3
import time
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, field

from recontool.alerts.engine import Active, AlertEngine, Change, Status
from recontool.alerts.rules import Rule
from recontool.logs.writer import LogWriter
from recontool.model.instant import iso
from recontool.model.prometheus import PREFIX
from recontool.model.units import MINUTE_US
from recontool.runtime.exposition import Family, labels
from recontool.runtime.instructions import Fields
from recontool.runtime.notify import deliver
from recontool.runtime.notify.courier import Courier
from recontool.runtime.notify.groups import Groups
from recontool.runtime.notify.message import Item, Notification
from recontool.runtime.notify.outbox import Outbox
from recontool.runtime.notify.settings import Notifications
from recontool.runtime.notify.silence_file import FILE_NAME, SilenceFile
from recontool.runtime.notify.silences import Silence, silenced_until

_FINISH_S: Final = 3.0
_LARGEST: Final = 1e15  # a reader takes numbers beyond it for damage
_LOGGED_AT_ONCE: Final = 100
_MOST_RESOLVED: Final = 200  # that the overview remembers, for an hour at most
_LEVELS: Final = {"CRITICAL": "ERROR", "WARNING": "WARNING", "INFO": "INFO"}
_ENGINE, _GROUPS, _CLOCK = "engine", "groups", "clock"


class _Round(Struct, frozen=True):
    """What one look at the rules brought."""

    changes: list[Change] = field(default_factory=list)
    messages: list[Notification] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Alerting:
    """One coordinator's rules and channels.

    Args:
        data_dir: holds `alerts.db` and, if a person writes one, `silences.yaml`.
        log: takes changes and deliveries.
        clock_us: wall clock.
        ticks_us: a clock nobody sets.

    `waiting` is the number of messages that wait, by channel, as of the latest round; `on_change` is called after a
    round that changed an alert.

    Raises:
        UsageError: the state cannot be opened.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        notifications: Notifications,
        data_dir: Path,
        log: LogWriter,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        *,
        ticks_us: Callable[[], int] = lambda: time.monotonic_ns() // 1000,
    ) -> None:
        self._rules = {rule.name: rule for rule in rules}
        self._log, self._clock_us = log, clock_us
        self._outbox = Outbox(data_dir / "alerts.db")
        self._groups = Groups(notifications.channels, {rule.name: rule.notification for rule in rules})
        self._engine = self._restored(rules)
        self._looked_us: int = int(self._outbox.state(_CLOCK) or 0)
        self._ticks_us, self._ticked_us = ticks_us, ticks_us()
        self._silences, self._silence_file = notifications.silences, SilenceFile(data_dir / FILE_NAME, os.environ)
        self._couriers = {
            channel.name: Courier(
                channel,
                self._outbox,
                deliver.to(channel),
                say=lambda level, fields: self._event(level, "notification", fields),
                clock_us=clock_us,
                draw=random.Random(),
            )
            for channel in notifications.channels
        }
        self._samples: dict[str, Mapping[str, float | None]] = {}
        self._left: set[str] = set()
        self._status: Status = self._engine.status()
        self._listed = self._list()
        self.waiting: dict[str, int] = {}
        self._unsaved: list[Notification] = []
        self._saved: dict[str, bytes] = {}
        self._full: set[str] = set()
        self._resolved: deque[Change] = deque(maxlen=_MOST_RESOLVED)
        self.on_change: Callable[[], None] = lambda: None

    def take(self, worker: str, metrics: Mapping[str, float | None]) -> None:
        """A worker's sample, for the next round."""
        self._samples[worker] = metrics
        self._left.discard(worker)

    def left(self, worker: str) -> None:
        """A worker said goodbye: its series end, it is not to be waited for."""
        self._left.add(worker)

    async def run(self, interval_s: float) -> None:
        """Look every `interval_s` and deliver all the while, for ever."""
        self._log_forgotten()
        async with asyncio.TaskGroup() as group:
            for courier in self._couriers.values():
                group.create_task(courier.run())
            while True:
                await asyncio.sleep(interval_s)
                await self.look()

    async def look(self) -> None:
        """One round, now."""
        samples, self._samples = self._samples, {}
        left, self._left = self._left, set()
        found = await asyncio.to_thread(self._look, samples, left)
        for problem in found.problems:
            self._log.text("ERROR", problem)
        for number, change in enumerate(found.changes, 1):
            self._log_change(change)
            if number % _LOGGED_AT_ONCE == 0:  # a whole fleet may change at once, and the loop has others to serve
                await asyncio.sleep(0)
        for name in {message.channel for message in found.messages}:
            self._couriers[name].wake()
        if found.changes:
            self._resolved.extend(change for change in found.changes if change.state == "resolved")
            self.on_change()

    async def finish(self) -> None:
        """Let deliveries under way end, within seconds; the rest is in the outbox and goes on at the next start."""
        await asyncio.gather(*(courier.finish(_FINISH_S) for courier in self._couriers.values()))

    def close(self) -> None:
        """Close the outbox; nothing may be called after it."""
        self._outbox.close()

    def overview(self) -> dict[str, object]:
        """The answer of `/api/v1/alerts`, as of the latest round; any thread may ask."""
        silences = self._all_silences()
        return {
            "at": iso(self._looked_us) if self._looked_us else None,
            "alerts": self._listed,
            "resolved": [
                _shown_resolved(change)
                for change in reversed(list(self._resolved))
                if change.at_us > self._looked_us - 60 * MINUTE_US
            ],
            "rules": [
                {
                    "alert": rule.alert,
                    "condition": rule.condition,
                    "severity": rule.severity,
                    "health": rule.health,
                    "error": rule.error or None,
                    "evaluated_at": None if rule.evaluated_us is None else iso(rule.evaluated_us),
                }
                for rule in self._status.rules
            ],
            "channels": [self._shown_channel(courier) for courier in self._couriers.values()],
            "silences": [_shown_silence(silence) for silence in silences if silence.until_us > self._clock_us()],
        }

    def firing(self) -> int:
        """How many alerts fire, as of the latest round."""
        return len(self._firing())

    def families(self) -> list[Family]:
        """What `/metrics` shows of alerts and channels; the counts of deliveries are this process's."""
        firing = Counter((active.alert, active.severity) for active in self._firing())
        tallies = [(name, courier.tally) for name, courier in sorted(self._couriers.items())]
        return [
            Family(
                f"{PREFIX}alerts_firing",
                "gauge",
                "alerts that fire now, by rule; one per worker",
                [
                    (labels(alert=rule.name, severity=rule.severity), firing[rule.name, rule.severity])
                    for rule in self._rules.values()
                ],
            ),
            Family(
                f"{PREFIX}notifications_total",
                "counter",
                "deliveries to a channel, by outcome",
                [
                    (labels(channel=name, outcome=outcome), getattr(tally, outcome))
                    for name, tally in tallies
                    for outcome in ("delivered", "failed", "dropped")
                ],
            ),
            Family(
                f"{PREFIX}notifications_waiting",
                "gauge",
                "messages that wait for their delivery",
                [(labels(channel=name), self.waiting.get(name, 0)) for name, _ in tallies],
            ),
        ]

    # --- one round, in a thread -------------------------------------------------------------------------

    def _look(self, samples: Mapping[str, Mapping[str, float | None]], left: set[str]) -> _Round:
        found = _Round()
        at_us = self._looked_us = self._instant()
        self._engine.add(at_us - 1, samples)
        self._engine.leave(at_us, left)
        found.changes.extend(self._engine.evaluate(at_us))
        before = {rule.alert: rule.error for rule in self._status.rules}
        self._status = self._engine.status()
        found.problems.extend(
            f"rule {rule.alert} cannot be evaluated: {rule.error}"
            for rule in self._status.rules
            if rule.error not in {"", before.get(rule.alert)}
        )
        if problem := self._silence_file.refresh():
            found.problems.append(problem)
        try:
            self._decide(found, at_us)
        except sqlite3.Error as error:
            found.problems.append(f"the state of alerts cannot be kept, trying again in the next round: {error}")
        self._listed = self._list()
        return found

    def _instant(self) -> int:
        """Now. Samples are in the order of time, so a clock that was set back is waited for, at half the pace of time."""
        ticks_us = self._ticks_us()
        passed_us, self._ticked_us = ticks_us - self._ticked_us, ticks_us
        return max(self._clock_us(), self._looked_us + max(2, passed_us // 2))

    def _decide(self, found: _Round, at_us: int) -> None:
        self.waiting = self._outbox.backlog()
        unsaved = Counter(message.channel for message in self._unsaved)
        silences = self._all_silences()
        self._groups.now_firing(map(self._item, self._firing()), at_us)
        self._unsaved += self._groups.due(
            at_us,
            silenced=lambda item: silenced_until(silences, item, at_us) is not None,
            backlog=lambda name: self.waiting.get(name, 0) + unsaved[name],
        )
        found.problems.extend(self._newly_full())
        states = {_GROUPS: self._groups.dump(), _ENGINE: msgspec.json.encode(self._engine.dump())}
        if self._unsaved or states != self._saved:
            self._outbox.save({**states, _CLOCK: str(at_us).encode()}, self._unsaved)
            self._saved = states
        found.messages.extend(self._unsaved)
        self._unsaved = []

    def _newly_full(self) -> Iterator[str]:
        unsaved = Counter(message.channel for message in self._unsaved)
        for name, courier in self._couriers.items():
            limit = courier.channel.pacing.queue_limit
            if self.waiting.get(name, 0) + unsaved[name] < limit:
                self._full.discard(name)
            elif name not in self._full:
                self._full.add(name)
                yield (
                    f"channel {name} has {limit} messages waiting, its limit: what changes from now on is told in one "
                    "message per group once there is room"
                )

    def _firing(self) -> list[Active]:
        return [active for active in self._status.active if active.state == "firing"]

    def _item(self, active: Active) -> Item:
        rule = self._rules[active.alert]
        since_us = active.since_us if active.fired_us is None else active.fired_us
        description = rule.description or rule.title
        return Item(active.alert, active.severity, active.worker, since_us, active.value, rule.condition, description)

    def _all_silences(self) -> tuple[Silence, ...]:
        return (*self._silences, *self._silence_file.silences())

    # --- beginning --------------------------------------------------------------------------------------

    def _restored(self, rules: Sequence[Rule]) -> AlertEngine:
        """What the last process kept; state that cannot be read is said and given up, for alerts must go on."""
        engine, groups = self._outbox.state(_ENGINE), self._outbox.state(_GROUPS)
        try:
            if groups is not None:
                self._groups.load(groups)
            if engine is not None:
                return AlertEngine.load(rules, msgspec.json.decode(engine))
        except (ValueError, KeyError, TypeError, IndexError, zlib.error, msgspec.MsgspecError) as error:
            self._log.text("WARNING", f"the state of alerts cannot be read, they start afresh: {error}")
        return AlertEngine(rules)

    def _log_forgotten(self) -> None:
        count = self._outbox.forget_others(self._couriers)
        if count:
            self._log.text("WARNING", f"messages for channels that are no longer configured, dropped: {count}")

    # --- saying -----------------------------------------------------------------------------------------

    def _log_change(self, change: Change) -> None:
        level = _LEVELS[change.severity] if change.state == "firing" else "INFO"
        fields: Fields = {"alert": change.alert, "severity": change.severity, "state": change.state}
        if change.worker is not None:
            fields["worker"] = change.worker
        if change.value is not None and abs(change.value) <= _LARGEST:
            fields["alert_value"] = change.value
        self._event(level, "alert", fields)

    def _event(self, level: str, name: str, fields: Fields) -> None:
        self._log.event(None, name, level=level, **fields)

    def _list(self) -> list[dict[str, object]]:
        # Made once a round, in its thread: a whole fleet may fire, and many may look.
        silences = self._all_silences()
        return [self._shown(active, silences) for active in self._status.active]

    def _shown(self, active: Active, silences: Sequence[Silence]) -> dict[str, object]:
        item = self._item(active)
        until_us = silenced_until(silences, item, self._clock_us())
        return {
            "alert": active.alert,
            "severity": active.severity,
            "worker": active.worker,
            "state": active.state,
            "pending_at": iso(active.since_us),
            "fired_at": None if active.fired_us is None else iso(active.fired_us),
            "value": active.value,
            "peak": active.peak,
            "condition": item.condition,
            "description": item.description,
            "notification": list(self._rules[active.alert].notification),
            "silenced_until": None if until_us is None else iso(until_us),
        }

    def _shown_channel(self, courier: Courier) -> dict[str, object]:
        tally, name = courier.tally, courier.channel.name
        return {
            "channel": name,
            "kind": courier.channel.kind,
            "waiting": self.waiting.get(name, 0),
            "delivered": tally.delivered,
            "failed_tries": tally.failed,
            "dropped": tally.dropped,
            "last_error": tally.last_error or None,
        }


def _shown_resolved(change: Change) -> dict[str, object]:
    return {
        "alert": change.alert,
        "severity": change.severity,
        "worker": change.worker,
        "pending_at": iso(change.since_us),
        "resolved_at": iso(change.at_us),
        "value": change.value,
    }


def _shown_silence(silence: Silence) -> dict[str, object]:
    return {
        "alert": silence.alert,
        "worker": silence.worker,
        "severity": silence.severity,
        "from": iso(silence.from_us) if silence.from_us else None,
        "until": iso(silence.until_us),
        "comment": silence.comment,
    }
