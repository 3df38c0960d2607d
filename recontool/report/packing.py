"""Puts data and scripts into a page: as JSON that cannot end its element, or gzipped and base64-coded."""

import base64
import gzip
import json


def script_json(value: object) -> str:
    """`value` as JSON in which every character that means something to HTML is escaped."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def packed(data: bytes) -> str:
    """`data` gzipped and base64-coded; mtime 0 keeps the bytes the same."""
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def packed_json(value: object) -> str:
    """`value` as JSON, packed."""
    return packed(json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=True).encode())
