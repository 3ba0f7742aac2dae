"""The printed dictionary, and what it lacks."""

from __future__ import annotations

from seshat.core.records import Entry, Sense
from seshat.report.dictionary import dictionary_page, gaps, sorting


def entry(headword: str, *glosses: str, forms: tuple[str, ...] = ()) -> Entry:
    return Entry(id=headword, lang="qlm", headword=headword, forms=forms, senses=(Sense(glosses={"es": glosses}),))


def test_the_page_is_ordered_escaped_and_has_a_reverse_index() -> None:
    entries = [entry("Zora", "<b>sol</b>"), entry("ábuno", "tejer"), entry("-ta", "PL"), entry("abe", "tejer")]
    html = dictionary_page(entries, {"es": "Spanish"}, "es", "Lumeko")
    assert html.index("abe</b>") < html.index("ábuno</b>") < html.index("-ta</b>") < html.index("Zora</b>")
    assert "&lt;b&gt;sol" in html
    assert "tejer <b>abe, ábuno</b>" in html
    assert "http" not in html, "nothing is fetched"


def test_affixes_stand_among_the_words() -> None:
    assert sorted(["tb", "-ta", "t"], key=sorting) == ["t", "-ta", "tb"]


def test_frequent_forms_without_an_entry() -> None:
    entries = [entry("kuno", "río", forms=("kunota",))]
    texts = ["Kuno taba kunota.", "Taba 7 7 7.", "taba", "once"]
    assert [(one.form, one.count) for one in gaps(texts, entries, 10)] == [("taba", 3)]
