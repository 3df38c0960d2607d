"""Takes prefixes off whole blocks of lines by the compiled core."""

import ctypes
import re
from typing import Final

from recontool.kernel.fleet import core
from recontool.kernel.patterns import compiled
from recontool.kernel.raw import raw
from recontool.logs.prefix import Prefix

_PADDING: Final = bytes(16)  # words are loaded whole


class Unwrapper:
    """The process's own lines of one input, block by block; one for each line that goes in, as `logs.prefix.unwrap`."""

    def __init__(self, prefix: Prefix) -> None:
        whole = re.compile(prefix.pattern.pattern + rb"(?P<text>.*)", re.DOTALL)
        table = b"" if prefix.in_json else f"P\t{compiled(whole).hexed()}".encode()
        groups = {name: number - 1 for name, number in whole.groupindex.items()}
        self._program = core().recon_format_new(None, table)
        self._handle = core().recon_unwrapper_new(
            self._program, groups["text"], groups.get("partial", -1), int(prefix.data)
        )

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            core().recon_unwrapper_free(self._handle)
            core().recon_format_free(self._program)

    def take(self, lines: bytes) -> bytes:
        """The lines of a block of whole lines; those of a line in pieces wait for its last piece."""
        return self._unwrapped(lines, last=False)

    def rest(self) -> bytes:
        """What still waits at the end."""
        return self._unwrapped(b"", last=True)

    def _unwrapped(self, lines: bytes, *, last: bool) -> bytes:
        place = ctypes.c_void_p()
        size = core().recon_unwrap(self._handle, lines + _PADDING, len(lines), int(last), ctypes.byref(place))
        return raw(place.value, size)
