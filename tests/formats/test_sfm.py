from __future__ import annotations

import pytest
from tests.reading import Read

from seshat.formats.sfm import paired

LEXICON = r"""\_sh v3.0  400  MDF 4.0

\lx kuno
\hm 1
\ps n
\ge river
\ge stream
\gn río; arroyo
\de a body
 of water
\xv Kuno ti.
\xn Hay un río.
\xv Kuno!
\nt ask again
\ps v
\gn correr
\se kunota
\gn ríos

\lx -ta
\ps
\sn 1
\gn PL
\sn 2
\gn muchos
"""
TEXTS = r"""\_sh v3.0  621  Text
\id River
\genre story
\ref R.1
\tx kunota    ti
\mb kuno  -ta ti
\ge river -PL here

\tx taba
\mb taba
\ge run
\ft Los ríos corren aquí.
\ref R.2
\tx muna=ti kuno
\mb muna=ti kuno
\ge moon=here river
\ft Luna y río.
\ref R.3
\tx kuno taba ti
\mb kuno taba ti
\ge big river here run
\ft Otra.
\ref R.4
\ft
"""


def test_a_lexicon(read: Read) -> None:
    found = read({"d.txt": LEXICON.replace("\n", "\r\n")}, path="d.txt")
    kuno, plural, suffix = found.entries
    assert (kuno.id, kuno.headword, kuno.pos) == ("src:d:kuno_1", "kuno", "n; v")
    assert kuno.senses[0].glosses == {"en": ("river", "stream", "a body of water"), "es": ("río", "arroyo")}
    assert [one.texts for one in kuno.senses[0].examples] == [
        {"qlm": "Kuno ti.", "es": "Hay un río."},
        {"qlm": "Kuno!"},
    ]
    assert kuno.senses[1].glosses == {"es": ("correr",)}
    assert kuno.meta.extra == {"hm": "1", "nt": "ask again"}
    assert (plural.headword, plural.meta.extra["main_entry"]) == ("kunota", "kuno")
    assert (suffix.type, [one.glosses["es"] for one in suffix.senses]) == ("affix", [("PL",), ("muchos",)])
    assert not found.rejects


def test_markers_of_a_project_of_its_own(read: Read) -> None:
    text = "\\lexeme kuno\n\\g_Spa río\n\\g_X y\n\\lexeme taba\n\\g_Spa correr\n"
    found = read({"d.sfm": text}, path="d.sfm", markers={"headword": "lexeme", "gloss.es": "g_Spa"})
    assert [(one.headword, one.senses[0].glosses) for one in found.entries] == [
        ("kuno", {"es": ("río",)}),
        ("taba", {"es": ("correr",)}),
    ]
    assert found.context.reports["d.sfm"].details["not_understood"] == {"g_X": 1}


def test_languages_after_the_marker_and_in_type_files(read: Read) -> None:
    assert read({"d.sfm": "\\lx kuno\n\\g_Spa río\n"}, path="d.sfm").entries[0].senses[0].glosses == {"es": ("río",)}
    types = "\\+DatabaseType MDF\n\\+mkr gr\n\\nam Gloss\n\\lng English\n\\-mkr\n\\+mkr g\n\\lng Spanish\n\\-mkr\n"
    files = {"m.typ": types, "d.sfm": "\\lx kuno\n\\g río\n\\gr river\n"}
    found = read(files, path="d.sfm")
    assert found.entries[0].senses[0].glosses == {"es": ("río",)}
    assert not read(files, path="m.typ").rejects


def test_interlinear_texts(read: Read) -> None:
    found = read({"t.txt": TEXTS}, path="t.txt")
    first, second, third = found.segments
    assert first.texts == {"qlm": "kunota ti taba", "es": "Los ríos corren aquí."}
    assert [(one.form, one.morphemes, one.glosses) for one in first.gloss or ()] == [
        ("kunota", ("kuno", "ta"), ("river", "PL")),
        ("ti", ("ti",), ("here",)),
        ("taba", ("taba",), ("run",)),
    ]
    assert (first.id, first.meta.doc_id, first.meta.genre) == ("src:t:R.1", "src:t:River", "story")
    assert second.meta.genre == "story"
    assert (second.gloss or ())[0].morphemes == ("muna", "=ti")
    assert third.gloss is None
    assert third.meta.extra["ge"] == "big river here run"
    assert "fits \\mb neither by columns nor by number" in found.warnings
    assert found.context.reports["t.txt"].details["empty"] == 1


@pytest.mark.parametrize(
    ("base", "other", "found"),
    [
        ("kuno  -ta ti", "river -PL here", ["river", "-PL", "here"]),
        ("ñu    taba", "big tree run", None),  # neither characters nor bytes
        ("ñuno  taba", "moon   run", ["moon", "run"]),  # by bytes, as old versions wrote
        ("kuno      taba", "big river run", ["big river", "run"]),
        ("kuno   taba", "river", ["river", ""]),
        ("kuno taba", "a  b   c", None),
    ],
)
def test_columns(base: str, other: str, found: list[str] | None) -> None:
    assert paired(base, other) == found


def test_lines_without_a_marker_and_broken_ones(read: Read) -> None:
    found = read(
        {"d.sfm": b"stray\n\\lx kuno\n\\gn r\xc3\xado\n\\gn \xff\xfe\n" + "\\lx ñandú\n".encode() * 30}, path="d.sfm"
    )
    assert [one.line for one in found.rejects] == [1, 4]
    assert len(found.entries) == 31
    assert "no line begins with a marker" in read({"d.sfm": "kuno\n"}, path="d.sfm").rejects[-1].reason
    assert read({"plain.txt": "kuno taba\n"}, path="plain.txt").segments[0].texts == {"qlm": "kuno taba"}


def test_the_same_word_many_times(read: Read) -> None:
    found = read({"d.sfm": "\\lx kuno\n\\gn río\n" * 20_000}, path="d.sfm")
    assert [one.id for one in found.entries[:3]] == ["src:d:kuno", "src:d:kuno#2", "src:d:kuno#3"]
    assert len({one.id for one in found.entries}) == 20_000


@pytest.mark.parametrize("translated", [True, False])
def test_sentences_without_a_number(read: Read, translated: bool) -> None:
    blocks = [
        ("kunota ti !", "kuno-ta ti !", "river-PL here !", "Rivers!"),
        ("ti kuno", "ti kuno", "here river", "River"),
    ]
    text = "\n\n".join(
        f"\\t {said}\n\\m {morphemes}\n\\g {glosses}" + (f"\n\\l {meaning}" if translated else "")
        for said, morphemes, glosses, meaning in blocks
    )
    markers = {"qlm": "t", "gloss.morphemes": "m", "gloss.glosses": "g", **({"es": "l"} if translated else {})}
    first, second = read({"texts.txt": text}, path="texts.txt", reader="sfm", markers=markers).segments
    assert [word.glosses for word in first.gloss or ()] == [("river", "PL"), ("here",), ("!",)]
    assert [word.morphemes for word in second.gloss or ()] == [("ti",), ("kuno",)]
    assert first.texts == {"qlm": "kunota ti !", **({"es": "Rivers!"} if translated else {})}
