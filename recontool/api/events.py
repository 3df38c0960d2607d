"""Paths in, a stream of events out: by the reference reader, one at a time."""

from collections.abc import Iterator, Sequence

from recontool.api.sources import DEFAULT, Reading, opened, repeated
from recontool.logs.inputs import find_inputs
from recontool.logs.lines import read_once
from recontool.logs.probe import formats_hint
from recontool.logs.reader import LogReader
from recontool.model.errors import NoDataError
from recontool.model.events import Event


def iter_events(paths: Sequence[str], reading: Reading = DEFAULT) -> Iterator[tuple[str, Event]]:
    """(file, event) of every log behind `paths`, file by file in order of their first record.

    Raises:
        UsageError, NoDataError: a path cannot be opened; nothing in it is a log of a known format.
    """
    found = find_inputs(paths)
    last_of: dict[str, tuple[str, int]] = {}  # stem of rotated siblings -> (path, last time) of the part read before
    usable = False
    for source in opened(found.logs, reading):
        if source.seen is None:
            source.stream.close()
            continue
        usable = True
        skip = repeated(source, last_of.get(source.stem))
        reader = LogReader(source.lines(), source.seen.form, source=source.owner, zone=reading.zone, duplicates=skip)
        for event in reader:
            if event.name:
                yield source.name, event
        if reader.last_us is not None and not read_once(source.path):
            last_of[source.stem] = (source.path, reader.last_us)
        source.stream.close()
    if not usable:
        raise NoDataError("no log of a known format among the inputs", hint=formats_hint())
