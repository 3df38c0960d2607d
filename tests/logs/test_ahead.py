"""Reading ahead changes when blocks are made, never which."""

import threading

import pytest

from recontool.logs.ahead import ahead


def test_the_same_blocks_come_in_the_same_order():
    blocks = [b"%d\n" % number for number in range(500)]
    assert list(ahead(iter(blocks))) == blocks
    assert list(ahead(iter([]))) == []


def test_the_next_block_is_made_while_one_is_used():
    second_is_made = threading.Event()

    def blocks():
        yield b"first\n"
        second_is_made.set()
        yield b"second\n"

    read = ahead(blocks())
    assert next(read) == b"first\n"
    assert second_is_made.wait(60)
    assert list(read) == [b"second\n"]


def test_what_making_a_block_raises_is_raised_behind_the_blocks_before_it():
    def blocks():
        yield b"good\n"
        raise OSError(5, "Input/output error")

    read = ahead(blocks())
    assert next(read) == b"good\n"
    with pytest.raises(OSError, match="Input/output error"):
        next(read)


def test_who_stops_early_leaves_no_thread_behind():
    before = threading.active_count()
    read = ahead(iter([b"a\n", b"b\n", b"c\n"]))
    assert next(read) == b"a\n"
    read.close()
    assert threading.active_count() == before
