"""TextGrids, transcripts, subtitles, treebanks, and files of translators."""

from __future__ import annotations

import io
import zipfile

from tests.reading import Read

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 3
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "text@Ana"
        xmin = 0
        xmax = 3
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 2
            text = "kuno ""ti"" 5"
        intervals [2]:
            xmin = 2
            xmax = 3
            text = ""
    item [2]:
        class = "IntervalTier"
        name = "word"
        xmin = 0
        xmax = 3
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1.5
            text = "kuno"
        intervals [2]:
            xmin = 1.5
            xmax = 2
            text = "ti"
    item [3]:
        class = "TextTier"
        name = "es"
        xmin = 0
        xmax = 3
        points: size = 1
        points [1]:
            number = 2.5
            mark = "río"
"""
SHORT = '"ooTextFile"\n"TextGrid"\n\n0\n3\n<exists>\n1\n"IntervalTier"\n"text"\n0\n3\n1\n0\n2\n"kuño"\n'
CHAT = """@UTF8
@Begin
@Languages:\tqlm
@Participants:\tANA Ana Target_Child
*ANA:\t<kuno> [/] kuno (ti)na &=laughs xxx taba@s:spa +/. \x151500_2750\x15
\tmuna .
%spa:\tel río
\tcorre
%com:\tloud
*BEN:\txxx .
@End
"""
SRT = "1\n00:00:01,000 --> 00:00:02,500\n<i>kuno</i>\nti\n\n2\n00:00:03,000 --> 00:00:04,000\ntaba\n"
VTT = "WEBVTT\n\nintro\n00:01.000 --> 00:02.500\n<v Ana>río &amp; luna\n\n00:09.000 --> 00:10.000\n\n"
TREE = """# newdoc id = d1
# sent_id = s1
# text = Kunota ti.
# text_spa = Los ríos.
1-2\tKunota\t_\t_\t_\t_\t_\t_\t_\tMSeg=kuno-ta|MGloss=river-PL
1\tKuno\tkuno\tNOUN\t_\t_\t0\troot\t_\t_
2\tta\tta\tPART\t_\t_\t1\tdep\t_\t_
3\tti\tti\tADV\t_\t_\t1\tadv\t_\tMGloss=here|SpaceAfter=No
4\t.\t.\tPUNCT\t_\t_\t1\tpunct\t_\t_

1\tTaba\t_\tVERB\t_\t_\t0\troot\t_\tSpaceAfter=No
2\t!\t_\tPUNCT\t_\t_\t1\tpunct\t_\t_
broken
"""
XLIFF = """<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
<file source-language="es-PE" target-language="qlm"><body>
<trans-unit id="1"><source>El <g id="1">río</g><ph id="2">code</ph></source><target>Kuno</target></trans-unit>
<trans-unit id="2"><source>Uno. Dos.</source>
<seg-source><mrk mtype="seg" mid="0">Uno.</mrk> <mrk mtype="seg" mid="1">Dos.</mrk></seg-source>
<target><mrk mtype="seg" mid="0">Ti.</mrk> <mrk mtype="seg" mid="1">Ta.</mrk></target></trans-unit>
</body></file></xliff>"""
XLIFF2 = """<xliff version="2.0" srcLang="es" trgLang="qlm"><file id="f"><unit id="u">
<segment id="s"><source>Luna</source><target>Muna</target></segment></unit></file></xliff>"""


def test_textgrids(read: Read) -> None:
    for content in (LONG.encode(), LONG.encode("utf-16"), b"\xef\xbb\xbf" + LONG.encode()):
        found = read({"a.TextGrid": content}, path="a.TextGrid")
        (segment,) = [one for one in found.segments if "qlm" in one.texts]
        assert segment.texts == {"qlm": 'kuno "ti" 5'}
        assert segment.meta.speaker == "Ana"
        assert segment.meta.origin is not None
        assert (segment.meta.origin.line, segment.meta.origin.end) == (18, 2.0)
        assert [one.texts for one in found.segments if one is not segment] == [{"es": "río"}]
    found = read({"a.TextGrid": SHORT.encode("utf-16-be")}, path="a.TextGrid")
    assert found.segments[0].texts == {"qlm": "kuño"}
    found = read({"a.TextGrid": SHORT[:-9].replace("\n1\n0", "\n9e9\n0")}, path="a.TextGrid")
    assert "broken here" in found.rejects[0].reason
    assert "does not begin like a TextGrid" in read({"a.TextGrid": "x"}, path="a.TextGrid").rejects[0].reason


def test_transcripts(read: Read) -> None:
    found = read({"a.cha": CHAT}, path="a.cha")
    (segment,) = found.segments
    assert segment.texts == {"qlm": "kuno kuno tina taba muna.", "es": "el río corre"}
    assert segment.meta.speaker == "ANA"
    assert segment.meta.extra == {"language": "qlm", "%com": "loud"}
    assert segment.meta.origin is not None
    assert (segment.meta.origin.start, segment.meta.origin.end) == (1.5, 2.75)
    assert found.context.reports["a.cha"].details["empty"] == 1
    assert [one.line for one in read({"a.cha": "%x:\ta\n*A:\tkuno\nstray\n"}, path="a.cha").rejects] == [1, 3]


def test_subtitles(read: Read) -> None:
    found = read({"film.qlm.srt": SRT, "film.es.vtt": VTT}, path="film.{lang}.*")
    assert [one.texts for one in found.segments] == [{"es": "río & luna"}, {"qlm": "kuno ti"}, {"qlm": "taba"}]
    found = read({"film.qlm.srt": SRT, "film.es.srt": VTT}, path="film.{lang}.srt")
    assert [one.texts for one in found.segments] == [{"qlm": "kuno ti", "es": "río & luna"}, {"qlm": "taba"}]
    assert "a cue without text" in [one.reason for one in found.rejects]


def test_treebanks(read: Read) -> None:
    found = read({"a.conllu": TREE}, path="a.conllu")
    first, second = found.segments
    assert first.texts == {"qlm": "Kunota ti.", "es": "Los ríos."}
    assert (first.id, first.meta.doc_id) == ("src:a:s1", "src:a:d1")
    assert [(one.form, one.morphemes, one.glosses) for one in first.gloss or ()] == [
        ("Kunota", ("kuno", "ta"), ("river", "PL")),
        ("ti", (), ("here",)),
        (".", (), ()),
    ]
    assert second.texts == {"qlm": "Taba!"}
    assert [one.line for one in found.rejects] == [13]


def test_files_of_translators(read: Read) -> None:
    found = read({"a.xlf": XLIFF}, path="a.xlf")
    assert [one.texts for one in found.segments] == [
        {"es": "El río", "qlm": "Kuno"},
        {"es": "Uno.", "qlm": "Ti."},
        {"es": "Dos.", "qlm": "Ta."},
    ]
    assert read({"a.xliff": XLIFF2}, path="a.xliff").segments[0].texts == {"es": "Luna", "qlm": "Muna"}
    assert "no units" in read({"a.xlf": "<xliff/>"}, path="a.xlf").rejects[0].reason


def word_document(*tables: list[list[str]]) -> bytes:
    def cell(text: str) -> str:
        return f"<w:tc><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"

    rows = ("".join(f"<w:tr>{''.join(map(cell, row))}</w:tr>" for row in table) for table in tables)
    body = "".join(f"<w:tbl>{inside}</w:tbl>" for inside in rows)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        text = f'<w:document xmlns:w="{name}"><w:body><w:p/>{body}</w:body></w:document>'
        archive.writestr("word/document.xml", text)
    return stream.getvalue()


def test_tables_in_word_documents(read: Read) -> None:
    content = word_document(
        [["qlm", "es"], ["kuno", "río"], ["taba"]], [["other"], ["x"]], [["qlm", "es"], ["ti", "sí"]]
    )
    found = read({"a.docx": content}, path="a.docx")
    assert [one.texts for one in found.segments] == [
        {"qlm": "kuno", "es": "río"},
        {"qlm": "taba"},
        {"qlm": "ti", "es": "sí"},
    ]
    assert "1 of its 3 tables" in found.warnings
    assert "no table in the document" in read({"a.docx": word_document()}, path="a.docx").failures[0].message
    assert "damaged" in read({"a.docx": content[:-30]}, path="a.docx").failures[0].message
