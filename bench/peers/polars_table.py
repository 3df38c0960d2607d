"""The whole event table with Polars: `python bench/peers/polars_table.py LOG OUT.parquet`.

Tried on the INFO mix: one streaming pass in which a field is looked for only in the lines of the markers that can have it
(kept: fastest on 1 GB, in 370 MB of memory); each marker's lines apart by literal splits, put back in order at the end (as
fast on 200 MB, but twice the time and 3 GB of memory on 1 GB: the sort holds everything); literal splits instead of the
regular expression (1.3x the CPU time); every field looked for in every line (1.4x).
"""

import sys

import polars as pl
from fields import FIELDS, MARKERS_OF

TYPES = {int: pl.Int64, float: pl.Float64, str: pl.String, bool: pl.Boolean}


def main(path: str, out: str) -> None:
    """Write one row per line, fields typed, absent ones null."""
    words = pl.col("line").str.splitn(" ", 6).struct
    lines = pl.scan_lines(path).select(
        time=words[0].str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us").dt.replace_time_zone("UTC"),
        level=words[1],
        source=words[2],
        marker=words[3].str.strip_chars("[]"),
        event=words[4],
        rest=pl.lit(" ") + words[5],
    )
    table = lines.select("time", "level", "source", "marker", "event", *map(field, FIELDS))
    table.sink_parquet(out, compression="zstd", compression_level=1)


def field(name: str) -> pl.Expr:
    """The value after ` name=`: to the next blank or, in quotes, to the closing one."""
    lines = pl.when(pl.col("marker").is_in(MARKERS_OF[name])).then(pl.col("rest"))
    text = lines.str.extract(rf' {name}=("(?:[^"\\]|\\.)*"|\S+)')
    if FIELDS[name] is bool:
        return (text == "true").alias(name)
    return (text.str.strip_chars('"') if FIELDS[name] is str else text.cast(TYPES[FIELDS[name]])).alias(name)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
