"""Writes a format as the table that the compiled core reads."""

from functools import lru_cache
from typing import Final

from recontool.kernel.patterns import UnsupportedPatternError, compiled
from recontool.logs.format import Emit, Format, Template

_FIXED: Final = frozenset({"cause", "type"})  # fields a template may set; others would need the reference
_SHAPE: Final = ("second", "milli", "level", "logger", "text")


@lru_cache(maxsize=16)
def format_table(form: Format) -> bytes:
    """The table of one format; empty for formats without shapes and templates.

    Raises:
        UnsupportedPatternError: the compiled core cannot read it; the reference can.
    """
    if form.engine != "templates":
        return b""
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
    if any(not word.isprintable() for word in words):
        raise UnsupportedPatternError("a template whose texts have control characters")
    return "\t".join(words)


def _emit(emit: Emit | None) -> tuple[str, str, str, str]:
    if emit is None:
        return ("", "", "", "")
    if set(emit.fields) - _FIXED:
        raise UnsupportedPatternError("a template that sets other fields than cause and type")
    return (emit.marker, emit.event, str(emit.fields.get("cause", "")), str(emit.fields.get("type", "")))
