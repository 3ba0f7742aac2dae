from __future__ import annotations

from tests.reading import Read


def item(kind: str, lang: str, text: str) -> str:
    return f'<item type="{kind}" lang="{lang}">{text}</item>'


def word(text: str, *morphs: tuple[str, str]) -> str:
    inside = "".join(f"<morph>{item('txt', 'qlm', form)}{item('gls', 'en', gloss)}</morph>" for form, gloss in morphs)
    return f"<word>{item('txt', 'qlm', text)}<morphemes>{inside}</morphemes></word>"


PHRASE = (
    '<phrase guid="p1" begin-time-offset="1500" end-time-offset="2750" speaker="Ana">'
    + item("segnum", "en", "1")
    + "<words>"
    + word("Kunota", ("kuno", "river"), ("-ta", "PL"), ("=a", "=FOC"))
    + f"<word>{item('txt', 'qlm', 'ti')}</word><word>{item('punct', 'qlm', '.')}</word></words>"
    + f"{item('gls', 'nl', 'Los ríos.')}{item('gls', 'nl', '')}{item('lit', 'en', 'rivers here')}</phrase>"
)
TEXT = (
    '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<document version="2"><interlinear-text guid="t1">'
    + item("title", "en", "The river")
    + "<paragraphs><paragraph><phrases>\n"
    + PHRASE
    + "</phrases></paragraph></paragraphs></interlinear-text></document>"
)


def test_phrases_words_and_morphemes(read: Read) -> None:
    found = read({"t.flextext": TEXT}, path="t.flextext", languages={"nl": "es"})
    (segment,) = found.segments
    assert segment.texts == {"qlm": "Kunota ti.", "es": "Los ríos."}
    assert [(one.form, one.morphemes, one.glosses) for one in segment.gloss or ()] == [
        ("Kunota", ("kuno", "ta", "=a"), ("river", "PL", "=FOC")),
        ("ti", (), ()),
    ]
    assert segment.meta.doc_id == "src:t:The river"
    assert (segment.meta.speaker, segment.meta.extra["phrase.lit.en"]) == ("Ana", "rivers here")
    assert segment.meta.origin is not None
    assert (segment.meta.origin.line, segment.meta.origin.start, segment.meta.origin.end) == (3, 1.5, 2.75)
    details = found.context.reports["t.flextext"].details
    assert (details["units"], details["words"], details["morphemes"]) == (1, 2, 3)


def test_a_language_that_is_none_of_the_project_is_kept_aside_and_told(read: Read) -> None:
    found = read({"t.flextext": TEXT}, path="t.flextext")
    assert found.segments[0].texts == {"qlm": "Kunota ti."}
    assert found.segments[0].meta.extra["phrase.gls.nl"] == "Los ríos."
    assert "phrase.gls.nl (1)" in found.warnings


def test_a_second_writing_of_the_words(read: Read) -> None:
    text = TEXT.replace(item("txt", "qlm", "ti"), item("txt", "qlm", "ti") + item("txt", "qlm-fonipa", "tʼi"))
    found = read({"t.flextext": text}, path="t.flextext", tiers={"qlm": ["word.txt.qlm"], "qlm-fonipa": "*fonipa"})
    assert found.segments[0].texts == {"qlm": "Kunota ti", "qlm-fonipa": "tʼi"}


def test_emeld_xml_and_other_xml(read: Read) -> None:
    assert len(read({"t.xml": TEXT}, path="t.xml").segments) == 1
    assert "nothing is known" in read({"t.xml": "<settings/>"}, path="t.xml").failures[0].message
    assert "no phrases" in read({"t.flextext": "<document/>"}, path="t.flextext").rejects[0].reason
