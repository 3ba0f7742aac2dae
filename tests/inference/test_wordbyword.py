"""The word-by-word model: its words, and standing in where Thot is not installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.small_project import small_project

from seshat.config import Direction
from seshat.core.records import Entry, Sense
from seshat.data import clean, ingest, split
from seshat.data import format as formatting
from seshat.inference.engines.wordbyword import WordByWordTranslator, is_word, like_case
from seshat.inference.load import load_translator
from seshat.models import train
from seshat.models.wordbyword import lexicon_words
from seshat.project.folder import open_project
from seshat.prompt.request import requests

FORWARD = Direction("xx", "en")


def entry(headword: str, gloss: str, *, lang: str = "xx", type_: str = "word", forms: tuple[str, ...] = ()) -> Entry:
    other = "en" if lang == "xx" else "xx"
    sense = Sense(glosses={other: (gloss,)})
    return Entry(id=headword, lang=lang, headword=headword, forms=forms, type=type_, senses=(sense,))


def test_lexicon_words_both_ways() -> None:
    entries = [
        entry("Pana", "(wild) cat; puma", forms=("panaka",)),
        entry("-ka", "plural", type_="affix"),
        entry("hui", "a thing that one says when one is tired of walking"),
        entry("pana", "later entries do not replace earlier ones"),
    ]
    assert lexicon_words(entries, FORWARD) == {"pana": "cat", "panaka": "cat"}
    assert lexicon_words(entries, FORWARD.reverse) == {"cat": "Pana", "puma": "Pana"}


def test_words_and_case() -> None:
    assert [is_word(token) for token in ("kala", "<gap>", "{NAME}", "12", "!", "நாய்")] == [
        True, False, False, False, False, True,
    ]  # fmt: skip
    assert [like_case("río", model) for model in ("suku", "Suku", "SUKU", "S", "நாய்")] == [
        "río", "Río", "RÍO", "Río", "río",
    ]  # fmt: skip


def test_stands_in_where_thot_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "find_spec", lambda _name: None)
    project = open_project(small_project(tmp_path / "small"))
    for stage in (ingest, clean, split, formatting):
        stage.run(project)
    summary = train.run(project)
    assert summary["directions"]["qsm-es"]["stands_in"] == "word-by-word"
    translator = load_translator(project.model(), Direction("qsm", "es"))
    assert isinstance(translator.engine, WordByWordTranslator)
    assert translator.name == "statistical"
    (found,) = translator.translate(requests(["Tolo palina basi."]))
    assert "perro" in found.text.lower()
