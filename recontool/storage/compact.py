"""Values in Thrift's compact protocol, the way the footer of a Parquet file is written.

Source: the Thrift compact protocol specification. A struct is a dict from field number to (type, value), to be written
also the bytes it was `encoded` to; a list is (type of its items, items). Maps do not occur in a Parquet footer and are
refused.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final


class Kind(IntEnum):
    """Types of values, as they are numbered there."""

    TRUE = 1
    FALSE = 2
    BYTE = 3
    I16 = 4
    I32 = 5
    I64 = 6
    DOUBLE = 7
    BINARY = 8
    LIST = 9
    SET = 10
    STRUCT = 12


_LONG: Final = 15  # from here on a list says its length in bytes of its own, and a struct its field numbers likewise
Struct = dict[int, tuple[int, Any]]


class Reader:
    """Reads values from `data`, one behind another.

    Raises:
        ValueError: a value has a type that is not known here.
        IndexError: the data end within a value.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def struct(self) -> Struct:
        """The fields up to the stop that ends them."""
        fields: Struct = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else self._integer()
            fields[number] = (kind, self._value(kind))
        return fields

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:  # noqa: PLR2004 - the top bit says that more follows
                return value
            shift += 7

    def _integer(self) -> int:
        zigzag = self._varint()
        return (zigzag >> 1) ^ -(zigzag & 1)

    def _bytes(self, size: int) -> bytes:
        self._at += size
        if self._at > len(self._data):
            raise IndexError(f"{size} bytes at {self._at - size}, there are {len(self._data)}")
        return self._data[self._at - size : self._at]

    def _list(self) -> tuple[int, list[Any]]:
        head = self._byte()
        size, kind = head >> 4, head & 15
        size = self._varint() if size == _LONG else size
        one = self._byte if kind in (Kind.TRUE, Kind.FALSE) else lambda: self._value(kind)
        return kind, [one() for _ in range(size)]

    def _value(self, kind: int) -> Any:
        match kind:
            case Kind.TRUE | Kind.FALSE:
                value: Any = kind == Kind.TRUE
            case Kind.I16 | Kind.I32 | Kind.I64:
                value = self._integer()
            case Kind.BINARY:
                value = self._bytes(self._varint())
            case Kind.STRUCT:
                value = self.struct()
            case Kind.LIST | Kind.SET:
                value = self._list()
            case Kind.BYTE:
                value = self._byte()
            case Kind.DOUBLE:
                value = self._bytes(8)
            case _:
                raise ValueError(f"a value of type {kind} at byte {self._at}")
        return value


def encoded(fields: Mapping[int, tuple[int, Any]]) -> bytes:
    """A struct as it is written."""
    out = bytearray()
    _put_struct(out, fields)
    return bytes(out)


def _put_varint(out: bytearray, value: int) -> None:
    while value > 127:  # noqa: PLR2004 - seven bits a byte
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def _put_integer(out: bytearray, value: int) -> None:
    _put_varint(out, value << 1 if value >= 0 else ~(value << 1))


def _put_struct(out: bytearray, fields: Mapping[int, tuple[int, Any]]) -> None:
    before = 0
    for number in sorted(fields):
        kind, value = fields[number]
        step = number - before
        if step < 1 or step > _LONG:
            out.append(kind)
            _put_integer(out, number)
        else:
            out.append(step << 4 | kind)
        _put(out, kind, value)
        before = number
    out.append(0)


def _put_list(out: bytearray, kind: int, items: list[Any]) -> None:
    if len(items) < _LONG:
        out.append(len(items) << 4 | kind)
    else:
        out.append(_LONG << 4 | kind)
        _put_varint(out, len(items))
    for item in items:
        if kind in (Kind.TRUE, Kind.FALSE):
            out.append(item)
        else:
            _put(out, kind, item)


def _put(out: bytearray, kind: int, value: Any) -> None:
    match kind:
        case Kind.TRUE | Kind.FALSE:
            pass  # the type has said it
        case Kind.I16 | Kind.I32 | Kind.I64:
            _put_integer(out, value)
        case Kind.BINARY:
            _put_varint(out, len(value))
            out += value
        case Kind.STRUCT if isinstance(value, bytes):
            out += value
        case Kind.STRUCT:
            _put_struct(out, value)
        case Kind.LIST | Kind.SET:
            _put_list(out, *value)
        case Kind.BYTE:
            out.append(value)
        case _:
            out += value
