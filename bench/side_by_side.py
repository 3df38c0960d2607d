"""Runs whole commands turn by turn and compares them: answers first, then time, memory and ratios.

A command is data; its answer is the JSON object on its last line of output. As a script it compares the summary job of
the peers: `python bench/side_by_side.py LOG`. Other benches call `compare` and `table`.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, Final

ROUNDS: Final = 5
# Whoever installs a package gets its byte code compiled; a checkout must be allowed to keep it as well.
_ENVIRONMENT: Final = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
RELATIVE: Final = 1e-9  # floats may differ by this; everything else must be equal
PEERS: Final = Path(__file__).parent / "peers"
# Where the answer of `recontool.summary` holds what the peers print.
SUMMARY: Final = "import json, sys, recontool; print(json.dumps(recontool.summary(sys.argv[1]).to_dict()))"


@dataclass(frozen=True, slots=True)
class Command:
    """One whole process. `answers` False: what it prints is no answer to compare.

    `reads` turns its JSON object into the form of the others.
    """

    name: str
    argv: Sequence[str]
    answers: bool = True
    reads: Callable[[Any], Any] = lambda answer: answer
    cwd: Path | None = None


@dataclass(slots=True)
class Measured:
    """What the runs of one command took; `answer` is that of the first."""

    command: Command
    took_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    answer: Any = None

    @property
    def median_s(self) -> float:
        """Wall time of the middle run."""
        return median(self.took_s)


class DifferentAnswerError(Exception):
    """Two commands that should say the same do not."""


def compare(commands: Sequence[Command], *, rounds: int = ROUNDS) -> list[Measured]:
    """Check that all answers are equal (an unmeasured first round), then measure.

    Raises:
        DifferentAnswerError: names the two commands and the first key that differs.
        RuntimeError: a command failed; with what it said.
    """
    measured = [Measured(command) for command in commands]
    for one in measured:
        run_once(one, keep=False)
    answering = [one for one in measured if one.command.answers]
    for one in answering[1:]:
        where = difference(answering[0].answer, one.answer)
        if where:
            raise DifferentAnswerError(f"{answering[0].command.name} and {one.command.name} differ: {where}")
    for _ in range(rounds):
        for one in measured:
            run_once(one)
    return measured


def run_once(one: Measured, *, keep: bool = True) -> None:
    """Run the command and add its figures; with `keep` False only its answer."""
    _warm(one.command.argv)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaint:
        started = time.perf_counter()
        process = subprocess.Popen(
            one.command.argv, stdout=out, stderr=complaint, cwd=one.command.cwd, env=_ENVIRONMENT
        )
        _, status, usage = os.wait4(process.pid, 0)
        took_s = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)  # or Popen would wait for it once more
        out.seek(0)
        complaint.seek(0)
        said = out.read().decode()
        if process.returncode:
            raise RuntimeError(
                f"{one.command.name} ended with {process.returncode}: {complaint.read().decode()[-2000:]}"
            )
    if one.command.answers and one.answer is None:
        one.answer = one.command.reads(json.loads(said.strip().splitlines()[-1]))
    if keep:
        one.took_s.append(took_s)
        one.cpu_s.append(usage.ru_utime + usage.ru_stime)
        one.peak_mb = max(one.peak_mb, usage.ru_maxrss / 1024)


def _warm(argv: Sequence[str]) -> None:
    """Read the files a command names: each must find them in memory, and some systems take unused pages away in seconds."""
    buffer = bytearray(2**20)
    for argument in argv:
        if Path(argument).is_file():
            with Path(argument).open("rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass


def difference(left: Any, right: Any, at: str = "") -> str:
    """The first place where two answers differ, "" when they do not; ints exactly, floats to 1e-9."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        if left.keys() != right.keys():
            return f"{at or 'keys'}: {sorted(left)} and {sorted(right)}"
        return next(filter(None, (difference(left[key], right[key], f"{at}.{key}") for key in left)), "")
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = enumerate(zip(left, right, strict=True))
        return next(filter(None, (difference(a, b, f"{at}[{order}]") for order, (a, b) in pairs)), "")
    if isinstance(left, float) and isinstance(right, float):
        return "" if math.isclose(left, right, rel_tol=RELATIVE) else f"{at}: {left} and {right}"
    return "" if type(left) is type(right) and left == right else f"{at}: {left!r} and {right!r}"


def table(measured: Sequence[Measured], *, base: str, size_bytes: int) -> str:
    """A markdown table: wall median, CPU, peak memory, MB/s, and time as a multiple of command `base`."""
    by_name = {one.command.name: one for one in measured}
    base_s = by_name[base].median_s
    lines = [
        f"| command | median s | min-max s | CPU s | peak MB | MB/s | time / {base} |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in measured:
        spread = f"{min(one.took_s):.2f}-{max(one.took_s):.2f}"
        name = one.command.name if one.command.answers else f"{one.command.name} *"
        lines.append(
            f"| {name} | {one.median_s:.3f} | {spread} | {median(one.cpu_s):.2f} | {one.peak_mb:.0f} "
            f"| {size_bytes / 1e6 / one.median_s:.0f} | {one.median_s / base_s:.2f} |"
        )
    if any(not one.command.answers for one in measured):
        lines.append("\n\\* prints no answer to compare (it writes a file, or does only a part of the job).")
    return "\n".join(lines)


def python_peer(job: str, library: str, *arguments: str) -> list[Command]:
    """The peer `peers/LIBRARY_JOB.py` as a command; none, and a line that says so, when its library is missing."""
    if library != "plain" and find_spec(library) is None:
        print(f"{library} is not installed: left out (pip install -e '.[bench]')", file=sys.stderr)
        return []
    return [Command(library, [sys.executable, str(PEERS / f"{library}_{job}.py"), *arguments])]


def summary_peers(log: str) -> list[Command]:
    """Every peer of the summary job that is installed."""
    commands = [
        one for library in ("polars", "duckdb", "pandas", "plain") for one in python_peer("summary", library, log)
    ]
    if shutil.which("lnav"):
        commands.append(Command("lnav", [sys.executable, str(PEERS / "lnav_summary.py"), log]))
    return commands


def counters(log: str) -> list[Command]:
    """Commands that only find one marker, or only count lines: what any reader has to measure itself against."""
    found = [("rg -c", ["rg", "-c", r"\[RECONNECT\]", log]), ("wc -l", ["wc", "-l", log])]
    return [Command(name, argv, answers=False) for name, argv in found if shutil.which(argv[0])]


def recontool_summary(log: str, reads: Callable[[Any], Any] = lambda answer: answer) -> Command:
    """`recontool.summary` as a whole process; `reads` brings its answer into the form of the peers."""
    return Command("recontool", [sys.executable, "-c", SUMMARY, log], reads=reads)


def table_peers(log: str, folder: Path) -> dict[Path, Command]:
    """Every peer of the table job that is installed, by the Parquet file it writes."""
    peers = {}
    for library in ("polars", "duckdb"):
        out = folder / f"{library}.parquet"
        for command in python_peer("table", library, log, str(out)):
            peers[out] = replace(command, answers=False)
    return peers


def table_difference(left: Path, right: Path) -> str:
    """The first column of `left` that `right` lacks or holds other values in; times are unique, so rows sort by them.

    Writers may use other string types and may leave rows unsorted (DuckDB does).
    """
    from pyarrow import parquet

    one, other = (parquet.read_table(path).sort_by("time") for path in (left, right))
    if one.num_rows != other.num_rows:
        return f"{left.name} has {one.num_rows:,} rows, {right.name} {other.num_rows:,}"
    for column in one.schema:
        if column.name not in other.column_names:
            return f"{right.name} lacks column {column.name}"
        if not other[column.name].cast(column.type).equals(one[column.name]):
            return f"column {column.name} of {right.name} holds other values than {left.name}"
    return ""


def main() -> None:
    """Compare the peers on one log."""
    parser = argparse.ArgumentParser(description="Compare the peers.")
    parser.add_argument("log")
    parser.add_argument("--job", choices=("summary", "table"), default="summary")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--without", action="append", default=[], help="leave this command out; may be repeated")
    options = parser.parse_args()
    if options.job == "summary":
        measured = compare(
            _chosen([*summary_peers(options.log), *counters(options.log)], options), rounds=options.rounds
        )
    else:
        measured = _compare_tables(options)
    print(table(measured, base=measured[0].command.name, size_bytes=Path(options.log).stat().st_size))


def _chosen(commands: list[Command], options: argparse.Namespace) -> list[Command]:
    return [command for command in commands if command.name not in options.without]


def _compare_tables(options: argparse.Namespace) -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        peers = table_peers(options.log, Path(folder))
        measured = compare(_chosen([*peers.values()], options), rounds=options.rounds)
        written = [path for path in peers if path.exists()]
        for other in written[1:]:
            if where := table_difference(written[0], other):
                raise DifferentAnswerError(where)
    return measured


if __name__ == "__main__":
    main()
