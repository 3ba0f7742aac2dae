"""Marks as the target language writes them."""

from __future__ import annotations

import pytest

from seshat.inference.marks import mend_marks


@pytest.mark.parametrize(
    ("text", "source", "target", "wanted"),
    [
        ("Dónde está?", "Ranoki?", "es", "¿Dónde está?"),
        ("¿Dónde está?", "Ranoki?", "es", "¿Dónde está?"),
        ("Hola, ¿dónde está?", "Ranoki?", "es", "Hola, ¿dónde está?"),
        ("Ven. Qué es? Corre!", "x", "es", "Ven. ¿Qué es? ¡Corre!"),
        ("¿La casa es grande.", "x", "es", "La casa es grande."),
        ("«Dónde está?»", "«x»", "es", "«¿Dónde está?»"),
        ("¡Qué haces?", "x", "es", "¡Qué haces?"),
        ("Where is it?", "x", "en", "Where is it?"),
        ("“La casa.", "Ranoki.", "es", "La casa."),
        ("“La casa”, dijo.", "Ranoki.", "es", "“La casa”, dijo."),
        ('La "casa .', "Ranoki.", "en", "La casa."),
        ('La "casa.', '"Ranoki.', "en", 'La "casa.'),
        ("Où est-il?", "x", "fr", "Où est-il\u202f?"),
        ("Où est-il ?", "x", "fr", "Où est-il ?"),
        ("Il dit: «Viens!»", "«x»", "fr", "Il dit\u00a0: «\u00a0Viens\u202f!\u00a0»"),
        ("https://a.org?x=1 et 10:30", "x", "fr", "https://a.org?x=1 et 10:30"),
        ("", "x", "es", ""),
        ("La mujer come pan: https://example.org/a_b?c=1", "x", "es", "La mujer come pan: https://example.org/a_b?c=1"),
        ("Ve https://example.org/a?c=1 ya!", "x", "es", "¡Ve https://example.org/a?c=1 ya!"),
        ("Quién?!", "x", "es", "¿Quién?!"),
        ("Vino a las 10.30. Y tú?", "x", "es", "Vino a las 10.30. ¿Y tú?"),
    ],
)
def test_marks(text: str, source: str, target: str, wanted: str) -> None:
    mended, reasons = mend_marks(text, source, target)
    assert mended == wanted
    assert bool(reasons) == (mended != text)
    assert mend_marks(mended, source, target) == (mended, []), "once is enough"
