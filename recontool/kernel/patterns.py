"""Compiles a pattern of a format file into a program of the kernel's matcher, from Python's own parse of it."""

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final

from msgspec import Struct, field

_parser: Any = import_module("re._parser")
_c: Any = import_module("re._constants")

_SET, _LITERAL, _SAVE, _SPLIT, _JUMP, _END, _MARK = range(7)
_LENGTHS: Final = {_SET: 5, _LITERAL: 3, _SAVE: 2, _SPLIT: 3, _JUMP: 2, _END: 1, _MARK: 2}
_GREEDY, _LAZY, _BOUND, _ANYTHING = range(4)  # how a set is repeated
_MOST_GROUPS: Final = 16
_MOST: Final = 2**32 - 1
_UNROLLED: Final = 8  # a longer repeated group is left to the reference
_DIGITS: Final = frozenset(b"0123456789")
_SPACES: Final = frozenset(b" \t\n\r\f\v")
_WORDS: Final = _DIGITS | frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_ALL: Final = frozenset(range(256))
_CATEGORIES: Final = {
    _c.CATEGORY_DIGIT: _DIGITS,
    _c.CATEGORY_NOT_DIGIT: _ALL - _DIGITS,
    _c.CATEGORY_SPACE: _SPACES,
    _c.CATEGORY_NOT_SPACE: _ALL - _SPACES,
    _c.CATEGORY_WORD: _WORDS,
    _c.CATEGORY_NOT_WORD: _ALL - _WORDS,
}


class UnsupportedPatternError(Exception):
    """The matcher cannot say this; the reference reader reads the format instead."""


class Program(Struct):
    """Instructions as 32-bit words, their literal bytes, and their sets of bytes as bitmaps."""

    groups: int
    code: list[int] = field(default_factory=list)
    literals: bytearray = field(default_factory=bytearray)
    sets: list[frozenset[int]] = field(default_factory=list)
    choices: int = 0  # optional parts and branches around the instruction that is written now
    literal_at: int | None = None  # the literal written last
    landed: int = -1  # where jumps lead to

    def hexed(self) -> str:
        """The program as one line of a format table."""
        words = b"".join(word.to_bytes(4, "little") for word in self.code)
        maps = b"".join(sum(1 << byte for byte in one).to_bytes(32, "little") for one in self.sets)
        return "\t".join((words.hex(), self.literals.hex(), maps.hex(), str(self.groups)))


def compiled(pattern: re.Pattern[bytes]) -> Program:
    """The program that decides as `pattern.fullmatch` does.

    Raises:
        UnsupportedPatternError: the pattern looks around, refers back or repeats a group without bound.
    """
    if pattern.groups > _MOST_GROUPS or pattern.flags & ~re.DOTALL:
        raise UnsupportedPatternError(pattern.pattern)
    program = Program(pattern.groups)
    _sequence(program, _parser.parse(pattern.pattern, re.DOTALL))
    program.code.append(_END)
    _bind(program)
    return program


def _bind(program: Program) -> None:
    """Mark the greedy sets that need no way back: what follows them is no byte of theirs, or the end."""
    code, at = program.code, 0
    while at < len(code):
        if code[at] == _SET and code[at + 2] != code[at + 3] and code[at + 4] == _GREEDY:
            inside, after = program.sets[code[at + 1]], _behind(code, at + 5)
            if code[after] == _END:
                code[at + 4] = _ANYTHING if inside == _ALL and code[at + 3] == _MOST else _BOUND
            elif code[after] == _LITERAL and program.literals[code[after + 1]] not in inside:
                code[at + 4] = _BOUND
        at += _LENGTHS[code[at]]


def _behind(code: list[int], at: int) -> int:
    """The next instruction that looks at a byte."""
    while code[at] in (_SAVE, _MARK, _JUMP):
        at = code[at + 1] if code[at] == _JUMP else at + _LENGTHS[code[at]]
    return at


def _sequence(program: Program, items: Iterable[tuple[Any, Any]]) -> None:
    for op, argument in items:
        one = _bytes_of(op, argument)
        if one is not None and len(one) == 1:
            _literal(program, one)
        elif one is not None:
            _set(program, one, 1, 1)
        elif op in (_c.MAX_REPEAT, _c.MIN_REPEAT):
            _repeat(program, *argument, lazy=op is _c.MIN_REPEAT)
        elif op is _c.SUBPATTERN:
            _group(program, *argument)
        elif op is _c.BRANCH:
            _branch(program, argument[1])
        else:
            raise UnsupportedPatternError(str(op))


def _literal(program: Program, one: frozenset[int]) -> None:
    code, end = program.code, len(program.code)
    program.literals.extend(one)
    if program.literal_at == end - 3 and program.landed != end:
        code[-1] += 1
        return
    program.literal_at = end
    code.extend((_LITERAL, len(program.literals) - 1, 1))


def _land(program: Program, *jumps: int) -> None:
    """Let the jumps whose targets stand at these places lead to the instruction that is written next."""
    program.landed = len(program.code)
    for jump in jumps:
        program.code[jump] = program.landed


def _set(program: Program, one: frozenset[int], least: int, most: int, *, lazy: bool = False) -> None:
    if one not in program.sets:
        program.sets.append(one)
    program.code.extend((_SET, program.sets.index(one), least, most, _LAZY if lazy else _GREEDY))


def _repeat(program: Program, least: int, most: int, inside: Any, *, lazy: bool) -> None:
    most = min(int(most), _MOST)
    items = list(inside)
    one = _bytes_of(*items[0]) if len(items) == 1 else None
    if one is not None:
        _set(program, one, int(least), most, lazy=lazy)
    elif least == most <= _UNROLLED:
        for _ in range(most):
            _sequence(program, items)
    elif (least, most) == (0, 1):
        at = len(program.code)
        program.code.extend((_SPLIT, at + 3, 0))
        program.choices += 1
        _sequence(program, items)
        program.choices -= 1
        program.code[at + 1 : at + 3] = [at + 3, at + 3]
        _land(program, at + 1 if lazy else at + 2)
    else:
        raise UnsupportedPatternError("a group repeated without bound")


def _group(program: Program, number: int | None, on: int, off: int, inside: Any) -> None:
    if on or off:
        raise UnsupportedPatternError("flags inside a pattern")
    if number is None:
        _sequence(program, inside)
        return
    save = _SAVE if program.choices else _MARK
    program.code.extend((save, 2 * (number - 1)))
    _sequence(program, inside)
    program.code.extend((save, 2 * (number - 1) + 1))


def _branch(program: Program, branches: list[Any]) -> None:
    ends = []
    program.choices += 1
    for branch in branches[:-1]:
        at = len(program.code)
        program.code.extend((_SPLIT, at + 3, 0))
        _sequence(program, branch)
        ends.append(len(program.code) + 1)
        program.code.extend((_JUMP, 0))
        _land(program, at + 2)
    _sequence(program, branches[-1])
    program.choices -= 1
    _land(program, *ends)


def _bytes_of(op: Any, argument: Any) -> frozenset[int] | None:
    """The bytes that an item of one byte matches, None when it is no such item."""
    if op is _c.LITERAL:
        return frozenset({argument})
    if op is _c.NOT_LITERAL:
        return _ALL - {argument}
    if op is _c.ANY:
        return _ALL
    if op is not _c.IN:
        return None
    negated, found = False, frozenset[int]()
    for kind, value in argument:
        if kind is _c.NEGATE:
            negated = True
        elif kind is _c.LITERAL:
            found |= {value}
        elif kind is _c.RANGE:
            found |= frozenset(range(value[0], value[1] + 1))
        else:
            found |= _CATEGORIES[value]
    return _ALL - found if negated else found
