"""What every page is put together from: the template environment, the style sheet, scripts, and hashes of both.

Text that peers wrote goes through `visible` on its way into a template, and the environment escapes it.
"""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from recontool.report import language
from recontool.report.plain import plain

_MOST_TEXT: Final = 600  # characters of a sentence; the log has the rest
_MOST_IN_CELL: Final = 300  # likewise of a cell
SAYS: Final = re.compile(r'\bsay\("((?:[^"\\]|\\.)*)"')  # a message in a script or a template


@cache
def environment() -> Environment:
    """Templates that escape whatever is not markup of ours."""
    made = Environment(
        loader=PackageLoader("recontool.report"),
        autoescape=True,
        finalize=visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["cut"] = cut
    made.globals["say"] = language.say
    made.globals["lang"] = language.code
    return made


def visible(value: Any) -> Any:
    """Every text a template puts out, without anything hidden in it and not endless; markup of ours stays as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return cut(value, _MOST_TEXT)


def cut(text: str, most: int = _MOST_IN_CELL) -> str:
    """At most `most` characters of `text`, none of them hidden, and how many there were."""
    shown = plain(text[: most + 1])
    return shown if len(shown) <= most else f"{shown[:most]}… ({len(text):,} characters)"


@cache
def scripts(names: Sequence[str]) -> str:
    """Scripts of ours as one, in the order in which they build on each other."""
    lines = (line.strip() for name in names for line in resource("templates", f"{name}.js").splitlines())
    # Comments and indentation stay in the source; no string of ours spans lines.
    text = "\n".join(line for line in lines if line and not line.startswith("//"))
    return f'"use strict";\n(() => {{\n{text}\n}})();\n'


def words(script: str) -> Markup:
    """What `script` says in the language in force, as JSON by its English text; "" if that is English."""
    told = {message: language.say(message) for message in SAYS.findall(script)}
    if all(message == text for message, text in told.items()):
        return Markup("")
    return Markup(json.dumps(told, ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704 - no tag can begin in it


@cache
def style() -> str:
    """The style sheet; the dark colours stand in one file and are used for the system's choice and the reader's."""
    sheet = resource("templates", "style.css").replace("/* dark.css */", resource("templates", "dark.css").rstrip())
    # Comments and indentation stay in the source; no string of ours holds any of these marks with a space behind it.
    return re.sub(r"\s*([{};,:])\s+", r"\1", re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)).strip()


@cache
def resource(folder: str, name: str) -> str:
    """A file of the package as text."""
    return resources.files("recontool.report").joinpath(folder, name).read_text(encoding="utf-8")


def hashed(text: str) -> str:
    """How a content security policy names a script or style sheet."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
