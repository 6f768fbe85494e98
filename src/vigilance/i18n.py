"""French and English texts through gettext catalogues, one domain per part of the project.

Write ``_ = messages("ingest")`` at the top of a module and ``_("text {name}").format(name=...)`` where a person
reads. The language is that of the current context (``use("fr")``), English by default: never the machine's locale,
so that the same run gives the same bytes everywhere.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "fr")
LOCALE_DIR = Path(__file__).parent / "locale"

_language: ContextVar[str] = ContextVar("vigilance_language", default="en")


def language() -> str:
    """The language in use, ``en`` or ``fr``."""
    return _language.get()


@contextmanager
def use(lang: str) -> Iterator[None]:
    """Use a language inside a ``with`` block."""
    token = _language.set(lang)
    try:
        yield
    finally:
        _language.reset(token)


@cache
def _catalogue(domain: str, lang: str) -> gettext.NullTranslations:
    return gettext.translation(domain, LOCALE_DIR, languages=[lang], fallback=True)


def messages(domain: str) -> Callable[[str], str]:
    """A translator for one domain: give it an English text, get it in the language in use."""

    def translate(text: str) -> str:
        lang = language()
        return text if lang == "en" else _catalogue(domain, lang).gettext(text)

    return translate
