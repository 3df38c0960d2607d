"""Looks at the head of a log: which format, whose file, when it begins."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from recontool.logs.blocks import block_owner
from recontool.logs.decoder import Header, decoder_for
from recontool.logs.format import BUILT_IN, TAGGED, Format, built_in, builtin
from recontool.logs.grammar import shown
from recontool.model.errors import BadFieldError, UsageError
from recontool.model.markers import COORDINATOR

if TYPE_CHECKING:
    from recontool.logs.prefix import Prefix

_FEW: Final = 50  # lines that tell most formats
_LINES: Final = 2_000
_PLACEHOLDER: Final = "{"  # some deployments log the literal id {worker_id}


class Probe(Struct, frozen=True):
    """What the head of one file tells. `source` is "" when each line names its own; `sources` are those seen.

    `prefix` is what a container or journald put in front of every line.
    """

    form: Format
    source: str
    first_us: int | None
    sources: frozenset[str] = frozenset()
    prefix: "Prefix | None" = None


def probe(head: Sequence[bytes], *, only: str = "", zone: tzinfo = UTC, forms: Sequence[Format] = ()) -> Probe | None:
    """The format most lines of `head` fit; None when none fits.

    Args:
        only: the format's name, instead of looking; zone: that of times without one; forms: the user's own.

    Raises:
        UsageError: `only` is no format.
    """
    few = [raw.rstrip(b"\r\n") for raw in head[:_FEW]]
    if only in {"", TAGGED.name} and not forms and _most(found := _headers(TAGGED, few, zone), few):
        return _probe(TAGGED, found)  # a line fits one format only, so there is none that more would fit
    own = {form.name: form for form in forms}
    seen, enough = _closer(head[:_FEW], only, zone, own)
    return seen if enough else _closer(head[:_LINES], only, zone, own)[0]


def _most(found: Sequence[Header], lines: Sequence[bytes]) -> bool:
    return 2 * len(found) > len(lines)


def _closer(head: Sequence[bytes], only: str, zone: tzinfo, own: Mapping[str, Format]) -> tuple[Probe | None, bool]:
    """As `probe`, with every format in mind and what may stand in front of the lines; and whether these lines tell enough."""
    from recontool.logs.prefix import detect, unwrap  # few logs carry a prefix

    names = (*own, *BUILT_IN)
    if only and only not in names:
        raise UsageError(
            f"unknown format {only!r}; known: {', '.join(names)}", where="--format-in", hint="leave it out to detect"
        )
    prefix = detect(head)
    lines = [raw.rstrip(b"\r\n") for raw in (unwrap(prefix, head) if prefix is not None else head)]
    best, found = _best([own.get(name) or built_in(name) for name in ((only,) if only else names)], lines, zone)
    if not found:
        bare_block = any(block_owner(line) is not None for line in lines)
        if not bare_block and not only:
            return None, False
        best = own.get(only) or built_in(only or TAGGED.name)
    seen = _probe(best, found, prefix)
    return seen, _most(found, lines) and bool(seen.source or best.engine != "templates")


def _probe(form: Format, found: Sequence[Header], prefix: "Prefix | None" = None) -> Probe:
    first_us = min((header.at_us for header in found), default=None)
    return Probe(form, _owner(form, found), first_us, frozenset(header.source for header in found), prefix)


def _best(candidates: Sequence[Format], lines: Sequence[bytes], zone: tzinfo) -> tuple[Format, list[Header]]:
    """The format that most lines fit, the earlier one where they tie, and their headers."""
    fits = []
    for form in candidates:
        fits.append((form, _headers(form, lines, zone)))
        if form.name in BUILT_IN and candidates[0].name in BUILT_IN and _most(fits[-1][1], lines):
            break  # a line fits one of them only
    return max(fits, key=lambda fit: len(fit[1]))


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
    if form.engine != "templates":
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


def formats_hint() -> str:
    """What to tell whoever brought a log of no known format."""
    return "known formats: " + "; ".join(f"{name} ({title})" for name, title in known_formats().items())
