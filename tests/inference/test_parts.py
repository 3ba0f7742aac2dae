from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seshat.inference.parts import Parts
from seshat.inference.translator import Candidate, Hypothesis
from seshat.prompt.request import Request


def always(_text: str) -> bool:
    return True


TEXTS = st.text(alphabet="ab. ,;\n\t\r\u2028ñΑக்ကျ။。?¿", max_size=60)


@given(TEXTS, st.booleans(), st.integers(1, 12))
def test_parts_and_what_is_between_them_are_the_text(text: str, sentences: bool, longest: int) -> None:
    layout = Parts(sentences=sentences).of(text, lambda part: len(part) <= longest)
    said = [Hypothesis(part, 0.0) for part in layout.parts]
    assert layout.joined(said, summed=True).text == (text if layout.parts else "")
    assert all(part == part.strip() != "" for part in layout.parts)
    assert not any(gap.strip() for gap in layout.gaps)
    assert all(len(part) <= max(longest, 3) for part in layout.parts), "but for one character of several code points"


def test_sentences_lines_and_indents() -> None:
    text = "  Uno. Dos, tres?\n\n\t¿Cuatro?  Cinco \n"
    layout = Parts().of(text, always)
    assert layout.parts == ("Uno.", "Dos, tres?", "¿Cuatro?", "Cinco")
    assert layout.gaps == ("  ", " ", "\n\n\t", "  ", " \n")
    assert Parts(sentences=False).of(text, always).parts == ("Uno. Dos, tres?", "¿Cuatro?  Cinco")


def test_what_is_too_long_is_cut_at_a_clause_then_between_words_then_anywhere() -> None:
    def short(part: str) -> bool:
        return len(part) <= 12

    assert Parts().of("uno dos, tres cuatro", short).parts == ("uno dos,", "tres cuatro")
    assert Parts().of("u, dos tres cuatro cin", short).parts == ("u, dos tres", "cuatro cin")
    assert Parts().of("a" * 20, short).parts == ("a" * 10, "a" * 10)
    assert Parts().of("👩‍👩‍👧‍👦", lambda _part: False).parts == ("👩‍👩‍👧‍👦",)


def test_each_part_is_asked_about_after_those_before_it() -> None:
    whole = Request("Uno. Dos.", id="7", before=("cero",), n_best=2)
    asked = Parts().of(whole.text, always).requests(whole)
    assert [(one.text, one.before, one.n_best) for one in asked] == [
        ("Uno.", ("cero",), 2),
        ("Dos.", ("cero", "Uno."), 2),
    ]


def test_candidates_of_parts_make_candidates_of_the_whole() -> None:
    layout = Parts().of("Uno.\nDos.", always)
    one = Hypothesis("a", -1.0, (Candidate("a", -1.0), Candidate("A", -2.0)), ("x: y",), 0.5)
    other = Hypothesis("b", -3.0, (Candidate("b", -3.0),), ("x: y", "z: y"))
    found = layout.joined([one, other], summed=False)
    assert (found.text, found.score, found.agreement) == ("a\nb", -2.0, 0.5)
    assert found.alternatives == (Candidate("a\nb", -2.0), Candidate("A\nb", -2.5))
    assert found.changes == ("x: y", "z: y")
    assert layout.joined([one, other], summed=True).score == -4.0
