"""Writes the vocabulary as the table that the compiled core reads: facts stay where they are declared."""

from collections.abc import Mapping
from typing import Final

from recontool.model.catalogue import BLOCK, CLAIMABLE
from recontool.model.events import EVENTS, FIELD_TYPES, UNMARKED_BY_TEMPLATES
from recontool.model.markers import LEVEL_NAMES, LEVELS

_TYPES: Final = {str: 0, int: 1, float: 2, bool: 3}
_UNITS: Final = {"ms": 1, "s": 2}


def vocabulary(moves: Mapping[str, int]) -> bytes:
    """Claims, fields, events, block labels and names of levels; `moves` says by event name which alert metrics it may move, one bit each.

    Without moves it is `vocabulary.tsv`, which `make docs` writes.
    """
    lines = [f"C\t{name}" for name in CLAIMABLE]
    lines += [f"F\t{name}\t{_TYPES[kind]}" for name, kind in FIELD_TYPES.items()]
    lines += [f"A\t{name}\t{bits}" for name, bits in moves.items()]
    lines += [f"E\t{spec.marker}\t{spec.name}" for spec in EVENTS]
    lines += [f"X\t{name}" for name in UNMARKED_BY_TEMPLATES]
    lines += [f"B\t{label.label}\t{metric.name}\t{_UNITS.get(metric.unit, 0)}" for metric, label in BLOCK]
    lines += [f"L\t{name}\t{LEVELS.index(level)}" for name, level in LEVEL_NAMES.items()]
    return "".join(f"{line}\n" for line in lines).encode()
