"""Events as a table: the typed columns, and its way into Parquet, CSV and NDJSON without holding all of it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from recontool.api.deliver import whole
from recontool.logs.grammar import value_text
from recontool.model.catalogue import CLAIMABLE
from recontool.model.events import EVENTS, FIELD_TYPES, METRICS_BLOCK, Event, Value
from recontool.model.instant import iso

if TYPE_CHECKING:
    import pyarrow as pa

_WIDE: Final = frozenset({"config", "metrics", "metrics_block"})  # their many fields share the column `values`
FIELDS: Final[tuple[str, ...]] = tuple(
    dict.fromkeys(name for spec in EVENTS if spec.name not in _WIDE for name in spec.fields)
)
_CSV_QUOTED: Final = re.compile(r'[,"\r\n]')
COLUMNS: Final = ("at", "level", "source", "marker", "event", "file", "line", *FIELDS, "values")
_ALWAYS: Final = frozenset({"at", "level", "source", "event", "file", "line"})  # every event has them
CSV_HEADER: Final = ",".join(COLUMNS) + "\n"
_ORDER: Final = {name: number for number, name in enumerate(CLAIMABLE)}  # of what a block says


def row(file: str, event: Event) -> dict[str, Value | None]:
    """One event as a row; `at` is ISO 8601 text, columns the event has no field for are None."""
    wide = not event.marker and event.name in _WIDE
    fields: Mapping[str, Value] = {} if wide else event.fields
    return {
        "at": iso(event.at_us),
        "level": event.level,
        "source": event.source,
        "marker": event.marker or None,
        "event": event.name,
        "file": file,
        "line": event.line,
        **{name: fields.get(name) for name in FIELDS},
        "values": _values(event) if wide else None,
    }


def _values(event: Event) -> str:
    fields = event.fields.items()
    return json.dumps(
        dict(sorted(fields, key=lambda field: _ORDER[field[0]]) if event.name == METRICS_BLOCK else fields)
    )


def write_lines(events: Iterable[tuple[str, Event]], out: IO[str]) -> int:
    """One line per event for people: time, source, marker, event, fields, place; returns the number of events."""
    count = 0
    for file, event in events:
        marker = f"[{event.marker}]" if event.marker else ""
        fields = "".join(f" {name}={value_text(value)}" for name, value in event.fields.items())
        out.write(f"{iso(event.at_us)} {event.source} {marker:<12} {event.name}{fields}  {file}:{event.line}\n")
        count += 1
    return count


@contextmanager
def whole_text(path: Path) -> Iterator[IO[str]]:
    """A text file that appears whole or not at all.

    Raises:
        UsageError: it cannot be written.
    """
    with whole(path) as part, part.open("w", encoding="utf-8", newline="") as out:
        yield out


def write_ndjson(events: Iterable[tuple[str, Event]], out: IO[str]) -> int:
    """One JSON object per event, empty columns left out; returns the number of events."""
    count = 0
    for file, event in events:
        present = {name: value for name, value in row(file, event).items() if value is not None}
        out.write(json.dumps(present) + "\n")
        count += 1
    return count


def write_csv(events: Iterable[tuple[str, Event]], out: IO[str]) -> int:
    """A header and one line per event; returns the number of events."""
    out.write(CSV_HEADER)
    return write_csv_rows(events, out)


def write_csv_rows(events: Iterable[tuple[str, Event]], out: IO[str]) -> int:
    """As `write_csv`, without the header."""
    count = 0
    for file, event in events:
        out.write(",".join(_csv_cell(value) for value in row(file, event).values()) + "\n")
        count += 1
    return count


def _csv_cell(value: Value | None) -> str:
    """As csv.writer writes it, but a lone carriage return is quoted by every version of Python."""
    if value is None:
        return ""
    text = str(value)
    if _CSV_QUOTED.search(text) is None:
        return text
    return '"' + text.replace('"', '""') + '"'


def arrow_schema() -> "pa.Schema":
    """Typed columns; `at` is a UTC timestamp in microseconds, what repeats is a dictionary, what every event has not null."""
    import pyarrow as pa

    of_kind: dict[Any, Any] = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    fixed = {"at": pa.timestamp("us", tz="UTC"), "line": pa.int64()}
    fixed |= dict.fromkeys(("level", "source", "marker", "event", "file"), pa.dictionary(pa.int32(), pa.string()))
    types = {name: fixed.get(name) or of_kind[FIELD_TYPES.get(name, str)] for name in COLUMNS}
    return pa.schema([pa.field(name, kind, nullable=name not in _ALWAYS) for name, kind in types.items()])


def arrow_rows(events: Iterable[tuple[str, Event]]) -> Iterator[dict[str, Any]]:
    """Rows with `at` as integer microseconds, the way Arrow takes timestamps."""
    for file, event in events:
        yield {**row(file, event), "at": event.at_us}


def batched(rows: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """Up to `size` rows at a time."""
    while batch := list(islice(rows, size)):
        yield batch
