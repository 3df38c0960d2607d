"""The fields that occur in the INFO mix, with their types, and the markers and events whose lines can have them."""

from recontool.model.events import EVENTS, FIELD_TYPES

_OCCUR = {
    *(
        "n",
        "url",
        "session",
        "took_s",
        "took_ms",
        "error",
        "code",
        "reason",
        "worker",
        "cause",
        "detected_s",
        "delay_s",
    ),
    *("down_s", "resumed", "results", "states", "resent", "duplicates", "task", "checkpoint", "size_bytes", "attempt"),
    *("peer", "raw_bytes", "wire_bytes"),
}
_HOLD = [spec for spec in EVENTS if spec.marker]
FIELDS = {name: kind for name, kind in FIELD_TYPES.items() if name in _OCCUR}
MARKERS_OF = {name: sorted({str(spec.marker) for spec in _HOLD if name in spec.fields}) for name in FIELDS}
EVENTS_OF = {name: [(str(spec.marker), spec.name) for spec in _HOLD if name in spec.fields] for name in FIELDS}
