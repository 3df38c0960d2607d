"""Measures JSON lines, logfmt and prefixed logs as users meet them: whole processes, answers checked first.

`python bench/formats.py` writes its logs (200 MB each; `--size`) to a temporary folder. The reference reads a tenth.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import make_logs
from side_by_side import ROUNDS, Command, Measured, compare, python_peer, recontool_summary, run_once, table

RECONTOOL = (sys.executable, "-m", "recontool")
REFERENCE_SHARE = 10
PREFIX = b"2026-11-24T10:15:32.123456789Z stdout F "


def analysis(log: Path, name: str) -> Command:
    """The whole analysis of one log."""
    argv = [*RECONTOOL, "analyze", str(log), "--no-cache", "--format", "json", "-o", f"{log}.analysis.json", "-q"]
    return Command(name, argv, answers=False)


def by_reference(command: Command) -> Command:
    """The same by the plain Python reader."""
    return Command("reference", ["env", "RECONTOOL_REFERENCE=1", *command.argv], answers=False)


def export(log: Path, suffix: str) -> Command:
    """All events into a file."""
    return Command(f"events {suffix}", [*RECONTOOL, "events", str(log), "-o", f"{log}{suffix}", "-q"], answers=False)


def prefixed(log: Path) -> Path:
    """The log as Kubernetes would have kept it."""
    path = log.with_name(f"cri-{log.name}")
    with log.open("rb") as lines, path.open("wb") as out:
        out.writelines(PREFIX + line for line in lines)
    return path


def show(title: str, commands: Sequence[Command], size: int, rounds: int) -> list[Measured]:
    """Compare, measure, print."""
    measured = compare(commands, rounds=rounds)
    print(f"\n### {title}\n\n{table(measured, base=commands[0].name, size_bytes=size)}")
    return measured


def against_reference(log: Path, small: Path, rounds: int) -> None:
    """MB/s of the core on the whole and of the reference on a part."""
    (whole,) = show(f"recontool analyze, {log.name}", [analysis(log, "analyze")], log.stat().st_size, rounds)
    reference = Measured(by_reference(analysis(small, "analyze")))
    run_once(reference)
    ours, theirs = (path.stat().st_size / 1e6 / one.median_s for path, one in ((log, whole), (small, reference)))
    print(
        f"\nreference, {small.stat().st_size / 1e6:.0f} MB: {theirs:.1f} MB/s; the core reads {ours / theirs:.0f} times as fast"
    )


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description="Measure the reading of structured and prefixed logs.")
    parser.add_argument("--size", type=make_logs.size, default=make_logs.size("200MB"))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        for kind in ("json", "logfmt"):
            log, small = Path(folder) / f"{kind}.log", Path(folder) / f"small-{kind}.log"
            make_logs.write(log, kind, options.size)
            make_logs.write(small, kind, options.size // REFERENCE_SHARE)
            against_reference(log, small, options.rounds)
            commands = [recontool_summary(str(log)), analysis(log, "analyze")]
            if kind == "json":
                commands += [one for library in ("polars", "duckdb") for one in python_peer("json", library, str(log))]
            show(f"Summary job, {kind}", commands, options.size, options.rounds)
            commands = [export(log, suffix) for suffix in (".ndjson", ".csv", ".parquet")]
            show(f"recontool events, {kind}", commands, options.size, options.rounds)
            behind, behind_small = prefixed(log), prefixed(small)
            against_reference(behind, behind_small, options.rounds)


if __name__ == "__main__":
    main()
