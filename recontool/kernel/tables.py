"""Writes the vocabulary and the formats as the tables that the compiled core reads: facts stay where they are declared."""

from collections.abc import Mapping
from typing import Final

from recontool.kernel.patterns import UnsupportedPatternError, compiled
from recontool.logs.format import Emit, Format, Template
from recontool.model.catalogue import BLOCK
from recontool.model.events import EVENTS, FIELD_TYPES, UNMARKED_BY_TEMPLATES

_TYPES: Final = {str: 0, int: 1, float: 2, bool: 3}
_UNITS: Final = {"ms": 1, "s": 2}
_FIXED: Final = frozenset({"cause", "type"})  # fields a template may set; others would need the reference
_SHAPE: Final = ("second", "milli", "level", "logger", "text")


def vocabulary(moves: Mapping[str, int]) -> bytes:
    """Fields, events and block labels; `moves` says by event name which alert metrics it may move, one bit each."""
    lines = [f"F\t{name}\t{_TYPES[kind]}" for name, kind in FIELD_TYPES.items()]
    lines += [f"A\t{name}\t{bits}" for name, bits in moves.items()]
    lines += [f"E\t{spec.marker}\t{spec.name}" for spec in EVENTS]
    lines += [f"X\t{name}" for name in UNMARKED_BY_TEMPLATES]
    lines += [f"B\t{label.label}\t{metric.name}\t{_UNITS.get(metric.unit, 0)}" for metric, label in BLOCK]
    return "\n".join(lines).encode()


def format_table(form: Format) -> bytes:
    """The table of one format; empty for formats that follow the tagged grammar.

    Raises:
        UnsupportedPatternError: the compiled core cannot read it; the reference can.
    """
    if form.engine == "tagged":
        return b""
    if form.engine != "templates":
        raise UnsupportedPatternError("its records are objects, not lines of one shape")
    lines: list[str] = []
    for number, shape in enumerate(form.shapes):
        lines.append(f"P\t{compiled(shape).hexed()}")
        missing = set(_SHAPE) - set(shape.groupindex)
        if missing:
            raise UnsupportedPatternError(f"a shape without {missing}")
        lines.append("\t".join(("S", str(number), *(str(shape.groupindex[name] - 1) for name in _SHAPE))))
    for number, template in enumerate(form.templates, len(form.shapes)):
        lines.append(f"P\t{compiled(template.match).hexed()}")
        lines.append(_template(template, number))
        lines += [f"G\t{index - 1}\t{name}" for name, index in template.match.groupindex.items()]
    lines += [f"U\t{name}" for name in sorted(form.claim_only)]
    return "\n".join(lines).encode()


def _template(template: Template, program: int) -> str:
    emit = template.emit
    then = Emit(emit.marker, template.then, emit.fields) if emit is not None and template.then else None
    even = template.match.groupindex[template.even] - 1 if template.even else ""
    flags = (template.unless_debug, template.after_start, template.while_down)
    words = (
        "T",
        template.logger,
        template.starts.hex(),
        str(program),
        *(word for one in (emit, then, template.also) for word in _emit(one)),
        template.cause_hint,
        str(even),
        *(str(int(flag)) for flag in flags),
    )
    return "\t".join(words)


def _emit(emit: Emit | None) -> tuple[str, str, str, str]:
    if emit is None:
        return ("", "", "", "")
    if set(emit.fields) - _FIXED:
        raise UnsupportedPatternError("a template that sets other fields than cause and type")
    return (emit.marker, emit.event, str(emit.fields.get("cause", "")), str(emit.fields.get("type", "")))
