"""Plain text, line-aligned text and parallel documents."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reading import Read

from seshat.config import Config
from seshat.formats.files import find, language_of, place, unnamed
from seshat.formats.moses import suspicious


def test_plain_text_and_its_documents(read: Read) -> None:
    text = "uno\n\ndos\ntres\n\n\ncuatro\n"
    by_file = read({"t/a.txt": text}, path="t/*.txt", language="es")
    assert [(one.texts["es"], one.meta.doc_id, one.meta.order) for one in by_file.segments] == [
        ("uno", "src:a", 0),
        ("dos", "src:a", 1),
        ("tres", "src:a", 2),
        ("cuatro", "src:a", 3),
    ]
    assert [one.id for one in by_file.segments] == ["src:a:1", "src:a:3", "src:a:4", "src:a:7"]
    assert by_file.context.reports["t/a.txt"].details == {"blank_lines": 3}
    by_line = read({}, path="t/*.txt", document="line")
    assert [one.meta.doc_id for one in by_line.segments] == [one.id for one in by_line.segments]
    by_block = read({}, path="t/*.txt", document="blank-line")
    assert [(one.meta.doc_id, one.meta.order) for one in by_block.segments] == [
        ("src:a:block-0", 0),
        ("src:a:block-2", 0),
        ("src:a:block-2", 1),
        ("src:a:block-6", 0),
    ]


def test_files_with_the_same_stem_keep_their_ids_apart(read: Read) -> None:
    found = read({"x/a.txt": "uno\n", "y/a.txt": "dos\n", "y/b.txt": "tres\n"}, path="**/*.txt")
    assert [one.id for one in found.segments] == ["src:x/a.txt:1", "src:y/a.txt:1", "src:b:1"]


def test_line_aligned_text_in_three_languages(read: Read) -> None:
    files = {"t.qlm": "kuno\ntaba\n\nti\n", "t.es": "uno\ndos\n\n\n", "t.en": "one\n\n\n\n"}
    found = read(files, path="t.{lang}")
    assert [one.texts for one in found.segments] == [
        {"qlm": "kuno", "es": "uno", "en": "one"},
        {"qlm": "taba", "es": "dos"},
    ]
    (reject,) = found.rejects
    assert (reject.file, reject.line, reject.content) == ("t.qlm", 4, "ti")
    assert reject.reason == "the line is empty in t.es and t.en"
    assert found.segments[0].id == "src:t:1"


def test_a_bad_line_takes_its_partner_along_and_the_rest_stays_in_step(read: Read) -> None:
    files = {"t.qlm": b"kuno\nta\0ba\nti\n" + b"x" * 2000 + b"\nka\n", "t.es": "uno\ndos\ntres\ncuatro\ncinco\n"}
    found = read(files, path="t.{lang}", ingest={"max_line_bytes": 1000})
    assert [one.texts["es"] for one in found.segments] == ["uno", "tres", "cinco"]
    assert [one.texts["qlm"] for one in found.segments] == ["kuno", "ti", "ka"]
    assert [(reject.file, reject.line, reject.content[:6]) for reject in found.rejects] == [
        ("t.qlm", 2, "ta\0ba"),
        ("t.es", 2, "dos"),
        ("t.qlm", 4, "xxxxxx"),
        ("t.es", 4, "cuatro"),
    ]


def test_unequal_files_are_an_error_and_nothing_of_them_is_lost(read: Read) -> None:
    source = [f"palabra {'x' * (n % 7) * 5}" for n in range(60)]
    target = [line.upper() for line in source]
    files = {
        "a.qlm": "\n".join([*source[:31], "una línea de más", *source[31:]]),
        "a.es": "\n".join(target),
        "b.qlm": "kuno\n",
        "b.es": "uno\n",
    }
    found = read(files, path="*.{lang}")
    (error,) = found.failures
    assert "a.qlm has 61, a.es has 60" in error.message
    assert "near lines 31-33 of a.qlm" in error.message
    assert "reader: documents" in (error.hint or "")
    assert [one.texts for one in found.segments] == [{"qlm": "kuno", "es": "uno"}]
    lines = [reject for reject in found.rejects if reject.line is not None]
    assert len(lines) == 121
    assert {reject.content for reject in lines} == {*source, *target, "una línea de más"}


@settings(deadline=None)
@given(st.lists(st.integers(1, 200), min_size=5, max_size=60), st.integers(1, 3), st.data())
def test_the_place_of_an_added_line_is_bracketed(lengths: list[int], added: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(lengths)).filter(lambda place: 2 * place != len(lengths)))
    longer = [*lengths[:at], *[10_000] * added, *lengths[at:]]
    first, last = suspicious(longer, lengths)
    assert (first, last) == (max(1, at), min(len(longer), at + added + 1))


def test_blank_lines_at_the_end_of_one_file_are_none(read: Read) -> None:
    for own, other in (("kuno\ntaba\n\n", "uno\ndos\n"), ("kuno\ntaba", "uno\ndos\n\n \n\r\n")):
        for reader in ("auto", "moses"):
            found = read({"b.qlm": own, "b.es": other}, path="b.{lang}", reader=reader)
            assert [tuple(one.texts.values()) for one in found.segments] == [("kuno", "uno"), ("taba", "dos")]
            assert not found.rejects
    found = read({"b.qlm": "kuno\n\n\n", "b.es": "uno\ndos\n"}, path="b.{lang}")
    assert [one.reason for one in found.rejects] == ["the line is empty in b.qlm"]
    assert "unequal numbers" in read({"b.qlm": "kuno\n", "b.es": "uno\ndos\n"}, path="b.{lang}").failures[0].message


def test_a_language_nobody_named_is_said(read: Read) -> None:
    found = read({"t.qlm": "kuno\n", "t.es": "uno\n", "t.fr": "un\n"}, path="t.{lang}")
    assert [one.texts for one in found.segments] == [{"qlm": "kuno", "es": "uno"}]
    assert "t.fr: left out, because 'fr' is no language of the project" in found.warnings
    mapped = read({"u.lum": "kuno\n", "u.spa": "uno\n"}, path="u.{lang}", languages={"lum": "qlm", "spa": "es"})
    assert mapped.segments[0].texts == {"qlm": "kuno", "es": "uno"}


def test_a_file_alone_is_text_in_one_language(read: Read) -> None:
    found = read({"t.qlm": "kuno\n"}, path="t.{lang}")
    assert [one.texts for one in found.segments] == [{"qlm": "kuno"}]
    assert "no partner in another language" in found.warnings


def test_parallel_documents(read: Read) -> None:
    files = {
        "d/flood.qlm.txt": "kuno\n\ntaba\n",
        "d/flood.es.txt": "uno dos\n",
        "d/jaguar.qlm.txt": "ti\n",
        "d/jaguar.es.txt": "tres\n",
        "d/lost.es.txt": "nadie\nsabe\n",
        "d/void.qlm.txt": "\n",
        "d/void.es.txt": "algo\n",
    }
    found = read(files, path="d/*.{lang}.txt", kind="documents")
    assert [one.id for one in found.documents] == ["src:flood", "src:jaguar"]
    assert found.documents[0].texts == {"qlm": ("kuno", "", "taba"), "es": ("uno dos",)}
    assert found.documents[0].meta.doc_id == "src:flood"
    lost = [(reject.file, reject.line, reject.content) for reject in found.rejects if reject.content]
    assert lost == [("d/lost.es.txt", 1, "nadie"), ("d/lost.es.txt", 2, "sabe"), ("d/void.es.txt", 1, "algo")]
    assert "d/lost.es.txt: no partner" in found.warnings
    assert "empty in qlm" in found.warnings


@pytest.mark.parametrize("name", ["t.qlm", "t.es"])
def test_one_empty_side_is_an_error(read: Read, name: str) -> None:
    files = {"t.qlm": "kuno\n", "t.es": "uno\n", name: ""}
    found = read(dict(files), path="t.{lang}")
    assert "has 0" in found.failures[0].message
    assert [reject.content for reject in found.rejects if reject.line] == [
        content.strip() for content in files.values() if content
    ]


def test_patterns(tmp_path_factory: pytest.TempPathFactory) -> None:
    raw = tmp_path_factory.mktemp("raw")
    for name in ("b.csv", "a.csv", "c/d.csv", ".hidden.csv", "c/e.tsv", "p[1].csv"):
        (raw / name).parent.mkdir(exist_ok=True)
        (raw / name).write_text("x")
    (raw / "f.csv").mkdir()

    def names(*patterns: str) -> tuple[list[str], list[str]]:
        paths, empty = find(raw, patterns)
        return [path.relative_to(raw).as_posix() for path in paths], empty

    assert names("*.csv") == (["a.csv", "b.csv", "p[1].csv"], [])
    assert names("**/*.csv", "a.csv") == (["a.csv", "b.csv", "c/d.csv", "p[1].csv"], [])
    assert names("b.csv", "?.csv", "c/*.{lang}", "*.foo") == (["b.csv", "a.csv", "c/d.csv", "c/e.tsv"], ["*.foo"])
    assert names("[!a].csv")[0] == ["b.csv"]


def test_the_language_in_a_path() -> None:
    codes = {"es": "es", "pt-BR": "pt-BR", "qlm": "qlm"}
    assert place("d/x.es.txt", ["d/*.{lang}.txt"], codes) == ("es", "d/x.{lang}.txt")
    assert place("es/x.es", ["{lang}/*.{lang}"], codes) == ("es", "{lang}/x.{lang}")
    assert place("es/x.qlm", ["{lang}/*.{lang}"], codes) is None
    assert place("x.y.qlm", ["*.{lang}"], codes) == ("qlm", "x.y.{lang}")
    assert language_of("ES-es", codes) == "es"
    assert language_of("pt_br", codes) == "pt-BR"
    assert language_of("pt", codes) is None


@pytest.mark.parametrize(
    ("text", "what", "reader"),
    [
        ('<?xml version="1.0"?>\n<tmx><body>\n</body></tmx>\n', "XML or HTML", "tmx"),
        ("<p>kuno</p>\n<p>taba</p>\n<p>ti</p>\n", "XML or HTML", ""),
        ("<!doctype html>\nkuno\n", "XML or HTML", ""),
        ("\\lx kuno\n\\ge uno\n\n\\lx taba\n\\ge dos\n", "standard format (Toolbox)", "sfm"),
        ("\\id GEN\n\\c 1\n\\p\n\\v 1 Kuno.\n", "Scripture in standard format", "usfm"),
        ("@UTF8\n@Begin\n*CHI:\tkuno ti .\n%mor:\tn|kuno .\n@End\n", "CHAT", "chat"),
        ('File type = "ooTextFile"\nObject class = "TextGrid"\n', "a TextGrid (Praat)", "textgrid"),
        (
            "1\n00:00:01,000 --> 00:00:02,000\nkuno\n\n2\n00:00:03,000 --> 00:00:04,000\ntaba\n",
            "subtitles",
            "subtitles",
        ),
        ('{"qlm": "kuno"}\n{"qlm": "taba"}\n', "JSON", "table"),
        ('msgid "uno"\nmsgstr "kuno"\n', "a message catalogue (PO)", ""),
        ("\\documentclass{x}\n\\begin{document}\nkuno\n\\end{document}\n", "LaTeX", ""),
    ],
)
def test_markup_is_no_text(read: Read, text: str, what: str, reader: str) -> None:
    for files, path, name in (
        ({"a.txt": text}, "a.txt", "text"),
        ({"a.qlm": text, "a.es": "uno\n"}, "a.{lang}", "moses"),
        ({"a.qlm": text, "a.es": "uno\n"}, "a.{lang}", "documents"),
    ):
        (error,) = read(files, path=path, reader=name).failures
        assert f"this is no plain text but {what}" in error.message
        assert f"reader: {reader}" in (error.hint or "") if reader else "Export" in (error.hint or "")


def test_text_with_some_marks_is_text(read: Read) -> None:
    for text in (
        "<range>\nkuno <b>ti</b>\n<range>\n",
        "1\n2\n3\n",
        "{kuno}\n[taba]\n",
        "kuno \\ ti\n\\x\nka\n",
        "@kuno\nti",
    ):
        assert read({"a.txt": text}, path="a.txt", reader="text").segments, text


def test_text_of_another_language_of_the_project_is_an_error(read: Read) -> None:
    spanish = "La mujer que vive en la casa no quiere ir con nosotros al pueblo.\n" * 3
    (error,) = read({"a.txt": spanish}, path="a.txt").failures
    assert "the text looks like Spanish (es), and without language: it would be read as Lumeko" in error.message
    assert "language: es" in (error.hint or "")
    for language in ("es", "qlm"):
        assert len(read({"a.txt": spanish}, path="a.txt", language=language).segments) == 3
    mixed = "Kuno taba de los muna ka naru ti suna meru paka.\n" * 5
    assert read({"a.txt": mixed}, path="a.txt").segments


def test_files_that_no_source_names(tmp_path: Path) -> None:
    names = [
        "a.csv",
        "b/c.es",
        "b/c.qlm",
        "b/d.es",
        "left.txt",
        "espan\u0303ol.txt",
        "README.md",
        ".hidden",
        "scans/x.png",
    ]
    for name in (*names, "groups.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    config = Config.model_validate(
        {
            "ingest": {"sources": [{"name": "s", "path": ["a.csv", "b/c.{lang}", "espa\u00f1ol.txt"]}]},
            "split": {"groups": {"path": "groups.csv", "document": "d", "group": "g"}},
        }
    )
    assert unnamed(tmp_path, config) == ["left.txt", "b/d.es"]


def test_file_names_in_two_unicode_forms_are_one_name(tmp_path: Path, read: Read) -> None:
    composed, parted = "espa\u00f1ol", "espan\u0303ol"
    for turn, (one, other) in enumerate(((composed, parted), (parted, composed))):
        folder = f"{turn}-{one}"
        files = {f"{folder}/{one}.txt": "kuno", f"{folder}/{one}.qlm": "ti", f"{folder}/{one}.es": "tres"}
        wanted = f"{turn}-{other}"
        assert read(files, path=f"{wanted}/{other}.txt").segments[0].id == f"src:{composed}:1"
        assert len(read(files, path=f"{wanted}/*.txt").segments) == 1
        assert len(read(files, path=f"**/{other}.t?t").segments) == turn + 1
        assert read(files, path=f"{wanted}/{other}.{{lang}}").segments[0].texts == {"qlm": "ti", "es": "tres"}


def test_links_in_a_circle_pipes_and_folders(tmp_path: Path, read: Read) -> None:
    raw = tmp_path / "raw"
    (raw / "o").mkdir(parents=True)
    (raw / "o/again").symlink_to(raw)
    (raw / "loop").symlink_to(raw / "loop")
    found = read({"a.txt": "kuno"}, path="**/*.txt")
    assert [one.texts["qlm"] for one in found.segments] == ["kuno"]
    os.mkfifo(raw / "pipe.txt")
    for name in ("pipe.txt", "o"):
        assert "is no file but a folder, pipe or device" in read({}, path=name, reader="text").failures[0].message
    assert "is not there" in read({}, path="loop", reader="text").failures[0].message


def test_nothing_there(read: Read) -> None:
    found = read({"a.txt": "uno\n"}, path=["a.txt", "b.txt", "*.csv"])
    assert [error.message for error in found.failures] == [
        "source 'src': b.txt is not there below data/raw.",
        "source 'src': *.csv matches no file below data/raw.",
    ]
    assert len(found.segments) == 1
