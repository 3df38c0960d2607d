"""Prefixes of containers and of journald: told by content, taken off, split lines joined, nothing lost or forged."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recontool.logs.prefix import JOINED, MAX_LINE, PREFIXES, detect, unwrap

OWN = b"2026-11-24T10:15:32.123456Z INFO worker-1 [TASK] started task=1\n"
BY_NAME = {prefix.name: prefix for prefix in PREFIXES}
PREFIXED = [
    ("kubernetes", b"2026-11-24T10:15:32.123456789Z stdout F " + OWN),
    ("kubernetes", b"2026-11-24T10:15:32.1+01:00 stderr F " + OWN),
    (
        "docker-json",
        b'{"log":' + json.dumps(OWN.decode()).encode() + b',"stream":"stdout","time":"2026-11-24T10:15:32Z"}\n',
    ),
    ("timestamps", b"2026-11-24T10:15:32.123456789Z " + OWN),
    ("docker-compose", b"worker-1  | " + OWN),
    ("docker-compose", b"\x1b[36mfleet-worker-1  | \x1b[0m" + OWN),
    ("docker-compose", b"worker-1 | 2026-11-24T10:15:32.123456789Z " + OWN),
    ("syslog", b"<34>1 2026-11-24T10:15:32.123456Z host worker 17 ID47 - " + OWN),
    ("syslog", rb'<34>1 2026-11-24T10:15:32Z host worker - - [a@1 k="v\]"][b] ' + OWN),
    ("journald", b"Nov 24 10:15:32 host worker[123]: " + OWN),
    ("journald", b"Nov  4 10:15:32.123456 host recontool-worker@1.service[9]: " + OWN),
    ("journald", b"<13>Nov 24 10:15:32 host worker: " + OWN),
    ("journald-iso", b"2026-11-24T10:15:32+0000 host worker[123]: " + OWN),
    ("journald-iso", b"2026-11-24T10:15:32.123456+00:00 host worker[123]: " + OWN),
]


@pytest.mark.parametrize(("name", "line"), PREFIXED)
def test_a_prefix_is_detected_and_taken_off(name, line):
    assert detect([line]) is BY_NAME[name]
    assert BY_NAME[name].strip(line) == OWN


@pytest.mark.parametrize(
    "line",
    [
        OWN,
        b"2026-11-24T10:15:32.123456Z INFO worker-1: started\n",
        b"2026-11-24 02:21:24,682 - INFO - [enhanced_worker_client] - Executing task 1\n",
        b'{"time": "2026-11-24T10:15:32Z", "log": "x"}\n',
        b'{"log":"cut\n',
        b'{"log":"a","stream":"stdout"}\n',
        b"time=2026-11-24T10:15:32Z level=info\n",
        b"Feb 30\n",
        b"\n",
        b"",
    ],
)
def test_a_line_without_prefix_is_left_alone(line):
    assert detect([line]) is None
    assert all(prefix.strip(line) is None for prefix in PREFIXES)


def test_more_than_half_of_the_lines_must_carry_it():
    prefixed = PREFIXED[0][1]
    assert detect([prefixed, OWN]) is None
    assert detect([prefixed, prefixed, OWN, b"\n", b"    indented\n"]) is BY_NAME["kubernetes"]


def test_pieces_are_joined_and_lines_keep_their_numbers():
    stamp = b"2026-11-24T10:15:32.123456789Z stdout "
    lines = [stamp + b"P 2026-11-\n", stamp + b"P 24T\n", stamp + b"F 10\n", b"no prefix\n", stamp + b"F x\n"]
    assert list(unwrap(BY_NAME["kubernetes"], lines)) == [b"2026-11-24T10\n", JOINED, JOINED, b"no prefix\n", b"x\n"]


def test_a_docker_line_without_its_end_goes_on_in_the_next():
    lines = [
        json.dumps({"log": text, "stream": "stdout", "time": "t"}, separators=(",", ":")) for text in ("a", "b\n", "c")
    ]
    unwrapped = unwrap(BY_NAME["docker-json"], [line.encode() for line in lines])
    assert list(unwrapped) == [b"ab\n", JOINED, b"c\n"]


def test_text_of_a_process_cannot_forge_a_line():
    line = b'{"log":"a\\n2026-11-24T10:15:32.123456Z INFO w [TASK] started\\n","stream":"stdout","time":"t"}\n'
    (only,) = unwrap(BY_NAME["docker-json"], [line])
    assert only.count(b"\n") == 1
    assert only.startswith(b"a\\n2026")


def test_endless_pieces_are_cut():
    piece = b"2026-11-24T10:15:32.123456789Z stdout P " + b"x" * 60_000 + b"\n"
    longest = max(map(len, unwrap(BY_NAME["kubernetes"], [piece] * 100)))
    assert longest <= MAX_LINE + len(piece)


ALPHABET = st.sampled_from([*b'PF |:<>[]{}"\\+-.T0123Zz \r\n\x1b\xff', *b"stdoulog"])


@settings(deadline=None)
@given(
    st.sampled_from(PREFIXED),
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 20), st.lists(ALPHABET, max_size=6)), max_size=5),
)
def test_damaged_lines_give_one_line_each(sample, damages):
    line = sample[1]
    lines = [line, *(line[:cut] + bytes(junk) + line[cut + length :] for cut, length, junk in damages)]
    for prefix in PREFIXES:
        assert len(list(unwrap(prefix, lines))) == len(lines)
    assert detect(lines) is None or detect(lines) in PREFIXES
