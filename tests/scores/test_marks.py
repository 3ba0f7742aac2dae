"""What must come out exactly is found, and asked for only where people kept it."""

from __future__ import annotations

import time

import pytest

from seshat.scores.marks import Marks, marks


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Véase https://example.org/a?b=1&c=2. Fin", ["https://example.org/a?b=1&c=2"]),
        ("(www.example.org/ñandú)", ["www.example.org/ñandú"]),
        ("escriba a maria.perez@example.org, por favor", ["maria.perez@example.org"]),
        ("<b>agua</b> &amp; <gap>", ["<b>", "</b>", "&amp;", "<gap>"]),
        ("%s de %d; %(name)s {0} {name} {NAME}", ["%s", "%d", "%(name)s", "{0}", "{name}", "{NAME}"]),
        ("el 12/03/1999 a las 7:30, 3.5 kg, 1,000 y 40%", ["12/03/1999", "7:30", "3.5", "1,000", "40%"]),
        ("१२ ௩ ٤٥", ["१२", "௩", "٤٥"]),
        ("a 100 % sure", ["100"]),
        ("H2O, 3rd, no number", []),
    ],
)
def test_what_is_a_mark(text: str, found: list[str]) -> None:
    assert sorted(marks(text).elements()) == sorted(found)


def test_what_people_did_not_keep_is_not_asked() -> None:
    asked = Marks(["5 ríos, %s y 5", "a 7"], ["5 rivers, %s and 5", "seven"])
    assert len(asked) == 3
    assert asked.count(["5 rivers and 5 % s", "7"]).tolist() == [[2, 3], [0, 0]]
    assert asked.count(["5 5 5 %s", ""]).tolist() == [[3, 3], [0, 0]]
    assert len(Marks([], [])) == 0
    assert Marks(["a"], ["b"]).count(["c"]).tolist() == [[0, 0]]


@pytest.mark.parametrize("text", ["1." * 20_000 + "a", "a." * 20_000, "{" * 40_000, "1-2/3:" * 7_000, "<a" * 20_000])
def test_a_long_text_takes_no_time(text: str) -> None:
    began = time.process_time()
    marks(text)
    assert time.process_time() - began < 2
