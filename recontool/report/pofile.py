"""Reads and writes catalogues: PO files, as far as this package uses the format."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

_LINE: Final = re.compile(r'(msgid|msgid_plural|msgstr(?:\[\d\])?) "(.*)"|"(.*)"')
_ESCAPED: Final = re.compile(r"\\(.)")
_PLURAL: Final = re.compile(r"Plural-Forms: nplurals=(\d); plural=(.*?);")


class Entry(Struct, frozen=True):
    """One message: its English text, that of many if a number decides, its forms in the language, where it is said."""

    one: str
    many: str
    forms: tuple[str, ...]
    where: str = ""


def parsed(text: str) -> tuple[list[Entry], str]:
    """The entries of a PO file and its rule for plurals, as a C expression.

    Raises:
        ValueError: a line is none of a PO file, or the rule is missing.
    """
    blocks = [dict(_fields(block)) for block in text.split("\n\n") if 'msgid "' in block]
    rule = _PLURAL.search(blocks[0].get("msgstr", "")) if blocks else None
    if rule is None:
        raise ValueError("the catalogue names no rule for plurals")
    return [
        Entry(
            block["msgid"],
            block.get("msgid_plural", ""),
            tuple(value for key, value in block.items() if key.startswith("msgstr")),
        )
        for block in blocks[1:]
    ], rule[2]


def written(header: str, entries: Iterable[Entry]) -> str:
    """A PO file; `header` is the value of its first entry."""
    parts = [f'msgid ""\nmsgstr {_quoted(header)}\n']
    for entry in entries:
        lines = [f"#: {entry.where}", f"msgid {_quoted(entry.one)}"]
        if entry.many:
            lines.append(f"msgid_plural {_quoted(entry.many)}")
            lines += [f"msgstr[{number}] {_quoted(form)}" for number, form in enumerate(entry.forms)]
        else:
            lines.append(f"msgstr {_quoted(entry.forms[0])}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _fields(block: str) -> Iterator[tuple[str, str]]:
    """(key, text) of one entry; texts may go on over several lines."""
    key, texts = "", list[str]()
    for line in block.splitlines():
        if line.startswith("#") or not line:
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"{line[:80]!r} is no line of a catalogue")
        if found[1]:
            if key:
                yield key, "".join(texts)
            key, texts = found[1], []
        texts.append(_ESCAPED.sub(lambda match: "\n" if match[1] == "n" else match[1], found[2] or found[3] or ""))
    yield key, "".join(texts)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
