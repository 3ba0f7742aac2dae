"""What the page shows, without a browser: everything that people write is escaped; words in several languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.core.errors import DataError
from seshat.inference.corrections import REMEMBERED
from seshat.inference.translator import Candidate
from seshat.project.words import BUILT_IN, OPTIONAL, english, words_for
from seshat.serving import show
from seshat.serving.answers import Answer, Concordance, Example, Hit, LexiconEntry, Used

ENGLISH = english()
EVIL = "<script>alert('&\"')</script>"


@settings(deadline=None)
@given(st.text(max_size=40), st.lists(st.tuples(st.integers(0, 45), st.integers(0, 45)), max_size=4))
def test_highlighting_keeps_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    from html import escape, unescape

    html = show.highlighted(text, spans)
    assert unescape(html.replace("<mark>", "").replace("</mark>", "")) == unescape(escape(text))
    assert html.count("<mark>") == html.count("</mark>") <= len(spans)


def test_nothing_that_people_or_models_write_becomes_html() -> None:
    answer = Answer(
        text=EVIL,
        score=0.0,
        alternatives=(Candidate(EVIL, 0.0), Candidate(EVIL + "2", 0.0)),
        changes=(EVIL,),
        invented=("alert",),
        entries=(Used(0, 3, EVIL, EVIL, (EVIL,), False),),
        examples=(Example("i", EVIL, EVIL, 0.5, EVIL),),
    )
    hit = Hit("i", EVIL, EVIL, EVIL, EVIL, ((0, 3),), {EVIL: EVIL}, source=EVIL, document=EVIL)
    entry = LexiconEntry("i", EVIL, EVIL, (EVIL,), EVIL, EVIL, ({EVIL: (EVIL,)},), ({EVIL: EVIL},), EVIL)
    for html in (
        show.answer(answer, EVIL, EVIL, EVIL, ENGLISH),
        show.lines([hit], Concordance((hit,), 1, True, None), ENGLISH),
        show.entries([entry], ENGLISH),
        show.table({"table": [{EVIL: EVIL}]}, ENGLISH),
        show.note(EVIL),
        show.keys([EVIL], ENGLISH),
        show.turns([{"role": "user", "content": EVIL}, {"role": "assistant", "content": EVIL}], ENGLISH),
    ):
        assert "<script" not in html
        assert "&lt;" in html


def test_confidence_is_said_in_words_and_invented_words_are_marked() -> None:
    html = show.answer(Answer("La zorba canta.", 0.0, invented=("zorba",)), "x", "qsm", "es", ENGLISH)
    assert "zorba<sup>?</sup>" in html
    assert ENGLISH["unknown"] in html
    assert ENGLISH["invented"] in html
    html = show.answer(Answer("Zorba.", 0.0, changes=(REMEMBERED,), invented=("zorba",)), "x", "qsm", "es", ENGLISH)
    assert ENGLISH["remembered"] in html
    assert "<sup>" not in html


def test_copied_words_that_nobody_knows_are_marked_and_a_correction_names_its_author() -> None:
    html = show.answer(Answer("La mina canta.", 0.0, copied=("mina",)), "mina", "qsm", "es", ENGLISH)
    assert f'title="{ENGLISH["copied_mark"]}">mina<sup>?</sup>' in html
    example = Example("i", "x", "Zorba.", 1.0, "corrections", "Rosa", "2026-11-30T10:00:00+00:00")
    html = show.answer(Answer("Zorba.", 0.0, changes=(REMEMBERED,), examples=(example,)), "x", "qsm", "es", ENGLISH)
    assert f"{ENGLISH['remembered']}</strong> · Rosa · 2026-11-30" in html


def test_figures_have_their_limits_in_one_column_and_the_names_of_the_page() -> None:
    rows = [{"direction": "a-b", "system": "copy", "chrf2": 13.5, "chrf2 low": 12.8, "chrf2 high": 14.3}]
    html = show.table({"table": rows}, words_for("es"))
    assert '<td data-name="chrf2 95 %">12.8–14.3</td>' in html
    assert "high" not in html
    assert '<td data-name="sistema">copiar el texto</td>' in html


def test_words_are_complete_and_a_project_adds_its_own(tmp_path: Path) -> None:
    for tag in BUILT_IN - {"en"}:
        words = words_for(tag)
        assert not [name for name in ENGLISH if words[name] == ENGLISH[name] and len(words[name].split()) > 1]
        assert all(name in ENGLISH or name.startswith(OPTIONAL) for name in words)
    assert words_for("es-PE", tmp_path) == words_for("es")
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "shp.yaml").write_text("save: Biti\n", encoding="utf-8")
    assert words_for("shp", tmp_path) == {**ENGLISH, "save": "Biti"}
    (tmp_path / "words" / "shp.yaml").write_text("sav: Biti\n", encoding="utf-8")
    with pytest.raises(DataError, match="no page has words called sav"):
        words_for("shp", tmp_path)


def test_the_card_loses_its_front_matter_and_its_links() -> None:
    card = "---\nlicense: cc0\n---\n# Model\nSee [the paper](https://example.org) ![x](http://a/b.png)\n"
    assert show.card(card) == "# Model\nSee the paper x\n"
