"""The languages a report can be written in, by their code; each but English has a catalogue in report/languages."""

from collections.abc import Mapping
from typing import Final

from recontool.model.errors import UsageError

ENGLISH: Final = "en"
LANGUAGES: Final[Mapping[str, str]] = {
    ENGLISH: "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "pt_BR": "Português do Brasil",
    "ru": "Русский",
    "sv": "Svenska",
    "tr": "Türkçe",
    "uk": "Українська",
    "zh_CN": "简体中文",
}


def language_of(text: str) -> str:
    """The code of the language a user named, e.g. `pt-br` for pt_BR.

    Raises:
        UsageError: there is no such language.
    """
    codes = {code.lower(): code for code in LANGUAGES}
    code = codes.get(text.strip().replace("-", "_").lower())
    if code is None:
        raise UsageError(f"{text!r} is no language of the report, expected {', '.join(LANGUAGES)}", where="--lang")
    return code
