"""Metrics blocks: label lines between a header and a rule, with other threads' records in between."""

import re
from typing import Final

from recontool.logs.decoder import Header
from recontool.logs.grammar import MOST, shown
from recontool.model.catalogue import BLOCK, CATALOGUE
from recontool.model.events import METRICS_BLOCK, Event, Value

_HEADER: Final = re.compile(rb"={3,} Performance Metrics for (\S{1,128}) ={3,}")
_RULE: Final = re.compile(rb"={3,}")
_LABEL: Final = re.compile(rb"([A-Z][A-Za-z ]+): (?:(-?\d+(?:\.\d+)?) ?(x|ms|s|bytes)?|n/a.*)", re.DOTALL)
_METRIC_OF: Final = {label.label.encode(): metric.name for metric, label in BLOCK}
_SCALE: Final = {(b"ms", "s"): 0.001, (b"s", "ms"): 1000.0}  # (printed, catalogue unit)


def block_owner(text: bytes) -> str | None:
    """The worker named by a block's first line, None when `text` is not one."""
    if not text.startswith(b"==="):
        return None
    match = _HEADER.fullmatch(text.strip())
    return shown(match[1]) if match else None


def is_block_line(text: bytes) -> bool:
    """Whether `text` is the first line of a block, its last, or one with a label."""
    line = text.strip()
    if line.startswith(b"==="):
        return block_owner(text) is not None or _RULE.fullmatch(line) is not None
    match = _LABEL.fullmatch(line)
    return match is not None and match[1] in _METRIC_OF


class BlockCollector:
    """Collects the blocks of one file; at most one block per source is open at a time."""

    def __init__(self) -> None:
        self._open: dict[str, Event] = {}

    def begin(self, header: Header, line: int) -> Event | None:
        """A block's first line; returns the source's unfinished earlier block, if any."""
        unfinished = self._open.pop(header.source, None)
        self._open[header.source] = Event(header.at_us, header.level, header.source, "", METRICS_BLOCK, {}, line)
        return unfinished

    def offer(self, source: str, text: bytes) -> tuple[bool, Event | None]:
        """(whether `text` belongs to the open block of `source`, the block if this line ends it)."""
        block = self._open.get(source)
        if block is None:
            return False, None
        if _RULE.fullmatch(text.strip()):
            del self._open[source]
            return True, block
        match = _LABEL.fullmatch(text.strip())
        if match is None or match[1] not in _METRIC_OF:
            return False, None
        if match[2] is not None and abs(float(match[2])) <= MOST:
            name = _METRIC_OF[match[1]]
            block.fields[name] = _in_catalogue_unit(name, match[2], match[3])
        return True, None

    def rest(self) -> list[Event]:
        """Blocks the file ended in; what they hold is still good."""
        blocks = list(self._open.values())
        self._open.clear()
        return blocks


def _in_catalogue_unit(name: str, number: bytes, printed_unit: bytes | None) -> Value:
    metric = CATALOGUE[name]
    scale = _SCALE.get((printed_unit or b"", metric.unit))
    # Rounded, so that 0.3 s is 300 ms and not 299.99999999999994.
    return float(number) if scale is None else round(float(number) * scale, 9)
