"""Frames read back what was sealed; whatever else arrives is refused with its reason."""

import random
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recontool.runtime import messages, protocol
from recontool.runtime.messages import (
    UNSIGNED,
    Ack,
    Assign,
    Challenge,
    Frame,
    Heartbeat,
    Hello,
    Message,
    Report,
    Result,
    Sync,
    Welcome,
    type_name,
)
from recontool.runtime.protocol import Channel, WireError

KEY = b"k" * 32
NAMES = st.text("abc-.é☃\n", max_size=12)
MESSAGES = st.one_of(
    st.builds(Heartbeat),
    st.builds(Ack, seq=st.integers(0, 2**63)),
    st.builds(Sync, results=st.lists(NAMES), running=st.just([])),
    st.builds(
        Result,
        task=NAMES,
        lease=st.integers(0, 9),
        ok=st.booleans(),
        value=st.recursive(
            st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | NAMES,
            lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
        ),
        error=NAMES,
        took_ms=st.floats(0, 1e9),
    ),
    st.builds(Report, at_us=st.integers(0, 2**60), metrics=st.dictionaries(NAMES, st.none() | st.integers(0, 9))),
)


def pair(level=6, minimum=64, key=KEY, **limits):
    log: list[tuple] = []

    def note(marker, name, fields):
        log.append((str(marker), name, fields))

    client = Channel("client", level, minimum, note, **limits)
    coordinator = Channel("coordinator", level, minimum, note, **limits)
    if key:
        client.secure(key)
        coordinator.secure(key)
    return client, coordinator, log


@given(st.lists(MESSAGES, max_size=6), st.integers(0, 9), st.sampled_from([0, 64, 10_000]))
def test_every_message_is_read_back_in_order(messages, level, minimum):
    client, coordinator, _ = pair(level, minimum)
    for seq, message in enumerate(messages, start=1):
        sealed = client.seal(message)
        assert coordinator.open(sealed.data) == (message, seq, sealed.size_bytes)


@given(MESSAGES, st.integers(0, 10**6), st.integers(1, 255))
def test_no_damaged_frame_is_taken_for_a_message(message, place, change):
    client, coordinator, _ = pair()
    data = bytearray(client.seal(message).data)
    data[place % len(data)] ^= change
    with pytest.raises(WireError):
        coordinator.open(bytes(data))


@given(st.binary(max_size=200))
def test_noise_is_refused_never_a_crash(noise):
    for key in (KEY, b""):
        _, coordinator, _ = pair(key=key)
        with pytest.raises(WireError):
            coordinator.open(noise)


def refused(action):
    with pytest.raises(WireError) as found:
        action()
    return found.value.kind


def test_a_repeated_frame_is_replayed():
    client, coordinator, _ = pair()
    frame = client.seal(Heartbeat()).data
    coordinator.open(frame)
    assert refused(lambda: coordinator.open(frame)) == "replayed"


def test_a_frame_sent_back_to_its_sender_is_a_bad_signature():
    client, _, _ = pair()
    assert refused(lambda: client.open(client.seal(Heartbeat()).data)) == "bad_signature"


def test_a_frame_of_another_session_is_a_bad_signature():
    client, _, _ = pair()
    _, other, _ = pair(key=b"x" * 32)
    assert refused(lambda: other.open(client.seal(Heartbeat()).data)) == "bad_signature"


def test_an_unsigned_frame_is_a_bad_signature_once_a_message_needs_one():
    stranger, _, _ = pair(key=b"")
    _, coordinator, _ = pair()
    assert refused(lambda: coordinator.open(stranger.seal(Heartbeat()).data)) == "bad_signature"


def test_a_left_out_frame_is_noticed():
    client, coordinator, _ = pair()
    client.seal(Heartbeat())
    assert refused(lambda: coordinator.open(client.seal(Heartbeat()).data)) == "malformed"


def test_a_stranger_may_not_send_much_nor_compressed():
    _, coordinator, _ = pair(key=b"")
    assert refused(lambda: coordinator.open(b"\0" * (protocol.MAX_STRANGER_BYTES + 1))) == "oversized"
    compressed = bytes([protocol.COMPRESSED]) + (1).to_bytes(8, "big") + zlib.compress(b"x" * 1000)
    assert refused(lambda: coordinator.open(compressed)) == "malformed"


def test_a_bomb_is_not_unpacked():
    client, coordinator, _ = pair(max_message=10_000)
    bomb = client.seal(Result("t", 1, ok=True, value="0" * 10**6)).data
    assert len(bomb) < 2000
    with pytest.raises(WireError) as found:
        coordinator.open(bomb)
    assert (found.value.kind, found.value.size_bytes) == ("oversized", 10_001)


def test_compression_is_logged_with_sizes_on_the_wire():
    client, coordinator, log = pair()
    sealed = client.seal(Result("t", 1, ok=True, value="abc" * 1000))
    coordinator.open(sealed.data)
    (_, first, out), (_, second, back) = log
    assert (first, second) == ("compressed", "decompressed")
    for fields in (out, back):
        assert (fields["raw_bytes"], fields["wire_bytes"]) == (sealed.size_bytes, len(sealed.data))
        assert fields["took_ms"] > 0


@pytest.mark.parametrize(
    ("level", "value", "reason"), [(0, "a" * 2000, "level_0"), (6, random.Random(1).randbytes(500), "incompressible")]
)
def test_a_message_that_could_have_been_compressed_says_why_not(level, value, reason):
    client, _, log = pair(level, 32)
    client.seal(Result("t", 1, ok=True, value=value))
    assert [(name, fields["reason"]) for _, name, fields in log] == [("skipped", reason)]


def test_small_messages_go_raw_without_a_line():
    client, coordinator, log = pair(minimum=1024)
    coordinator.open(client.seal(Heartbeat()).data)
    assert log == []


def test_handshake_messages_are_unsigned_and_the_welcome_is_not():
    client, coordinator, _ = pair(key=b"")
    assert client.open(coordinator.seal(Challenge(b"n")).data)[0] == Challenge(b"n")
    client.secure(KEY)
    hello = Hello("worker", "w-1", b"c", b"p")
    assert coordinator.open(client.seal(hello).data)[0] == hello
    coordinator.secure(KEY)
    welcome = coordinator.seal(Welcome("s")).data
    assert welcome[0] & protocol.SIGNED
    assert client.open(welcome)[0] == Welcome("s")


def test_every_message_type_has_a_tag_and_a_priority():
    kinds = msgspec.inspect.type_info(Message).types
    assert {kind.cls for kind in kinds} == set(Frame.__subclasses__())
    assert set(messages._PRIORITIES) == set(Frame.__subclasses__())
    assert type_name(Assign("t", 1, {})) == "assign"
    assert all(issubclass(kind, Frame) for kind in UNSIGNED)
