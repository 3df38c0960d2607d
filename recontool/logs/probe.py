"""Looks at the head of a log: which format, whose file, when it begins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final

from recontool.logs.blocks import block_owner
from recontool.logs.decoder import Header, decoder_for
from recontool.logs.format import BUILT_IN, Format, built_in, builtin
from recontool.logs.grammar import shown
from recontool.model.errors import BadFieldError, UsageError
from recontool.model.markers import COORDINATOR

_FEW: Final = 100
_LINES: Final = 2_000
_PLACEHOLDER: Final = "{"  # some deployments log the literal id {worker_id}


@dataclass(frozen=True, slots=True)
class Probe:
    """What the head of one file tells. `source` is "" when each line names its own; `sources` are those seen."""

    form: Format
    source: str
    first_us: int | None
    sources: frozenset[str] = frozenset()


def probe(head: Sequence[bytes], *, only: str = "", zone: tzinfo = UTC) -> Probe | None:
    """The format most lines of `head` fit; None when none fits. `only` names the format instead.

    Raises:
        UsageError: `only` is no format.
    """
    if only and only not in BUILT_IN:
        raise UsageError(
            f"unknown format {only!r}; known: {', '.join(BUILT_IN)}", where="--format-in", hint="leave it out to detect"
        )
    headers: dict[str, list[Header]] = {}
    best = built_in(only or BUILT_IN[0])
    # A line fits one format only, so what fits half of the first lines fits best: no need to load the others.
    for lines in (_lines(head[:_FEW]), _lines(head[:_LINES])):
        for name in (only,) if only else BUILT_IN:
            headers[name] = _headers(built_in(name), lines, zone)
            if 2 * len(headers[name]) > len(lines):
                break
        best = built_in(max(headers, key=lambda name: len(headers[name])))
        if 2 * len(headers[best.name]) > len(lines) and best.engine == "tagged":
            break
    found = headers[best.name]
    if not found:
        bare_block = any(block_owner(line) is not None for line in _lines(head[:_LINES]))
        if not bare_block and not only:
            return None
        best = built_in(only or BUILT_IN[0])
    first_us = min((header.at_us for header in found), default=None)
    return Probe(best, _owner(best, found), first_us, frozenset(header.source for header in found))


def _lines(head: Sequence[bytes]) -> list[bytes]:
    return [raw.rstrip(b"\r\n") for raw in head]


def _headers(form: Format, lines: Sequence[bytes], zone: tzinfo) -> list[Header]:
    decoder = decoder_for(form, zone=zone)
    found = []
    for line in lines:
        try:
            header = decoder.header(line)
        except BadFieldError:  # a damaged line says nothing about the format; the reader will count it
            continue
        if header is not None:
            found.append(header)
    return found


def _owner(form: Format, headers: Sequence[Header]) -> str:
    """The worker (or "coordinator") an untagged file belongs to; "" when nothing says."""
    if form.engine == "tagged":
        return ""
    workers = sum(header.logger in form.worker_loggers for header in headers)
    coordinators = sum(header.logger in form.coordinator_loggers for header in headers)
    if coordinators > workers:
        return COORDINATOR
    templates = [template for template in form.templates if template.logger in form.worker_loggers]
    for header in headers:
        owner = block_owner(header.text)
        for template in templates:
            if owner is None and template.logger == header.logger and header.text.startswith(template.starts):
                match = template.match.fullmatch(header.text)
                named = match.groupdict().get("worker") if match else None
                owner = shown(named) if named else None
        if owner and not owner.startswith(_PLACEHOLDER):
            return owner
    return ""


def known_formats() -> Mapping[str, str]:
    """Name and title of every format."""
    return {form.name: form.title for form in builtin().values()}
