"""Messages to frames and back: encoding, compression, signature and sequence of one connection.

A frame is one flag byte, eight bytes of sequence number, sixteen bytes of HMAC when signed, then the
msgpack body, compressed when the flag says so. The HMAC covers direction, flags, sequence and body under a
key derived for this session, so a frame fits one place in one direction of one session and no other.
"""

import hmac
import time
import zlib
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from recontool.model.markers import Marker
from recontool.runtime.instructions import Fields
from recontool.runtime.messages import UNSIGNED, Message

Kind: TypeAlias = Literal["bad_signature", "replayed", "oversized", "malformed"]
LogEvent: TypeAlias = Callable[[Marker | None, str, Fields], None]
Side: TypeAlias = Literal["coordinator", "client"]

COMPRESSED: Final = 1
SIGNED: Final = 2
MAX_FRAME_BYTES: Final = 16 * 2**20
MAX_MESSAGE_BYTES: Final = 64 * 2**20
MAX_STRANGER_BYTES: Final = 64 * 2**10  # until the peer has proved that it holds the key
MAC_BYTES: Final = 16
_SEQ_BYTES: Final = 8

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Message)


class WireError(Exception):
    """A frame that must not be acted on; `kind` is the SECURITY event it makes."""

    def __init__(self, kind: Kind, error: str, size_bytes: int = 0) -> None:
        super().__init__(error)
        self.kind: Kind = kind
        self.error, self.size_bytes = error, size_bytes


class Sealed(Struct, frozen=True):
    """A frame ready for the socket. `size_bytes` is the message's size before compression."""

    data: bytes
    seq: int
    size_bytes: int


class Channel:
    """Both directions of one connection.

    Args:
        side: which end this is.
        level: zlib level; 0 sends every message raw.
        min_compress: messages below this many bytes go raw.
        log: takes the COMPRESS events.
        max_message: largest body accepted after decompression, bytes.
    """

    def __init__(
        self, side: Side, level: int, min_compress: int, log: LogEvent, max_message: int = MAX_MESSAGE_BYTES
    ) -> None:
        self._side: Side = side
        self._level, self._min_compress, self._log, self._max_message = level, min_compress, log, max_message
        self._key: bytes | None = None
        self._sent = 0
        self._received = 0

    def secure(self, key: bytes) -> None:
        """Sign and demand signatures from now on."""
        self._key = key

    def seal(self, message: Message) -> Sealed:
        """`message` as the next frame of this direction."""
        raw = _encoder.encode(message)
        signed = self._key is not None and not isinstance(message, UNSIGNED)
        body, compressed, took_ms = self._compressed(raw)
        flags = (COMPRESSED if compressed else 0) | (SIGNED if signed else 0)
        self._sent += 1
        head = bytes([flags]) + self._sent.to_bytes(_SEQ_BYTES, "big")
        mac = self._mac(self._side, head, body) if signed else b""
        data = head + mac + body
        if compressed:
            fields: Fields = {"raw_bytes": len(raw), "wire_bytes": len(data), "took_ms": took_ms}
            self._log(Marker.COMPRESS, "compressed", fields)
        return Sealed(data, self._sent, len(raw))

    def open(self, data: bytes) -> tuple[Message, int, int]:
        """The message in `data`, its sequence number and its size before compression.

        Raises:
            WireError: the frame is forged, repeated, too large or no message.
        """
        if self._key is None and len(data) > MAX_STRANGER_BYTES:
            raise WireError("oversized", "frame before authentication", len(data))
        if len(data) <= _SEQ_BYTES:
            raise WireError("malformed", "frame without a header", len(data))
        flags, head = data[0], data[: 1 + _SEQ_BYTES]
        body = data[1 + _SEQ_BYTES :]
        if flags & ~(COMPRESSED | SIGNED):
            raise WireError("malformed", f"unknown flags {flags}", len(data))
        if flags & SIGNED:
            body = self._verified(head, body)
        raw = self._unpacked(body, len(data)) if flags & COMPRESSED else body
        message = _decoded(raw)
        if not flags & SIGNED and not isinstance(message, UNSIGNED):
            raise WireError("bad_signature", "unsigned frame", len(data))
        return message, self._next(head), len(raw)

    def _compressed(self, raw: bytes) -> tuple[bytes, bool, float]:
        # Small messages are the rule and not worth a line; only what could have been compressed is logged.
        if self._key is None or len(raw) < self._min_compress:
            return raw, False, 0.0
        if self._level == 0:
            self._log(Marker.COMPRESS, "skipped", {"raw_bytes": len(raw), "reason": "level_0"})
            return raw, False, 0.0
        began = time.perf_counter()
        body = zlib.compress(raw, self._level)
        took_ms = (time.perf_counter() - began) * 1000
        if len(body) >= len(raw):
            self._log(Marker.COMPRESS, "skipped", {"raw_bytes": len(raw), "reason": "incompressible"})
            return raw, False, 0.0
        return body, True, took_ms

    def _unpacked(self, body: bytes, wire_bytes: int) -> bytes:
        if self._key is None:
            raise WireError("malformed", "compressed frame before authentication", wire_bytes)
        began = time.perf_counter()
        unpacker = zlib.decompressobj()
        try:
            raw = unpacker.decompress(body, self._max_message + 1)
        except zlib.error as error:
            raise WireError("malformed", f"body does not decompress: {error}", wire_bytes) from None
        if len(raw) > self._max_message:
            raise WireError("oversized", "message after decompression", len(raw))
        if not unpacker.eof:
            raise WireError("malformed", "compressed body is cut", wire_bytes)
        took_ms = (time.perf_counter() - began) * 1000
        fields: Fields = {"raw_bytes": len(raw), "wire_bytes": wire_bytes, "took_ms": took_ms}
        self._log(Marker.COMPRESS, "decompressed", fields)
        return raw

    def _verified(self, head: bytes, signed: bytes) -> bytes:
        mac, body = signed[:MAC_BYTES], signed[MAC_BYTES:]
        peer: Side = "client" if self._side == "coordinator" else "coordinator"
        if self._key is None or not hmac.compare_digest(mac, self._mac(peer, head, body)):
            raise WireError("bad_signature", "signature does not fit", len(signed))
        return body

    def _next(self, head: bytes) -> int:
        seq = int.from_bytes(head[1:], "big")
        if seq <= self._received:
            raise WireError("replayed", f"sequence {seq} after {self._received}")
        if seq != self._received + 1:
            raise WireError("malformed", f"sequence {seq}, expected {self._received + 1}")
        self._received = seq
        return seq

    def _mac(self, sender: Side, head: bytes, body: bytes) -> bytes:
        if self._key is None:
            raise ValueError("no session key yet")
        direction = b"<" if sender == "coordinator" else b">"
        return hmac.digest(self._key, direction + head + body, "sha256")[:MAC_BYTES]


def _decoded(raw: bytes) -> Message:
    try:
        message: Message = _decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise WireError("malformed", str(error), len(raw)) from None
    return message
