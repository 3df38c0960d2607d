"""Folds a group of logs by the compiled core: in threads, on from where an earlier run stopped."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from recontool.analysis.compiled import ReadFile, new_fleet, parts_of, vocabulary
from recontool.analysis.fleet import FleetParts
from recontool.analysis.watch import thinned
from recontool.api.fold import Folded, input_file, remember, unknown_file
from recontool.api.resume import Resumed, described, key_of, resumed, stands, whole_lines
from recontool.api.sources import Reading, Source, repeated
from recontool.kernel.fleet import Chunk, Parser, threads_to_use
from recontool.kernel.library import built
from recontool.kernel.raw import moment, raw
from recontool.kernel.views import CoordinatorView, FileView, WorkerView
from recontool.logs.decoder import decoder_for
from recontool.logs.lines import identity
from recontool.logs.reader import shown_example
from recontool.model.errors import BadFieldError, UsageError
from recontool.model.findings import InputFile, LineCount
from recontool.model.markers import COORDINATOR
from recontool.model.version import VERSION

_COUNTS: Final = ("parsed", "continuation", "blank", "unmarked", "unparsed", "duplicate")
_WORTH_KEEPING: Final = 2**24  # bytes; less is read again before a state could be loaded


def by_core(group: Sequence[Source], reading: Reading, *, light: bool) -> Folded:
    """Read the logs of a group in order.

    Raises:
        UsageError: a file cannot be read.
    """
    return _Group([source for source in group if source.seen is not None], reading, light=light).folded(
        [source for source in group if source.seen is None]
    )


class _Group:
    """The files of a group by their numbers in it, and the fleet they are folded into."""

    def __init__(self, sources: Sequence[Source], reading: Reading, *, light: bool) -> None:
        self._sources, self._reading = sources, reading
        self._rules = thinned(reading.alert_rules)
        self._fleet = new_fleet(self._rules, light=light)
        self._stems = {stem: number for number, stem in enumerate(dict.fromkeys(one.stem for one in sources))}
        self._last_of: dict[str, tuple[str, int]] = {}
        self._folded = Folded(FleetParts())
        self._known: list[dict[str, Any]] = []  # of files that are read, as a state describes them
        self._states = None if light else reading.states
        self._key = key_of(sources, self._settings()) if self._states is not None and sources else None

    def folded(self, unknown: Sequence[Source]) -> Folded:
        """Read every file; `unknown` ones are only counted."""
        self._folded.files.extend(unknown_file(source) for source in unknown)
        start = self._resume()
        for number, source in enumerate(self._sources):
            if number < len(self._known) - (start is not None):
                self._folded.files.append(self._described(source, self._known[number]))
                remember(source, self._folded.files[-1].last_us, self._last_of)
            else:
                self._read(number, source, start.position if start is not None else None)
                start = None
        files = {
            number: ReadFile(source.name, source.seen.form, source.owner, source.number, self._reading.zone)
            for number, source in enumerate(self._sources)
            if source.seen is not None
        }
        self._folded.parts = parts_of(self._fleet, files, self._rules)
        return self._folded

    def _settings(self) -> str:
        """What else than files a state depends on."""
        watched = [(rule.condition, rule.for_us, rule.keep_firing_us) for rule in self._rules]
        return json.dumps([VERSION, built(), watched, str(self._reading.zone)])

    def _resume(self) -> Resumed | None:
        if self._states is None or self._key is None:
            return None
        found = resumed(self._states, self._key, self._sources)
        if found is None or not self._fleet.load(found.state):
            self._fleet = new_fleet(self._rules)  # a state that made no sense has left its traces
            return None
        self._known = [dict(known) for known in found.files]
        return found

    def _read(self, number: int, source: Source, position: int | None) -> None:
        """All lines of one file, or those from `position` on where a state holds the others."""
        if source.seen is None:
            raise ValueError("only files of a known format are folded")
        skip = repeated(source, self._last_of.get(source.stem)) if position is None else 0
        light = self._fleet.light and not skip  # a line that is skipped must have a record of its own
        parser = Parser(vocabulary(), source.seen.form, source.owner, self._reading.zone, light=light)
        if position is None:
            self._fleet.begin(parser, number, self._stems[source.stem], skip)
        last = number + 1 == len(self._sources)
        before = identity(source.path) if self._key is not None else ()
        if not source.plain:
            self._unpack(parser, source)
        else:
            self._scan(parser, source, position or 0, keep=last and self._key is not None)
        self._fleet.end_file(parser)
        self._folded.files.append(self._described(source, self._seen(source)))
        remember(source, self._folded.files[-1].last_us, self._last_of)
        if source.stream.torn:
            self._folded.torn.append((source.name, source.stream.torn))
            self._key = None  # each run shall say so
        if not last and self._key is not None:
            self._remember(number, source, before)

    def _remember(self, number: int, source: Source, before: tuple[int, ...]) -> None:
        """Describe a file that was read to its end, unless it is no longer what it was `before`."""
        with Path(source.path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if identity(source.path) == before:
                self._known[number:] = [described(source, file.fileno(), size, size, self._seen(source))]
            else:
                self._key = None

    def _unpack(self, parser: Parser, source: Source) -> None:
        chunk = Chunk()
        tell = self._reading.progress
        for block in source.blocks():
            chunk.give(block, parser)
            self._fleet.fold(parser, chunk)
            if tell is not None:
                tell(source.name, *source.stream.place())
        source.stream.close()

    def _scan(self, parser: Parser, source: Source, start: int, *, keep: bool) -> None:
        """By byte ranges on all processors; `keep` what all whole lines came to."""
        try:
            with Path(source.path).open("rb", buffering=0) as file:
                fd = file.fileno()
                size = os.fstat(fd).st_size
                if start and not stands(self._known[-1], fd):
                    raise UsageError("another file took its place while it was read", where=source.path)
                tell = self._reading.progress
                progress = None if tell is None else lambda done: tell(source.name, start + done, size)
                threads = self._reading.threads or threads_to_use()
                whole = whole_lines(fd, start, size) if keep else size
                self._fleet.scan(parser, fd, start, whole, threads=threads, progress=progress)
                if keep:
                    self._keep(source, fd, start, whole, size)
                self._fleet.scan(parser, fd, whole, size, threads=1)  # a last line without its end
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror or error}", where=source.path) from error

    def _keep(self, source: Source, fd: int, start: int, whole: int, size: int) -> None:
        before = self._known[: len(self._sources) - 1]
        held = sum(known["size"] for known in before) + whole
        if self._states is None or self._key is None or held < _WORTH_KEEPING or whole == start:
            return
        about = [*before, described(source, fd, whole, size, self._seen(source))]
        self._states.put(self._key, {"files": about}, self._fleet.save())

    def _seen(self, source: Source) -> dict[str, Any]:
        """What the core has found in the current file, as plain data."""
        view = self._fleet.view("file", FileView)
        return {
            "lines": {"total": view.lines, **dict(zip(_COUNTS, view.counts, strict=True))},
            "first_us": moment(view.first),
            "last_us": moment(view.last),
            "role": self._role(source),
            "examples": [
                self._example(view.example_line[at], raw(view.example[at], view.example_n[at]), source)
                for at in range(view.examples_n)
            ],
        }

    def _described(self, source: Source, found: Mapping[str, Any]) -> InputFile:
        examples = tuple((line, text, why) for line, text, why in found["examples"])
        times = (found["first_us"], found["last_us"])
        return input_file(source, found["role"], LineCount(**found["lines"]), times, examples)

    def _role(self, source: Source) -> str:
        fleet, number = self._fleet, self._sources.index(source)
        workers = (fleet.view("worker", WorkerView, one) for one in range(fleet.count("workers")))
        worker = any(view.in_file and view.known for view in workers)
        coordinators = (fleet.view("coordinator", CoordinatorView, one) for one in range(fleet.count("coordinators")))
        coordinator = any(view.file == number for view in coordinators)
        if worker:
            return "mixed" if coordinator else "worker"
        return COORDINATOR if coordinator else "none"

    def _example(self, line: int, text: bytes, source: Source) -> tuple[int, str, str]:
        """An unparsed line, and why: the core says that it fits nothing, the reference says what is wrong with it."""
        if source.seen is None:
            return shown_example(line, text)
        decoder = decoder_for(source.seen.form, source=source.owner, zone=self._reading.zone)
        try:
            header = decoder.header(text)
            if header is not None:
                decoder.events(header)
        except BadFieldError as error:
            return shown_example(line, text, error.problem)
        return shown_example(line, text)
