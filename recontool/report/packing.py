"""Puts data and scripts into a page: gzipped and base64-coded, so that nothing in them can end their element."""

import base64
import gzip
import json


def packed(data: bytes, level: int = 9) -> str:
    """`data` gzipped and base64-coded; mtime 0 keeps the bytes the same."""
    return base64.b64encode(gzip.compress(data, level, mtime=0)).decode()


def packed_json(value: object) -> str:
    """`value` as JSON, packed."""
    return packed(json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=True).encode(), 6)
