"""Encodings from before Unicode: every letter, the order of signs, and what is left alone."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from seshat.text import legacy

SAID = "மதுரை கோவில் தெருவில் பூ விற்கும் பெண் ஒளியைக் கண்டாள்"
"""Self-written: a woman who sells flowers in the street of the temple saw the light."""
WRITTEN = {
    "tscii": "ÁÐ¨Ã §¸¡Å¢ø ¦¾ÕÅ¢ø â Å¢üÌõ ¦Àñ ´Ç¢¨Âì ¸ñ¼¡û",
    "tab": "ñ¶¬ó «è£õ¤ô¢ ªî¼õ¤ô¢ Ì õ¤ø¢°ñ¢ ªðí¢ å÷¤¬òè¢ èí¢ì£÷¢",
    "bamini": "kJiu Nfhtpy; njUtpy; G+ tpw;Fk; ngz; xspiaf; fz;lhs;",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_each_encoding_is_recognised_and_repaired_exactly(name: str) -> None:
    found = legacy.recognise(WRITTEN[name], ["ta"])
    assert found is not None
    assert found.name == name
    assert found.repair(WRITTEN[name]) == SAID


def test_unicode_other_languages_and_short_texts_are_left_alone() -> None:
    assert legacy.recognise(SAID, ["ta"]) is None
    assert legacy.recognise("The cat sat; the dog ran; nobody said a word; all was well.", ["ta"]) is None
    assert (
        legacy.recognise("Les élèves français ont été à l'école près de la forêt, où ils étaient déjà.", ["ta"]) is None
    )
    assert legacy.recognise(WRITTEN["tscii"], ["fr"]) is None
    assert legacy.recognise("§¸", ["ta"]) is None


def test_bytes_and_their_utf8_are_encodings_of_python() -> None:
    legacy.register()
    data = WRITTEN["tscii"].encode("latin-1")
    assert data.decode("tscii") == SAID
    assert WRITTEN["tscii"].encode().decode("tscii-utf8") == SAID
    with pytest.raises(LookupError):
        data.decode("tscii-utf16x")


def test_real_samples_convert_exactly(real_data: Path) -> None:
    folder = real_data / "tamil" / "legacy_encoding"
    pairs = {"tscii.sample1.txt": "tscii.sample1.unicode.txt", "project_madurai_tscii.txt": "project_madurai_utf8.txt"}
    for name, twin in pairs.items():
        repaired = legacy.ENCODINGS["tscii"].repair((folder / name).read_text("utf-8")).rstrip().splitlines()
        wanted = unicodedata.normalize("NFC", (folder / twin).read_text("utf-8")).rstrip().splitlines()
        differ = [(one, other) for one, other in zip(repaired, wanted, strict=True) if one.rstrip() != other.rstrip()]
        # The twins leave signs as they were in six of 1,700 lines.
        assert all(any("\xa1" <= one <= "\xff" for one in other) for _, other in differ), differ
        assert len(differ) <= 6
