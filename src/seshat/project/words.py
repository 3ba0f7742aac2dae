"""The words of the pages that people see, in simple English and Spanish; a project can add its own language.

A file ``words/TAG.yaml`` in the project folder holds words of another language (or other words for these two), by the
names of ``translations/en.yaml`` beside this module; what it leaves out is shown in English.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from seshat.core.errors import DataError
from seshat.core.paths import readable

if TYPE_CHECKING:
    from seshat.project.folder import Project

_FOLDER = Path(__file__).parent / "translations"
BUILT_IN = frozenset({"en", "es"})
OPTIONAL = ("title_", "asks_", "column_", "system_")
"""Beginnings of names of what a review queue is called, asks, and names its columns, and of systems that are measured:
declared there in English."""


@cache
def english() -> dict[str, str]:
    """The words in English, which are all there are."""
    return _read(_FOLDER / "en.yaml")


def page_words(project: Project) -> tuple[str, dict[str, str]]:
    """The language of a project's pages (``serve.language``, the pivot where it is known, or English), and its words.

    Raises:
        DataError: as of :func:`words_for`.
    """
    language = project.config.serve.language or project.config.project.tags[-1]
    language = language if known(language, project.root) else "en"
    return language, words_for(language, project.root)


def words_for(language: str, root: Path | None = None) -> dict[str, str]:
    """The words of the pages in a language; in English where there are none.

    Args:
        language: a language tag; ``es-PE`` reads as ``es`` where there is nothing more exact.
        root: the project folder, which may hold ``words/TAG.yaml``.

    Raises:
        DataError: the file of the project is no list of words, or names one that no page has.
    """
    base = language.partition("-")[0].casefold()
    found = {**english(), **(_read(_FOLDER / f"{base}.yaml") if base in BUILT_IN else {})}
    for tag in dict.fromkeys((base, language)):
        path = root / "words" / f"{tag}.yaml" if root else None
        if path and readable(path).is_file():
            added = _read(path)
            if unknown := sorted(name for name in added if name not in english() and not name.startswith(OPTIONAL)):
                raise DataError(
                    f"{path}: no page has words called {', '.join(unknown)}.", f"Known: {', '.join(english())}."
                )
            found |= added
    return found


def known(language: str, root: Path) -> bool:
    """Whether there are words in a language."""
    base = language.partition("-")[0].casefold()
    return base in BUILT_IN or any((root / "words" / f"{tag}.yaml").is_file() for tag in (base, language))


def _read(path: Path) -> dict[str, str]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        value = YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, YAMLError) as error:
        raise DataError(f"{path}: cannot be read: {error}.", "It holds a name and its words on each line.") from error
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise DataError(f"{path}: not a list of words.", "Write a name and its words on each line: save: Save")
    return {str(name): text for name, text in value.items()}
