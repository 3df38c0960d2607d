"""Rules files from disk, and what the rules find in logs that the fold of an analysis cannot decide."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recontool.alerts.rules import BUILT_IN, Rule
from recontool.analysis.watch import thinned
from recontool.api.fold import by_reference
from recontool.api.sources import Reading, opened
from recontool.logs.lines import read_once
from recontool.model.errors import UsageError
from recontool.model.findings import Alert

if TYPE_CHECKING:
    from recontool.alerts.rules_file import RulesFile


def rules_of(path: Path | None) -> "RulesFile":
    """The rules of a file; the built-in ones without a file.

    Raises:
        UsageError, DocumentError: it cannot be read or used.
    """
    from recontool.alerts.rules_file import RulesFile, load_rules  # few commands read one

    if path is None:
        return RulesFile(BUILT_IN, ())
    return load_rules(text_of(path), str(path))


def text_of(path: Path) -> str:
    """The text of a file.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"cannot be read: {reason}", where=str(path)) from None


def beyond_the_fold(logs: Sequence[str], reading: Reading) -> list[Rule]:
    """The rules for which `logs` have to be read once more, by `evaluated`.

    Raises:
        UsageError: there are such rules, and a log is no file.
    """
    folded = thinned(reading.alert_rules)
    rules = [rule for rule in reading.alert_rules if rule not in folded]
    if rules and any(map(read_once, logs)):
        hint = "name files, or use `recontool alerts backtest -`"
        raise UsageError(f"stdin cannot be read a second time, as {_names(rules)} need", where="--rules", hint=hint)
    return rules if logs else []


def evaluated(logs: Sequence[str], rules: Sequence[Rule], reading: Reading) -> list[Alert]:
    """What `rules` of any kind find in `logs` at every event and every 15 s; all their samples are held in memory.

    Raises:
        UsageError: a file cannot be read.
    """
    if not rules:
        return []
    reading.tell(f"the logs are read once more by the reference reader, which is slower, for {_names(rules)}")
    from recontool.analysis.series import SeriesFleet  # numpy is slow to load

    fleet = SeriesFleet(rules)
    by_reference(opened(logs, reading), reading, fleet)
    return fleet.alerts()


def _names(rules: Sequence[Rule]) -> str:
    return f"rules {', '.join(rule.name for rule in rules)}"
