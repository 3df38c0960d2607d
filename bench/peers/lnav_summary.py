"""The summary job with lnav without a screen: `python bench/peers/lnav_summary.py LOG`.

One query over its table of the log, by a format file as its users write them (lnav/formats/). Its `log_time` has
milliseconds only, so the times come from the line.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import datetime
from pathlib import Path

MARKERS = ("CONNECT", "RECONNECT", "SYNC", "CHECKPOINT", "TASK", "SECURITY", "COMPRESS")
QUERY = """;SELECT marker, event, count(*) AS n,
group_concat(CASE WHEN marker = 'RECONNECT' AND event <> 'attempt' THEN substr(log_text, 1, 26) END) AS times
FROM tagged_v1 WHERE marker IS NOT NULL GROUP BY marker, event""".replace("\n", " ")


def main(path: str) -> dict[str, object]:
    """Marker counts, reconnect durations, task outcomes and reconnects per minute of one worker's log."""
    configuration = Path(__file__).parent / "lnav"
    with tempfile.NamedTemporaryFile() as answer:
        write = f":write-jsonlines-to {answer.name}"
        command = ["lnav", "-I", str(configuration), "-n", "-c", QUERY, "-c", write, path]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        rows = [json.loads(line) for line in Path(answer.name).read_text().splitlines()]
    count = {(row["marker"], row["event"]): int(row["n"]) for row in rows}
    times = {row["event"]: row["times"].split(",") for row in rows if row["marker"] == "RECONNECT" and row["times"]}
    ends = sorted((micros(at), event) for event in ("lost", "established") for at in times.get(event, ()))
    took_us: list[int] = []
    minutes: Counter[int] = Counter()
    lost_us: int | None = None
    for at_us, event in ends:
        if event == "lost":
            lost_us = at_us
        elif lost_us is not None:
            took_us.append(at_us - lost_us)
            minutes[at_us // 60_000_000] += 1
            lost_us = None
    took_us.sort()
    rank = -(-95 * len(took_us) // 100) - 1  # nearest rank
    return {
        "markers": {m: sum(n for (marker, _), n in count.items() if marker == m) for m in MARKERS},
        "reconnects": len(took_us),
        "reconnect_mean_s": sum(took_us) / len(took_us) / 1e6 if took_us else None,
        "reconnect_max_s": took_us[-1] / 1e6 if took_us else None,
        "reconnect_p95_s": took_us[rank] / 1e6 if took_us else None,
        "tasks": {event: count.get(("TASK", event), 0) for event in ("completed", "failed", "cancelled")},
        "reconnects_per_minute": {"max": max(minutes.values(), default=0), "minutes": len(minutes)},
    }


def micros(at: str) -> int:
    """Microseconds of an RFC 3339 time with six digits."""
    return int(datetime.fromisoformat(at[:19] + "+00:00").timestamp()) * 1_000_000 + int(at[20:26])


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
