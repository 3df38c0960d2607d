"""The whole event table with DuckDB: `python bench/peers/duckdb_table.py LOG OUT.parquet`.

Tried on 200 MB of the INFO mix, fastest kept: the blank-separated words of a line, each field looked for only in the lines
of the events that can have it, a regular expression only for lines with a quote; against the same for the markers that can
have it (1.3x slower), against a regular expression for every field (2.7x) and against `split_part` at ` name=` (2.6x).
"""

import sys

import duckdb
from fields import EVENTS_OF, FIELDS

TYPES = {int: "BIGINT", float: "DOUBLE", str: "VARCHAR", bool: "BOOLEAN"}
FIRST_FIELD, MOST_FIELDS = 6, 4  # words are counted from 1
TABLE = """
copy (
    select left(line, 26)::timestamp at time zone 'UTC' as time, words[2] as level, words[3] as source,
           trim(words[4], '[]') as marker, words[5] as event, {fields}
    from (select line, words, words[4] || ' ' || words[5] as key, contains(line, '"') as quoted
          from (select line, string_split(line, ' ') as words
                from read_csv('{path}', delim = '\x01', quote = '', escape = '', header = false, auto_detect = false,
                              columns = {{'line': 'VARCHAR'}})))
) to '{out}' (format parquet, compression zstd, compression_level 1)
"""


def main(path: str, out: str) -> None:
    """Write one row per line, fields typed, absent ones null."""
    base = duckdb.connect()
    base.execute("set timezone = 'UTC'")
    base.execute(TABLE.format(path=path, out=out, fields=", ".join(map(field, FIELDS))))


def field(name: str) -> str:
    """SQL for the value after ` name=`: to the next blank or, in quotes, to the closing one."""
    places = range(FIRST_FIELD, FIRST_FIELD + MOST_FIELDS)
    begins = len(name) + 2
    plain = " ".join(f"when starts_with(words[{at}], '{name}=') then substr(words[{at}], {begins})" for at in places)
    found = rf"""nullif(regexp_extract(line, ' {name}=("(?:[^"\\]|\\.)*"|\S+)', 1), '')"""
    if FIELDS[name] is str:
        found = f"trim({found}, '\"')"
    events = ", ".join(f"'[{marker}] {event}'" for marker, event in EVENTS_OF[name])
    value = f"case when key in ({events}) then (case when quoted then {found} else case {plain} end end) end"
    return f"({value})::{TYPES[FIELDS[name]]} as {name}"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
