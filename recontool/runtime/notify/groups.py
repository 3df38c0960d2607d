"""Decides which message each channel is due: what a channel was told against what is, group by group.

No I/O and no clock: changes and instants go in, notifications come out. A message is the difference between the two
sides, so nothing is said twice, a storm of changes within `group_interval` becomes one message, and what could not be
said (a silence, a full queue) is said later or, if it is over by then, not at all.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from recontool.runtime.notify.message import Item, Notification, notification
from recontool.runtime.notify.settings import Channel, Pacing

Instance: TypeAlias = tuple[str, str | None]  # an alert and its worker
GroupKey: TypeAlias = tuple[str, tuple[str, ...]]  # a channel and the values of its labels
_NEVER: Final = -1


class _Group(Struct):
    """One group of one channel: what it was told, when last, and since when there is news."""

    told: dict[Instance, Item]
    told_at_us: int = _NEVER
    news_since_us: int = _NEVER


class _Round(Struct, frozen=True):
    """One look at all groups; `hushed` are the firing alerts that a silence covers."""

    now_us: int
    silenced: Callable[[Item], bool]
    hushed: frozenset[Instance]


class _StoredGroup(msgspec.Struct):
    channel: str
    labels: dict[str, str]
    told: list[Item]
    told_at_us: int
    news_since_us: int


class Groups:
    """The state of all channels.

    Args:
        channels: those that deliver.
        routes: alert to the names of its channels.
    """

    def __init__(self, channels: Iterable[Channel], routes: Mapping[str, Iterable[str]]) -> None:
        self._channels = {channel.name: channel for channel in channels}
        self._routes = {alert: [name for name in names if name in self._channels] for alert, names in routes.items()}
        self.firing: dict[Instance, Item] = {}
        self._groups: dict[GroupKey, _Group] = {}

    def now_firing(self, items: Iterable[Item], at_us: int) -> None:
        """These and no others fire at `at_us`; their values may have changed since."""
        firing = {(item.alert, item.worker): item for item in items}
        for instance, item in self.firing.items():
            if instance not in firing:
                self._ended(instance, item, at_us)
        self.firing = firing

    def due(
        self, now_us: int, *, silenced: Callable[[Item], bool], backlog: Callable[[str], int]
    ) -> list[Notification]:
        """The messages to be kept and sent now; they count as told from here on.

        `backlog` is the number of a channel's messages that wait: at its limit the channel is left alone, and while
        any waits nothing is repeated.
        """
        hushed = frozenset(instance for instance, item in self.firing.items() if silenced(item))
        now = _Round(now_us, silenced, hushed)
        waiting = {name: backlog(name) for name in self._channels}
        found: list[Notification] = []
        for key, items in sorted(self._current(hushed).items(), key=lambda entry: entry[0]):
            message = self._decide(key, items, now, waiting[key[0]])
            if message is not None:
                waiting[key[0]] += 1
                found.append(message)
        return found

    def dump(self) -> bytes:
        """What was told and when, as JSON; what fires the engine knows."""
        groups = [
            _StoredGroup(key[0], self._named(key), list(group.told.values()), group.told_at_us, group.news_since_us)
            for key, group in self._groups.items()
        ]
        return msgspec.json.encode(groups)

    def load(self, data: bytes) -> None:
        """Take up what `dump` wrote; groups of channels that are gone, or grouped differently now, are let go.

        Raises:
            msgspec.MsgspecError: `data` is something else.
        """
        for group in msgspec.json.decode(data, type=list[_StoredGroup]):
            channel = self._channels.get(group.channel)
            if channel is not None and tuple(group.labels) == channel.pacing.group_by:
                told = {(item.alert, item.worker): item for item in group.told}
                key = (group.channel, tuple(group.labels.values()))
                self._groups[key] = _Group(told, group.told_at_us, group.news_since_us)

    def _ended(self, instance: Instance, item: Item, at_us: int) -> None:
        resolved = msgspec.structs.replace(item, resolved_us=at_us)
        for group in self._groups.values():
            told = group.told.get(instance)
            if told is not None and told.since_us == item.since_us:
                group.told[instance] = resolved

    # --- one group --------------------------------------------------------------------------------------

    def _current(self, hushed: frozenset[Instance]) -> dict[GroupKey, dict[Instance, Item]]:
        """What fires and may be heard of, by group; a known group is there even if nothing in it does."""
        current: dict[GroupKey, dict[Instance, Item]] = {key: {} for key in self._groups}
        for instance, item in self.firing.items():
            if instance not in hushed:
                for name in self._routes.get(item.alert, ()):
                    current.setdefault((name, self._labels(name, item)), {})[instance] = item
        return current

    def _decide(self, key: GroupKey, items: dict[Instance, Item], now: _Round, waiting: int) -> Notification | None:
        pacing = self._channels[key[0]].pacing
        group = self._groups.setdefault(key, _Group({}))
        over = self._over(group, items, now)
        if not pacing.send_resolved:
            for instance in over:
                del group.told[instance]
            over = {}
        news = bool(over) or any(
            instance not in group.told or group.told[instance].since_us != item.since_us
            for instance, item in items.items()
        )
        due = self._news_due(pacing, group, now.now_us) if news else self._repeat_due(pacing, group, now.now_us, items)
        if not due or waiting >= (pacing.queue_limit if news else 1):
            if not (group.told or items) and now.now_us - group.told_at_us >= pacing.group_interval_us:
                del self._groups[key]  # quiet for long enough: the next alert starts a group anew
            return None
        for instance in over:
            del group.told[instance]
        group.told.update(items)
        group.told_at_us, group.news_since_us = now.now_us, _NEVER
        resolved = _sorted(_resolved(item, now.now_us) for item in over.values())
        return notification(key[0], self._named(key), now.now_us, _sorted(items.values()), resolved, repeated=not news)

    @staticmethod
    def _over(group: _Group, items: dict[Instance, Item], now: _Round) -> dict[Instance, Item]:
        """What was told to fire and does no more; what a silence covers keeps until the silence ends."""
        return {
            instance: item
            for instance, item in group.told.items()
            if instance not in items and instance not in now.hushed and not now.silenced(item)
        }

    @staticmethod
    def _news_due(pacing: Pacing, group: _Group, now_us: int) -> bool:
        if group.news_since_us == _NEVER:
            group.news_since_us = now_us
        if group.told_at_us == _NEVER:
            return now_us - group.news_since_us >= pacing.group_wait_us
        return now_us - group.told_at_us >= pacing.group_interval_us

    @staticmethod
    def _repeat_due(pacing: Pacing, group: _Group, now_us: int, items: dict[Instance, Item]) -> bool:
        group.news_since_us = _NEVER
        return bool(items) and now_us - group.told_at_us >= pacing.repeat_interval_us

    def _named(self, key: GroupKey) -> dict[str, str]:
        return dict(zip(self._channels[key[0]].pacing.group_by, key[1], strict=True))

    def _labels(self, channel: str, item: Item) -> tuple[str, ...]:
        values = {"alert": item.alert, "severity": item.severity, "worker": item.worker or ""}
        return tuple(values[label] for label in self._channels[channel].pacing.group_by)


def _resolved(item: Item, now_us: int) -> Item:
    # An alert that left its group without an end (its severity or its channels were changed) ends for this one now.
    return item if item.resolved_us is not None else msgspec.structs.replace(item, resolved_us=now_us)


def _sorted(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda item: (item.since_us, item.alert, item.worker or ""))
