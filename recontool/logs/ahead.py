"""Reads ahead in a thread of its own: to unpack a block and to parse the one before takes a processor each."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor


def ahead(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks; the next one is made while one is used. What making it raises is raised in its turn.

    Whoever stops early waits until the block under way is made: `blocks` must not wait for somebody to write them.
    """
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = reader.submit(next, blocks, None)
            yield block
