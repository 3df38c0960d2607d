"""The summary job on JSON lines with DuckDB: `python bench/peers/duckdb_json.py LOG`.

Tried on 200 MB, least processor time kept: `read_json` with the three keys the job needs against all keys found by
itself (1.3x) and against `read_json_objects` with `->>` (1.6x).
"""

import json
import sys

import duckdb

MARKERS = ("CONNECT", "RECONNECT", "SYNC", "CHECKPOINT", "TASK", "SECURITY", "COMPRESS")
COUNTS = """
create temp table counts as
select marker, event, count(*) as n,
       list("timestamp") filter (marker = 'RECONNECT' and event in ('lost', 'established')) as times
from read_json($path, format = 'newline_delimited',
               columns = {'timestamp': 'VARCHAR', 'marker': 'VARCHAR', 'event': 'VARCHAR'})
group by all
"""
RECONNECTS = """
with ends as (select epoch_us(unnest(times)::timestamp) as us, event from counts where times is not null),
     paired as (select us, event, us - lag(us) over w as took_us, lag(event) over w as before from ends
                window w as (order by us, event desc)),
     back as (select * from paired where event = 'established' and before = 'lost'),
     minutes as (select count(*) as n from back group by us // 60000000)
select count(*), sum(took_us)::bigint, max(took_us), list_sort(list(took_us)),
       (select coalesce(max(n), 0) from minutes), (select count(*) from minutes)
from back
"""


def main(path: str) -> dict[str, object]:
    """Marker counts, reconnect durations, task outcomes and reconnects per minute of one worker's log."""
    base = duckdb.connect()
    base.execute(COUNTS, {"path": path})
    count = {(marker, event): n for marker, event, n in base.execute("select marker, event, n from counts").fetchall()}
    found = base.execute(RECONNECTS).fetchone()
    assert found is not None
    reconnects, total_us, longest_us, took_us, busiest, minutes = found
    rank = -(-95 * reconnects // 100) - 1  # nearest rank
    return {
        "markers": {m: sum(n for (marker, _), n in count.items() if marker == m) for m in MARKERS},
        "reconnects": reconnects,
        "reconnect_mean_s": total_us / reconnects / 1e6 if reconnects else None,
        "reconnect_max_s": longest_us / 1e6 if reconnects else None,
        "reconnect_p95_s": took_us[rank] / 1e6 if reconnects else None,
        "tasks": {event: count.get(("TASK", event), 0) for event in ("completed", "failed", "cancelled")},
        "reconnects_per_minute": {"max": busiest, "minutes": minutes},
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
