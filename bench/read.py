"""Measures reading: speed against `for line in file`, and whether memory stays flat. `python bench/read.py --mb 50`.

Both loops run side by side, turn by turn, so that a busy machine slows both; the ratio is what counts.
Writes its logs to a temporary folder and nothing else.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from statistics import median

import made_log

from recontool.logs.format import builtin
from recontool.logs.reader import LogReader

ROUNDS = 5
MIB = 2**20
SMALLER = 5  # the second size of the memory test is this many times smaller
PEAK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
JOBS = {
    "reader": "from collections import deque; from recontool.logs.format import builtin; "
    "from recontool.logs.reader import LogReader; "
    "deque(LogReader(open({path!r}, 'rb'), builtin()['tagged-v1']), maxlen=0); ",
    "analysis": "from recontool.api.analyze import analyze; analyze([{path!r}]); ",
}


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="Measure the reference reader.")
    parser.add_argument("--mb", type=int, default=50, help="size of each log in MiB")
    size_mb: int = parser.parse_args().mb
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'log':<6} {'MiB':>5} {'lines':>9} {'for line MB/s':>14} {'reader MB/s':>12} {'ratio':>6}")
        for level in ("INFO", "DEBUG"):
            path = Path(folder) / f"{level}.log"
            lines = made_log.write(path, size_mb * MIB, level)
            plain, reader = _speeds(path)
            print(f"{level:<6} {size_mb:>5} {lines:>9,} {plain:>14.0f} {reader:>12.1f} {plain / reader:>6.1f}")
        print(f"\n{'peak memory':<12} {size_mb / SMALLER:>6g} MiB {size_mb:>6} MiB")
        small = Path(folder) / "small.log"
        made_log.write(small, size_mb * MIB // SMALLER, "INFO")
        for job, code in JOBS.items():
            peaks = [_peak_mb(code.format(path=str(path))) for path in (small, Path(folder) / "INFO.log")]
            print(f"{job:<12} {peaks[0]:>7.0f} MB {peaks[1]:>7.0f} MB")


def _speeds(path: Path) -> tuple[float, float]:
    """MB/s of the plain loop and of the reader, medians of `ROUNDS`."""
    form = builtin()["tagged-v1"]
    plain_s, reader_s = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        with path.open("rb") as log:
            for _line in log:
                pass
        plain_s.append(time.perf_counter() - started)
        started = time.perf_counter()
        with path.open("rb") as log:
            deque(LogReader(log, form), maxlen=0)
        reader_s.append(time.perf_counter() - started)
    megabytes = path.stat().st_size / 1e6
    return megabytes / median(plain_s), megabytes / median(reader_s)


def _peak_mb(code: str) -> float:
    shown = subprocess.run([sys.executable, "-c", code + PEAK], capture_output=True, text=True, check=True)
    return int(shown.stdout) / 1024


if __name__ == "__main__":
    main()
