"""Runs a test file of alert rules and tells how its stories ended."""

from pathlib import Path

from msgspec import Struct

from recontool.alerts.stories import differences, load_stories
from recontool.api.rules import rules_of, text_of


class StoryOutcome(Struct, frozen=True):
    """What to print, and whether every story held."""

    text: str
    ok: bool


def run_stories(path: Path) -> StoryOutcome:
    """Run the stories in the file at `path` against the rules it names, or the built-in ones.

    Raises:
        UsageError, DocumentError: the file or its rules cannot be read or used.
    """
    found = load_stories(text_of(path), str(path))
    rules = rules_of(path.parent / found.rules if found.rules else None).rules
    lines: list[str] = []
    failed = 0
    for story in found.stories:
        differing = differences(story, rules)
        failed += bool(differing)
        lines.append(f"{'FAIL' if differing else 'ok  '}  {story.name}  ({path.name}:{story.line})")
        lines += [f"      {line}" for line in differing]
    lines.append(f"{len(found.stories) - failed} of {len(found.stories)} stories hold")
    return StoryOutcome("\n".join(lines), failed == 0)
