"""Measures reading as users meet it: whole processes, turn by turn with the peers, answers checked first.

`python bench/reading.py` writes its logs (1 GB each; `--size`) to a temporary folder and runs all parts; `--parts` picks some.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import make_logs
from side_by_side import (
    ROUNDS,
    Command,
    DifferentAnswerError,
    Measured,
    compare,
    counters,
    recontool_summary,
    run_once,
    summary_peers,
    table,
    table_difference,
    table_peers,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

RECONTOOL = (sys.executable, "-m", "recontool")
APPENDED = 10**6
SMALL = 10**6
WORKERS = 500
WORKER_LOG = 30_000


class Bench:
    """The logs, made when first asked for, and the parts that measure something on them."""

    def __init__(self, folder: Path, size: int, rounds: int, without: "Sequence[str]" = ()) -> None:
        self._folder, self._size, self._rounds, self._without = folder, size, rounds, frozenset(without)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")

    def log(self, kind: str, size: int = 0) -> Path:
        """A log of `kind`, of the bench's size unless another is asked for."""
        wanted = size or self._size
        path = self._folder / f"{kind}-{wanted}.log"
        if not path.exists():
            make_logs.write(path, kind, wanted)
        return path

    def summary(self) -> None:
        """The summary job on the DEBUG and the INFO mix, beside every peer."""
        for kind in ("debug", "info"):
            log = str(self.log(kind))
            commands = [recontool_summary(log), *summary_peers(log), *counters(log)]
            print(f"\n### Summary job, {kind} mix\n")
            self._show(commands, "recontool")

    def analyze(self) -> None:
        """The whole analysis to JSON, beside what the best peers need for the summary job alone."""
        log = self.log("info")
        peers = [one for one in summary_peers(str(log)) if one.name in {"polars", "duckdb"}]
        print("\n### recontool analyze --format json, INFO mix (the peers do the summary job only)\n")
        self._show([self._analysis(log, "analyze"), *peers], "analyze")
        print("\n### the field format\n")
        self._show([self._analysis(self.log("field"), "analyze"), *counters(str(self.log("field")))[1:]], "analyze")

    def table(self) -> None:
        """The full event table into Parquet."""
        log, ours = self.log("info"), self._folder / "recontool.parquet"
        export = Command("events", [*RECONTOOL, "events", str(log), "-o", str(ours), "-q"], answers=False)
        peers = table_peers(str(log), self._folder)
        print("\n### Event table, INFO mix, into Parquet\n")
        self._show([export, *peers.values()], "events")
        renamed = _with_peers_names(ours)
        for path in peers:
            if where := table_difference(path, renamed):
                raise DifferentAnswerError(where)

    def memory(self) -> None:
        """Peak memory at a tenth, once and five times the size."""
        print("\n### Memory of recontool analyze, INFO mix\n")
        for size in (self._size // 10, self._size, 5 * self._size):
            log = self.log("info", size)
            (measured,) = compare([self._analysis(log, "analyze")], rounds=1)
            print(f"- {size / 1e6:,.0f} MB of log: {measured.peak_mb:.0f} MB, {measured.median_s:.2f} s")
            if size > self._size:
                log.unlink()

    def append(self) -> None:
        """Re-analysis after 1 MB more, and of a log that did not change."""
        grown = self._folder / "grown.log"
        shutil.copyfile(self.log("info"), grown)
        more = self.log("info", 2 * APPENDED).read_bytes()
        again = Command(
            "again", [*RECONTOOL, "analyze", str(grown), "--format", "json", "-o", os.devnull], answers=False
        )
        compare([again], rounds=1)
        took = []
        for number in range(self._rounds):
            with grown.open("ab") as log:
                log.write(more[number * APPENDED // self._rounds :][:APPENDED])
            took.append(_timed(again))
        print(f"\n### After 1 MB more: {sorted(took)[len(took) // 2]:.2f} s (median of {len(took)})\n")

    def startup(self) -> None:
        """`--help`, and a 1 MB log."""
        log = self.log("info", SMALL)
        bare = Command("python -c pass", [sys.executable, "-c", "pass"], answers=False)
        helped = Command("--help", [*RECONTOOL, "--help"], answers=False)
        print("\n### Start-up\n")
        self._show([bare, helped, self._analysis(log, "analyze 1 MB")], "python -c pass", size=SMALL)

    def fleet(self) -> None:
        """A small untagged log from each of many workers."""
        text, logs = self.log("field", WORKER_LOG).read_bytes(), self._folder / "fleet"
        logs.mkdir()
        for number in range(1, WORKERS + 1):
            (logs / f"worker-{number}.log").write_bytes(text.replace(b"worker-1", f"worker-{number}".encode()))
        print(f"\n### {WORKERS} untagged logs of {WORKER_LOG // 1000} kB\n")
        self._show([self._analysis(logs, "analyze")], "analyze", size=WORKERS * WORKER_LOG)

    def _analysis(self, log: Path, name: str) -> Command:
        out = str(self._folder / "analysis.json")
        argv = [*RECONTOOL, "analyze", str(log), "--no-cache", "--format", "json", "-o", out, "-q"]
        return Command(name, argv, answers=False)

    def _show(self, commands: list[Command], base: str, size: int = 0) -> None:
        measured = compare([one for one in commands if one.name not in self._without], rounds=self._rounds)
        print(table(measured, base=base, size_bytes=size or self._size))


def _timed(command: Command) -> float:
    """Wall time of one run, without the unmeasured one that would read the new bytes first."""
    measured = Measured(command)
    run_once(measured)
    return measured.median_s


def _with_peers_names(path: Path) -> Path:
    """Our table with the column names the peers use."""
    from pyarrow import parquet

    found = parquet.read_table(path)
    renamed = path.with_name("renamed.parquet")
    parquet.write_table(
        found.rename_columns(["time" if name == "at" else name for name in found.column_names]), renamed
    )
    return renamed


def main() -> None:
    """Run the parts."""
    # Memory first: a process shows as its peak what the one that starts it has had.
    parts = ("memory", "startup", "fleet", "summary", "analyze", "append", "table")
    parser = argparse.ArgumentParser(description="Measure reading.")
    parser.add_argument("--size", type=make_logs.size, default=make_logs.size("1GB"))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--without", action="append", default=[], help="leave this command out; may be repeated")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.size, options.rounds, options.without)
        for part in options.parts:
            getattr(bench, part)()


if __name__ == "__main__":
    main()
