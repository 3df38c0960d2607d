"""The logs behind the paths a user named: opened, looked at, put in order and told apart."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, tzinfo
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from recontool.kernel.library import why_not
from recontool.logs.format import Format
from recontool.logs.inputs import as_text, default_paths, rotation, short_names
from recontool.logs.lines import LineStream, identity, read_once
from recontool.logs.probe import Probe, probe
from recontool.logs.rotation import overlap
from recontool.model.markers import COORDINATOR

if TYPE_CHECKING:
    from recontool.alerts.rules import Rule
    from recontool.storage.states import States

_OVERLAP_LINES: Final = 1_000_000  # longest run of repeated lines looked for between rotated parts


class Reading(Struct, frozen=True):
    """How inputs are read. `tell` gets a sentence when there is something to say while reading.

    `threads` 0 means one per processor; the answer is the same whatever their number. `states` remembers how far
    logs were read, so that the next run reads new bytes only.
    """

    format_in: str = ""
    zone: tzinfo = UTC
    strict: bool = False
    tell: Callable[[str], None] = lambda _sentence: None
    threads: int = 0
    progress: Callable[[str, int, int], None] | None = None  # file, bytes done, bytes in all
    states: "States | None" = None
    forms: tuple[Format, ...] = ()  # the user's own
    rules: "tuple[Rule, ...] | None" = None  # of alerts; the built-in ones where None
    looks: "dict[str, tuple[object, Probe | None]]" = field(default_factory=dict)  # at heads of files, by path

    @property
    def alert_rules(self) -> "tuple[Rule, ...]":
        """The rules in force. They are loaded when they are asked for: a summary does without."""
        from recontool.alerts.rules import BUILT_IN

        return BUILT_IN if self.rules is None else self.rules


DEFAULT: Final = Reading()


class Source(Struct):
    """A log on its way through: opened, looked at, not yet read."""

    path: str
    name: str  # as evidence shows it
    stream: LineStream
    seen: Probe | None
    number: int = 0
    ids: frozenset[str] = field(default_factory=frozenset)  # workers its head names

    @property
    def stem(self) -> str:
        """What rotated siblings have in common."""
        return rotation(self.path)[0]

    @property
    def order(self) -> tuple[int, int, str]:
        """Time of the first record; older rotated parts first where that ties."""
        first_us = self.seen.first_us if self.seen is not None else None
        return (first_us or 0, -rotation(self.path)[1], self.path)

    @property
    def owner(self) -> str:
        """Whose file it is, where its lines do not say so."""
        if self.seen is None or self.seen.source or self.seen.form.engine == "tagged":
            return self.seen.source if self.seen is not None else ""
        return as_text(Path(self.stem).name).partition(".")[0] or "worker"

    @property
    def lasts(self) -> bool:
        """Whether it can be read again."""
        return not read_once(self.path) and Path(self.path).is_file()

    @property
    def plain(self) -> bool:
        """Whether its lines stand in a file just as they are."""
        bare = self.seen is None or self.seen.prefix is None
        return bare and self.lasts and not self.stream.packed

    def lines(self) -> Iterator[bytes]:
        """The process's own lines from the start, one for each line of the file."""
        stream = self.again()
        if self.seen is None or self.seen.prefix is None:
            return iter(stream)
        from recontool.logs.prefix import unwrap  # few logs carry one

        return unwrap(self.seen.prefix, stream)

    def blocks(self) -> Iterator[bytes]:
        """The same lines, many at a time, for the compiled core."""
        blocks = self._blocks()
        if read_once(self.path) or not (self.stream.packed or (self.seen is not None and self.seen.prefix is not None)):
            return blocks
        from recontool.logs.ahead import ahead  # brings logging along

        return ahead(blocks)

    def _blocks(self) -> Iterator[bytes]:
        if self.seen is None or self.seen.prefix is None:
            yield from self.again().blocks()
            return
        from recontool.kernel.prefixes import Unwrapper  # few logs carry one

        unwrapper = Unwrapper(self.seen.prefix)
        for block in self.again().blocks():
            yield unwrapper.take(block)
        yield unwrapper.rest()

    def again(self) -> LineStream:
        """Its lines from the start."""
        if not read_once(self.path):
            self.stream = LineStream(self.path)
        return self.stream


def opened(paths: Sequence[str], reading: Reading) -> list[Source]:
    """The logs in the order in which they are read; says once when there is no compiled core to read them."""
    if why := why_not():
        reading.tell(why)
    names = short_names(paths)
    sources = []
    for path in paths:
        stream = LineStream(path)
        seen = _seen(stream, reading)
        stream.close()  # hundreds of files must not stay open at once
        sources.append(Source(path, names[path], stream, seen))
    _name_siblings(sources)
    sources.sort(key=lambda source: source.order)
    for number, source in enumerate(sources):
        source.number = number
        named = source.seen.sources if source.seen is not None else frozenset()
        source.ids = frozenset(named | {source.owner}) - {COORDINATOR, ""}
    return sources


def _seen(stream: LineStream, reading: Reading) -> Probe | None:
    """What its head tells; a file that has not changed since is not asked again."""
    wanted = (reading.format_in, str(reading.zone), *map(id, reading.forms))
    now = None if read_once(stream.path) else (identity(stream.path), wanted)
    then, seen = reading.looks.get(stream.path, (None, None))
    if now is None or then != now:
        seen = probe(stream.head(), only=reading.format_in, zone=reading.zone, forms=reading.forms)
        reading.looks[stream.path] = (now, seen)
    return seen


def _name_siblings(sources: Sequence[Source]) -> None:
    """A part that begins just after a rotation may not say whose it is; its siblings do."""
    named: dict[str, set[str]] = {}
    for source in sources:
        if source.seen is not None and source.seen.source:
            named.setdefault(source.stem, set()).add(source.seen.source)
    for source in sources:
        known = named.get(source.stem, set())
        if (
            source.seen is not None
            and source.seen.form.engine != "tagged"
            and not source.seen.source
            and len(known) == 1
        ):
            source.seen = replace(source.seen, source=next(iter(known)))


def repeated(source: Source, before: tuple[str, int] | None) -> int:
    """Lines at the start of a rotated part that also end the part `before` it: (path, time of its last record)."""
    if before is None or source.seen is None or source.seen.first_us is None or source.seen.first_us > before[1]:
        return 0
    if read_once(source.path):
        return 0
    newer = LineStream(source.path)
    head = list(islice(newer, _OVERLAP_LINES))
    newer.close()
    older = LineStream(before[0])
    try:
        return overlap(older, head)
    finally:
        older.close()


def groups_of(sources: Sequence[Source], also: Sequence[frozenset[str]] = ()) -> list[list[Source]]:
    """Sources that may share a worker stand together, each group in reading order; so groups can be read apart.

    `also`: ids and stems of groups in whose files one worker turned out to stand.
    """
    group_of: dict[str, int] = {}
    members: dict[int, list[Source]] = {}
    for source in sources:
        keys = {f"stem {source.stem}", *(f"id {name}" for name in source.ids)}
        for ids in also:
            if ids & {source.stem, *source.ids}:
                keys.update(f"id {name}" for name in ids)
        joined = sorted({group_of[key] for key in keys if key in group_of})
        home = joined[0] if joined else len(members) + source.number * len(sources) + 1
        group = members.setdefault(home, [])
        for other in joined[1:]:
            group.extend(members.pop(other))
            group_of.update({key: home for key, at in group_of.items() if at == other})
        group.append(source)
        group_of.update(dict.fromkeys(keys, home))
    return [sorted(group, key=lambda source: source.number) for group in members.values()]


def paths_or_default(paths: Sequence[str], data_dir: Path, reading: Reading = DEFAULT) -> Sequence[str]:
    """`paths`, or what `data_dir` or the current folder holds; tells which.

    Raises:
        NoDataError: there is neither.
    """
    if paths:
        return paths
    found, sentence = default_paths(data_dir)
    reading.tell(sentence)
    return found


def compilable(group: Sequence[Source], reading: Reading) -> bool:
    """Whether the core can read each file of the group; says so where it is a matter of the format."""
    forms = {source.seen.form.name: source.seen.form for source in group if source.seen is not None}
    if all(form.engine == "tagged" for form in forms.values()):
        return True  # the core has its grammar
    from recontool.kernel.formats import format_table
    from recontool.kernel.patterns import UnsupportedPatternError

    for form in forms.values():
        try:
            format_table(form)
        except UnsupportedPatternError as error:
            reading.tell(f"format {form.name} is read by the reference reader: {error}")
            return False
    return True
