"""Measures whole commands from start to exit: `--help`, and `analyze` of a 1 MB log. `python bench/startup.py`."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import made_log

ROUNDS = 5
MEGABYTE = 10**6


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "worker-1.log"
        made_log.write(path, MEGABYTE, "INFO")
        print(f"{'command':<28} {'median s':>8} {'of `python -c pass`':>20}")
        bare_s = _median_s("-c", "pass")
        for title, arguments in (
            ("recontool --help", ("-m", "recontool", "--help")),
            ("recontool analyze (1 MB)", ("-m", "recontool", "analyze", str(path))),
        ):
            took_s = _median_s(*arguments)
            print(f"{title:<28} {took_s:>8.2f} {took_s / bare_s:>19.1f}x")


def _median_s(*arguments: str) -> float:
    took_s = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        took_s.append(time.perf_counter() - started)
    return median(took_s)


if __name__ == "__main__":
    main()
