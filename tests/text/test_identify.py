"""Which language a text is in, with models learned from text of this file's own making."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from seshat.core.errors import DataError
from seshat.text.charmodel import CharModel, load
from seshat.text.identify import UNKNOWN, Identifier


def lines(syllables: str, count: int, seed: int) -> list[str]:
    """Sentences of a made-up language."""
    draw, parts = random.Random(seed), syllables.split()
    return [" ".join("".join(draw.choices(parts, k=3)) for _ in range(6)) for _ in range(count)]


KUNO, TAL = "ku no mi ra ta lo pe si", "thal orr iek usp nn ael kr"
TAMIL = ["பூ விற்கும் பெண் ஒளியைக் கண்டாள்", "மதுரை கோவில் தெருவில் நின்றாள்"] * 20


@pytest.fixture(scope="module")
def identifier() -> Identifier:
    return Identifier.learn({"ku": lines(KUNO, 300, 1), "tal": lines(TAL, 300, 2), "ta": TAMIL})


def test_neighbours_in_one_script_are_told_apart(identifier: Identifier) -> None:
    for tag, syllables in (("ku", KUNO), ("tal", TAL)):
        found = [identifier.identify(line) for line in lines(syllables, 100, 9)]
        assert sum(one.tag == tag for one in found) >= 99
        assert all(one.by == "model" for one in found if one.tag == tag)


def test_a_script_of_one_language_decides_alone(identifier: Identifier) -> None:
    assert identifier.identify("கடல்") == ("ta", 1.0, "script")
    assert identifier.identify("12 — 34") == (UNKNOWN, 0.0, "nothing")


def test_what_no_model_knows_goes_to_the_larger_one_or_stays_unknown(identifier: Identifier) -> None:
    found = identifier.identify("Das Wetter in den deutschen Städten war gestern wirklich sehr schön.")
    assert found.by in {"lid.176", "nothing"}
    assert found.tag == ("de" if found.by == "lid.176" else UNKNOWN)


def test_what_is_saved_tells_the_same(identifier: Identifier, tmp_path: Path) -> None:
    identifier.save(tmp_path / "languages.npz")
    again = Identifier.load(tmp_path / "languages.npz")
    for line in [*lines(KUNO, 20, 7), *lines(TAL, 20, 8)]:
        assert again.identify(line) == identifier.identify(line)


def test_files_of_something_else_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(DataError, match="language models"):
        load(tmp_path / "a.npz")
    with pytest.raises(DataError, match="no such file"):
        load(tmp_path / "b.npz")
    with pytest.raises(DataError, match="no letters"):
        Identifier.learn({"xx": ["1 2 3"]})


def test_a_model_expects_its_own_language_and_not_its_words_shuffled() -> None:
    text = lines(KUNO, 400, 3)
    model = CharModel.learn(text, bits=16)
    own, other = (model.bits_per_character(" ".join(lines(one, 20, 5))) for one in (KUNO, TAL))
    assert own < 2.0 < other
    backwards = " ".join(line[::-1] for line in lines(KUNO, 20, 5))
    assert own + 0.5 < model.bits_per_character(backwards)
    assert model.bits_per_character("") == 0.0
