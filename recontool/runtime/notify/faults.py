"""Everything that is wrong in one file, told at once."""

from recontool.model.errors import UsageError


class FaultsError(UsageError):
    """All faults of a file in its order; `where` and `problem` are those of the first one."""

    def __init__(self, faults: list[UsageError]) -> None:
        first = faults[0]
        super().__init__(first.problem, where=first.where, hint=first.hint)
        self.faults = tuple(faults)
        told = [f"{len(faults)} problems"]
        for fault in faults:
            told.append(f"{fault.where}: {fault.problem}")
            if fault.hint:
                told.append(f"  help: {fault.hint}")
        self.args = ("\n".join([*told, f"  docs: docs/messages.md#{self.slug}"]),)


class Faults:
    """Collects faults while a file is read to its end."""

    def __init__(self) -> None:
        self._found: list[UsageError] = []

    def add(self, fault: UsageError) -> None:
        """Keep it."""
        self._found.append(fault)

    def check(self) -> None:
        """Nothing, where there are none.

        Raises:
            UsageError: the one there is, or all of them.
        """
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            raise FaultsError(sorted(self._found, key=_place))


def _place(fault: UsageError) -> tuple[int, ...]:
    """Line and column at the end of file:line:column."""
    return tuple(int(part) for part in fault.where.rsplit(":", 2)[1:])
