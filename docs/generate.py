"""Writes what repeats the program's own tables, parts of README.md and docs/ and the core's vocabulary: `python docs/generate.py`, or `--check` to compare.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`; NAME is a key of `PARTS`. What is between
them comes from recontool.model, the format files and the commands' own help, so a page cannot say something else.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from typer.testing import CliRunner

from recontool.alerts.rules import BUILT_IN
from recontool.analysis.compare.measures import LEAST_RATIO, LEAST_SHARE, MEASURES, SHARE, Measure
from recontool.cli import command_line
from recontool.kernel.tables import vocabulary
from recontool.logs import structured
from recontool.logs.format import builtin
from recontool.logs.prefix import PREFIXES
from recontool.model.catalogue import BLOCK, DERIVED, DOCUMENTED, UNIT_TEXT, Metric
from recontool.model.events import EVENTS, FIELD_TYPES
from recontool.model.prometheus import EXPORTED
from recontool.model.settings import Setting, for_role

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "recontool" / "kernel" / "vocabulary.tsv"  # a whole file
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
FIRST_LOOK = ("analyze", "sample_logs/worker-1.log")
_NAMED = re.compile(r"^  ([a-z][a-z-]*) {2,}", re.MULTILINE)
PART = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Exit status: 1 when `--check` finds a page out of date."""
    parser = argparse.ArgumentParser(description="Write the generated parts of README.md and docs/.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a page is out of date")
    check = parser.parse_args().check
    from languages import unfinished  # beside this file; whoever loads this one as a module needs no catalogues

    stale = [page for page in PAGES if not _renew(page, renewed, check=check)]
    stale += [] if _renew(TABLE, lambda _: vocabulary({}).decode(), check=check) else [TABLE]
    for page in stale:
        print(f"{page.relative_to(ROOT)} is out of date; write it anew with: make docs")
    wrong = unfinished()
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if stale or wrong else 0


def renewed(text: str) -> str:
    """`text` with every generated part as it should be; KeyError names a part nobody makes."""
    return PART.sub(lambda match: f"{match[1]}{PARTS[match['name']]().rstrip()}\n{match[3]}", text)


def _renew(page: Path, renewal: Callable[[str], str], *, check: bool) -> bool:
    old = page.read_text("utf-8") if page.exists() else ""
    new = renewal(old)
    if new != old and not check:
        page.write_text(new, "utf-8")
        print(f"{page.relative_to(ROOT)} written")
    return new == old or not check


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines) + "\n"


def _metrics(metrics: Iterable[Metric]) -> str:
    return _table(
        ("name", "unit", "definition", "normal range"),
        ((f"`{metric.name}`", metric.unit, metric.definition, _range(metric)) for metric in metrics),
    )


def _range(metric: Metric) -> str:
    normal = metric.normal
    unit = f" {UNIT_TEXT[metric.unit]}".rstrip()
    of = f" x `{normal.relative_to}`" if normal.relative_to else unit
    if normal.low is not None and normal.high is not None:
        text = f"{normal.low:g} to {normal.high:g}{of}"
    elif normal.low is not None:
        text = f"at least {normal.low:g}{of}"
    elif normal.high is not None:
        text = f"at most {normal.high:g}{of}"
    else:
        return ""
    return f"{text}; {'below' if normal.too_good == 'low' else 'above'} is good news" if normal.too_good else text


def _block() -> str:
    return _table(
        ("label", "metric"), ((f"`{label.label}: ...{label.suffix}`", f"`{metric.name}`") for metric, label in BLOCK)
    )


def _alerts() -> str:
    return _table(
        ("rule", "condition", "severity"), ((f"`{r.name}`", f"`{r.condition}`", r.severity) for r in BUILT_IN)
    )


def _prometheus() -> str:
    return _table(
        ("metric", "in Prometheus", "kind", "factor"),
        (
            (f"`{name}`", f"`{exported.name}`", exported.kind, f"{exported.factor:g}")
            for name, exported in EXPORTED.items()
        ),
    )


def _events() -> str:
    return _table(
        ("marker", "event", "fields", "meaning"),
        (
            (
                f"`{spec.marker}`" if spec.marker else "",
                f"`{spec.name}`",
                " ".join(f"`{name}`" for name in spec.fields) if spec.name != "config" else "every setting of its role",
                spec.meaning,
            )
            for spec in EVENTS
        ),
    )


def _fields() -> str:
    kinds: dict[str, list[str]] = {}
    used = {name for spec in EVENTS if spec.name not in {"config", "metrics"} for name in spec.fields}
    for name, kind in FIELD_TYPES.items():
        if name in used:
            kinds.setdefault(kind.__name__, []).append(f"`{name}`")
    return _table(("type", "fields"), ((kind, " ".join(names)) for kind, names in kinds.items()))


def _measures() -> str:
    return _table(
        ("measure", "what it is", "worse when", "smallest change that counts"),
        ((f"`{one.metric}`", one.of, _worse(one), _least(one) if one.better else "") for one in MEASURES),
    )


def _worse(one: Measure) -> str:
    return {"lower": "higher", "higher": "lower", "": "never judged"}[one.better]


def _least(one: Measure) -> str:
    return f"{LEAST_SHARE * 100:g} points" if one.unit == SHARE else f"{LEAST_RATIO:.0%}"


def _settings(settings: Iterable[Setting]) -> str:
    return _table(
        ("option", "default", "range", "meaning"),
        ((f"`{s.flag}`", _default(s), _allowed(s), s.help) for s in settings),
    )


def _default(setting: Setting) -> str:
    if setting.default is None:
        return "derived"
    if isinstance(setting.default, bool):
        return "on" if setting.default else "off"
    return f"{setting.default} {setting.unit}".rstrip()


def _allowed(setting: Setting) -> str:
    if setting.choices:
        return ", ".join(setting.choices)
    if setting.low is None or setting.high is None:
        return ""
    return f"{setting.low:g} to {setting.high:,.12g} {setting.unit}".rstrip()


def _formats() -> str:
    return _table(
        ("name", "what writes it", "told by", "claims that are never believed"),
        (
            (
                f"`{form.name}`",
                form.title,
                "its grammar" if form.engine == "tagged" else f"{len(form.templates)} templates",
                " ".join(f"`{name}`" for name in sorted(form.claim_only)) or "none",
            )
            for form in builtin().values()
        ),
    )


def _structured_keys() -> str:
    rows = (
        ("time", structured.TIME_KEYS),
        ("level", structured.LEVEL_KEYS),
        ("source", structured.SOURCE_KEYS),
        ("marker", structured.MARKER_KEYS),
        ("event or text", (structured.EVENT_KEY, *structured.TEXT_KEYS)),
    )
    return _table(("what", "keys"), ((what, " ".join(f"`{key}`" for key in keys)) for what, keys in rows))


def _prefixes() -> str:
    return _table(("prefix", "written by"), ((f"`{prefix.name}`", prefix.title) for prefix in PREFIXES))


def _commands() -> str:
    names = _NAMED.findall(_help())
    if not names:
        raise ValueError("recontool --help lists no command")
    sections = [("## recontool", _help())]
    for name in names:
        shown = _help(name)
        sections.append((f"## recontool {name}", shown))
        parts = _NAMED.findall(shown.partition("Commands:\n")[2])
        sections += [(f"### recontool {name} {part}", _help(name, part)) for part in parts]
    return "\n".join(f"{title}\n\n```text\n{text}\n```\n" for title, text in sections)


def _help(*command: str) -> str:
    shown = CliRunner().invoke(command_line(), [*command, "--help"], prog_name="recontool", env={"COLUMNS": "80"})
    if shown.exit_code:
        raise ValueError(f"recontool {' '.join(command)} --help exits {shown.exit_code}")
    return "\n".join(line.rstrip() for line in shown.output.strip("\n").splitlines())


def _first_look() -> str:
    plain = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "recontool", *FIRST_LOOK]
    shown = subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, encoding="utf-8", check=True)  # noqa: S603
    return f"```console\n$ recontool {' '.join(FIRST_LOOK)}\n{shown.stdout.rstrip()}\n```"


PARTS: dict[str, Callable[[], str]] = {
    "documented-metrics": lambda: _metrics(DOCUMENTED),
    "derived-metrics": lambda: _metrics(DERIVED),
    "alerts": _alerts,
    "block": _block,
    "prometheus": _prometheus,
    "events": _events,
    "fields": _fields,
    "worker-settings": lambda: _settings(for_role("worker")),
    "coordinator-settings": lambda: _settings(for_role("coordinator")),
    "first-look": _first_look,
    "formats": _formats,
    "structured-keys": _structured_keys,
    "prefixes": _prefixes,
    "measures": _measures,
    "commands": _commands,
}

if __name__ == "__main__":
    sys.exit(main())
