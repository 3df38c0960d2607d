"""Takes names out of what a page says: workers, hosts and ids become tokens, the same name always the same token.

Tokens are keyed hashes. Without a key of one's own, somebody who can guess a name can check the guess.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from recontool.model.detail import Detail
from recontool.model.errors import UsageError
from recontool.model.findings import Analysis, InputFile, LineCount, MetricValue
from recontool.model.said import Said

KINDS: Final = ("workers", "hosts", "ids")
_DIGITS: Final = 10
# Words of our own tables; a worker that is called like one of them must not change them.
_OURS: Final = frozenset(
    {"severity", "cause", "event", "format", "role", "version", "metric", "setting", "alert", "metrics", "derived",
     "markers", "counts", "config", "fleet", "fleet_derived", "activity"}
)  # fmt: skip
_VALUE: Final = r"""["']?\s*[=:]\s*["']?([^\s"',}\]]+)"""
_NAMED: Final = {
    "workers": re.compile(rf"\bworker(?:_id)?{_VALUE}"),
    "hosts": re.compile(
        rf"\b[a-z]+://(\[[^\]\s]+\]|[^\s/:\"']+)|\b(?:host|hostname|peer|remote|address){_VALUE}", re.IGNORECASE
    ),
    "ids": re.compile(rf"\b(?:task|session|checkpoint|job|request)(?:_id)?{_VALUE}", re.IGNORECASE),
}
_SHAPED: Final = {
    "hosts": r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)|(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{0,4}(?![0-9A-Fa-f:])",
    "ids": r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b|\b(?:task|cp|session)-[0-9a-f]{6,}\b|\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b",
}
_PREFIX: Final = {"workers": "worker", "hosts": "host", "ids": "id"}
_PORT: Final = re.compile(r":\d+$")
_PUBLIC: Final = frozenset({"", "none", "null", "true", "false", "coordinator", "fleet"})
Thing = TypeVar("Thing")


def kinds_of(text: str) -> tuple[str, ...]:
    """The kinds a user named, e.g. `workers,hosts`.

    Raises:
        UsageError: one of them is unknown.
    """
    named = [part.strip() for part in text.split(",") if part.strip()]
    for kind in named:
        if kind not in KINDS:
            raise UsageError(f"{kind!r} cannot be redacted, expected {', '.join(KINDS)}", where="--redact")
    return tuple(kind for kind in KINDS if kind in named)


def redacted(analysis: Analysis, detail: Detail, kinds: tuple[str, ...], key: bytes = b"") -> tuple[Analysis, Detail]:
    """Both without the names of `kinds`; paths lose their folders, which name people and machines."""
    if not kinds:
        return analysis, detail
    shorter = replace(analysis, inputs=tuple(replace(file, path=file.name) for file in analysis.inputs))
    clean = _cleaner(shorter, detail, kinds, key)
    return _walked(shorter, clean), _walked(detail, clean)


def _cleaner(analysis: Analysis, detail: Detail, kinds: tuple[str, ...], key: bytes) -> Callable[[str], str]:
    """Replaces every known name and everything in the shape of one."""
    tokens: dict[str, str] = {}
    for kind in kinds:
        for name in _names(analysis, detail, kind):
            tokens.setdefault(name, _token(kind, name, key))
    # The longest first: worker-10 is not worker-1 with a nought.
    known = "|".join(re.escape(name) for name in sorted(tokens, key=lambda name: (-len(name), name)))
    parts = [rf"(?<![A-Za-z0-9_])(?P<known>{known})(?![A-Za-z0-9_])"] if known else []
    parts += [f"(?P<{kind}>{_SHAPED[kind]})" for kind in kinds if kind in _SHAPED]
    pattern = re.compile("|".join(parts) or r"(?!)")

    def put(match: re.Match[str]) -> str:
        found = match[0]
        return tokens[found] if match.lastgroup == "known" else _token(str(match.lastgroup), found, key)

    return lambda text: pattern.sub(put, text)


def _token(kind: str, name: str, key: bytes) -> str:
    return f"{_PREFIX[kind]}-{hmac.new(key, f'{kind}:{name}'.encode('utf-8', 'replace'), hashlib.sha256).hexdigest()[:_DIGITS]}"


def _names(analysis: Analysis, detail: Detail, kind: str) -> Iterator[str]:
    """Every name of `kind` that the analysis or a raw line gives away."""
    if kind == "workers":
        for worker in analysis.workers.values():
            yield worker.worker
        # A login that was refused may be all there is of a worker: "worker-9: unknown key".
        for found in analysis.security:
            name, colon, _ = found.detail.partition(": ")
            if colon and " " not in name:
                yield name
    for text in (*_texts(analysis), *_texts(detail)):
        for match in _NAMED[kind].finditer(text):
            name = next((group for group in match.groups() if group), "")
            name = _PORT.sub("", name) if kind == "hosts" else name
            if name.lower() not in _PUBLIC:
                yield name


def _texts(thing: Any) -> Iterator[str]:
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, Mapping):
        for name, item in thing.items():
            yield from _texts(name)
            yield from _texts(item)
    elif isinstance(thing, Sequence):
        for item in thing:
            yield from _texts(item)
    elif isinstance(thing, Struct) and not isinstance(thing, (MetricValue, LineCount)):
        for name in thing.__struct_fields__:
            if name not in _OURS:
                yield from _texts(getattr(thing, name))


def _walked(thing: Thing, clean: Callable[[str], str]) -> Thing:
    """A copy of `thing` in which every text of a peer's went through `clean`."""
    copy: Any = thing
    if isinstance(thing, str):
        copy = thing.again(clean) if isinstance(thing, Said) else clean(thing)
    elif isinstance(thing, Mapping):
        copy = {_walked(name, clean): _walked(item, clean) for name, item in thing.items()}
    elif isinstance(thing, Sequence):
        copy = tuple(_walked(item, clean) for item in thing)
    elif isinstance(thing, Struct) and not isinstance(thing, (MetricValue, LineCount)):
        kept = {"format", "role"} if isinstance(thing, InputFile) else _OURS
        changed = {name: _walked(getattr(thing, name), clean) for name in thing.__struct_fields__ if name not in kept}
        copy = replace(thing, **changed)
    result: Thing = copy
    return result
