"""Looks at the head of a log: which format, whose file, when it begins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final

from recontool.logs.blocks import block_owner
from recontool.logs.decoder import Header, decoder_for
from recontool.logs.format import Format, builtin
from recontool.logs.grammar import shown
from recontool.model.errors import BadFieldError, UsageError
from recontool.model.markers import COORDINATOR

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
    formats = builtin()
    if only and only not in formats:
        raise UsageError(
            f"unknown format {only!r}; known: {', '.join(formats)}", where="--format-in", hint="leave it out to detect"
        )
    lines = [raw.rstrip(b"\r\n") for raw in head[:_LINES]]
    candidates = [formats[only]] if only else list(formats.values())
    headers = {form.name: _headers(form, lines, zone) for form in candidates}
    best = max(candidates, key=lambda form: len(headers[form.name]))
    found = headers[best.name]
    if not found:
        bare_block = any(block_owner(line) is not None for line in lines)
        if not bare_block and not only:
            return None
        best = formats[only or "tagged-v1"]
    first_us = min((header.at_us for header in found), default=None)
    return Probe(best, _owner(best, found), first_us, frozenset(header.source for header in found))


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
