"""What is printed in an entry, by a pattern with its tests."""

from __future__ import annotations

from seshat.config.ocr import DictionarySection, DictionaryTest, OcrSection, parsed

PATTERN = r"(?P<headword>\S+) (?P<pos>s|v)\. (?P<gloss>[^.]+)\.(?: (?P<example>[^=]+) = (?P<translation>[^.]+)\.)*"


def test_parts_of_an_entry() -> None:
    found = parsed(DictionarySection(pattern=PATTERN), "pali s. casa; choza. Pali rabi = La casa es grande.")
    assert found == {
        "headword": "pali",
        "pos": "s",
        "glosses": ("casa", "choza"),
        "examples": (("Pali rabi", "La casa es grande"),),
    }
    assert parsed(DictionarySection(pattern=PATTERN), "Página 12") is None


def test_a_pattern_that_fails_its_test_is_a_mistake() -> None:
    right = DictionaryTest(text="pali s. casa.", headword="pali", pos="s", glosses=("casa",))
    wrong = DictionaryTest(text="pali s. casa.", headword="casa")
    section = DictionarySection(pattern=PATTERN, tests=(right, wrong))
    assert [mistake.path for mistake in section.mistakes()] == [("tests", 1)]


def test_a_pattern_without_a_headword_is_a_mistake() -> None:
    (mistake,) = DictionarySection(pattern="(?P<gloss>.+)").mistakes()
    assert "headword" in mistake.message


def test_a_name_of_two_sources_is_a_mistake() -> None:
    section = OcrSection(sources=[{"name": "a", "path": "a.pdf"}, {"name": "a", "path": "b.pdf"}])
    assert [mistake.path for mistake in section.mistakes()] == [("sources", 1, "name")]
