from __future__ import annotations

import pytest

from seshat.inference.repetitions import is_echo


@pytest.mark.parametrize(
    ("source", "translation", "echo"),
    [
        ("El niño grande quiere pescado.", "El niño grande quiere pescado", True),
        ("El niño grande quiere pescado en el río.", "El niño grande quiere pan en el río.", True),
        ("El niño quiere pescado.", "The boy wants fish.", False),
        ("Juan Pedro María Lima 5 7 9", "Juan Pedro María Lima 5 7 9", False),
        ("https sí", "https sí", False),
        ("ka ba ka", "ka", False),
        ("မြ န် မာ စာ", "မြ န် မာ စာ", True),
        ("", "", False),
    ],
)
def test_who_only_repeats(source: str, translation: str, echo: bool) -> None:
    assert is_echo(source, translation) is echo
