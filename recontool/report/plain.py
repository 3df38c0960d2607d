"""Turns text that peers wrote into text that is safe and honest to show: nothing invisible, nothing that steers.

An escape character, for example, is spelled as a backslash, an x and two digits.
"""

import unicodedata

# Cc controls, Cf formatting (bidi overrides, zero width), Cs lone surrogates, Co private use, Cn unassigned, Zl/Zp lines.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Marks stand above or below a letter; a pile of them reaches into the lines around it. No script needs more than three.
_MARKS = frozenset({"Mn", "Me"})
_MOST_MARKS = 3
_WIDE = frozenset({"W", "F"})


def plain(text: str, *, ascii_only: bool = False) -> str:
    """`text` on one line, each control, bidi or invisible character spelled as an escape."""
    if text.isascii() and text.isprintable():
        return text
    shown, marks = [], 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in _MARKS else 0
        hidden = marks > _MOST_MARKS or _is_hidden(char, ascii_only=ascii_only)
        shown.append(_spelled(char) if hidden else char)
    return "".join(shown)


def columns(text: str) -> int:
    """How many terminal columns `text` takes; East Asian wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(char) for char in text)


def shortened(text: str, room: int, *, ellipsis: str = "…") -> str:
    """`text` in at most `room` columns, cut in the middle so that both ends (and a `:line`) stay readable."""
    if columns(text) <= room:
        return text
    keep = max(room - len(ellipsis), 2)
    tail_room = keep * 3 // 5
    head, tail = "", ""
    for char in text:
        if columns(head + char) > keep - tail_room:
            break
        head += char
    for char in reversed(text):
        if columns(char + tail) > tail_room:
            break
        tail = char + tail
    return head + ellipsis + tail


def _is_hidden(char: str, *, ascii_only: bool) -> bool:
    return unicodedata.category(char) in _HIDDEN or (ascii_only and not char.isascii())


def _spelled(char: str) -> str:
    if char in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[char]
    point = ord(char)
    if point <= 0xFF:  # noqa: PLR2004 - the widest \x escape
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"  # noqa: PLR2004 - likewise \u


def _columns_of(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in _WIDE else 1
