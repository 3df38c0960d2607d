"""Secrets of the configuration: `${NAME}` filled in from the environment, and kept out of every text we write."""

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from recontool.model.errors import UsageError

HIDDEN: Final = "***"
_REFERENCE: Final = re.compile(r"\$\{([^}]*)\}")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHORTEST: Final = 4  # replacing every "a" of a text would hide the text, not the secret


class Secret:
    """A text that shows itself only to who asks with `reveal`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return HIDDEN

    def reveal(self) -> str:
        """The text itself, for the one call that needs it."""
        return self._text


def filled_in(text: str, environment: Mapping[str, str], where: str) -> str:
    """`text` with every `${NAME}` replaced from `environment`.

    Raises:
        UsageError: a variable is not set, or what stands in the braces is no name.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if not _NAME.fullmatch(name):
            raise UsageError("expected a variable's name in ${...}", where=where, hint="for example ${SMTP_PASSWORD}")
        if name not in environment:
            hint = f"set {name} for the process that reads this file"
            raise UsageError(f"the environment variable {name} is not set", where=where, hint=hint)
        return environment[name]

    return _REFERENCE.sub(value, text)


def scrubbed(text: str, secrets: Iterable[Secret]) -> str:
    """`text` without any of `secrets`, nor the forms in which libraries and peers repeat them."""
    forms = {form for secret in secrets for form in _forms(secret.reveal())}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text


def _forms(secret: str) -> Iterable[str]:
    found = {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode(), repr(secret)[1:-1]}
    if "://" in secret:
        parts = urlsplit(secret)
        # The tail of a webhook's address is its password; the host is not.
        found |= {parts.path, parts.path.strip("/"), parts.query, f"{parts.path}?{parts.query}"}
        found |= {parts.username or "", parts.password or ""}
    elif " " in secret:  # "Bearer abc": either half may come back alone
        found |= set(secret.split())
    return (form for form in found if len(form) >= _SHORTEST)
