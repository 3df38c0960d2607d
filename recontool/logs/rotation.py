"""Where two rotated parts of one log overlap: the byte-identical run at the end of one and the start of the next."""

from collections.abc import Iterable, Sequence


def overlap(older: Iterable[bytes], newer_head: Sequence[bytes]) -> int:
    """How many first lines of the newer part already stand at the end of `older`.

    Every alignment that is still possible is followed while `older` streams by, so memory holds
    positions only. The run may not be longer than `newer_head`.
    """
    if not newer_head:
        return 0
    first = newer_head[0]
    running: list[int] = []  # lengths of the matches that are still alive, longest first
    for line in older:
        running = [length + 1 for length in running if length < len(newer_head) and newer_head[length] == line]
        if line == first:
            running.append(1)
    return running[0] if running else 0
