from __future__ import annotations

from tests.reading import Read

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4">\n'
HEAD += "<header/>\n<body>\n"
TAIL = "</body></tmx>\n"


def unit(*texts: tuple[str, str], attributes: str = "", attribute: str = "xml:lang") -> str:
    variants = "".join(f'<tuv {attribute}="{code}"><seg>{text}</seg></tuv>' for code, text in texts)
    return f"<tu{attributes}>{variants}</tu>\n"


def test_units_codes_and_regions(read: Read) -> None:
    body = unit(("qlm", "kuno"), ("es-ES", "uno &amp; uno"), attributes=' tuid="7"')
    body += unit(("LUM", "taba"), ("es", "dos"), attribute="lang")
    body += unit(("qlm", "ti"), ("fr", "trois"))
    body += unit(("qlm", " "), ("es", "cuatro"))
    found = read({"m.tmx": HEAD + body + TAIL}, path="m.tmx", languages={"lum": "qlm"}, document="line")
    assert [one.texts for one in found.segments] == [{"qlm": "kuno", "es": "uno & uno"}, {"qlm": "taba", "es": "dos"}]
    assert [one.id for one in found.segments] == ["src:m:1", "src:m:2"]
    assert found.segments[0].meta.extra == {"tuid": "7"}
    assert [(reject.line, reject.reason, reject.content) for reject in found.rejects] == [
        (3, "unit 3 has text only in qlm", "qlm: ti"),
        (4, "unit 4 has text only in es", "es: cuatro"),
    ]
    assert "texts in 'fr', which is no language of the project, left out: 1" in found.warnings


def test_inline_tags(read: Read) -> None:
    text = 'ku<hi>no</hi> <bpt i="1">&lt;b&gt;</bpt>taba<ept i="1">&lt;/b&gt;</ept> <ph>x<sub>ti</sub></ph>'
    found = read({"m.tmx": HEAD + unit(("qlm", text), ("es", "uno")) + TAIL}, path="m.tmx")
    assert found.segments[0].texts["qlm"] == "kuno taba ti"
    assert "units with inline codes of another program, left out of the text: 1 (first: line 1)" in found.warnings


def test_a_truncated_file_keeps_what_stands_before(read: Read) -> None:
    text = HEAD + "".join(unit(("qlm", f"kuno {n}"), ("es", f"uno {n}")) for n in range(200))
    found = read({"m.tmx": text[:-30]}, path="m.tmx")
    assert len(found.segments) == 199
    (reject,) = found.rejects
    assert reject.line == 205
    assert "the rest of the file is not read" in reject.reason
    assert "the XML is broken here" in found.warnings
    assert not found.failures


def test_an_xml_bomb_is_refused(read: Read) -> None:
    entities = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(8)
    )
    bomb = f'<?xml version="1.0"?><!DOCTYPE tmx [{entities}]><tmx><body>{unit(("qlm", "&i;"), ("es", "x"))}{TAIL}'
    found = read({"m.tmx": bomb}, path="m.tmx")
    assert not found.segments
    assert "declares XML entities" in found.rejects[0].reason
    stolen = '<!DOCTYPE tmx [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    found = read({"m.tmx": f"{stolen}<tmx><body>{unit(('qlm', '&x;'), ('es', 'x'))}{TAIL}"}, path="m.tmx")
    assert not found.segments
    assert "declares XML entities" in found.rejects[0].reason


def test_what_is_no_memory(read: Read) -> None:
    assert "no <body>" in read({"m.tmx": "<html/>"}, path="m.tmx").rejects[0].reason
    assert "broken" in read({"m.tmx": "kuno"}, path="m.tmx").rejects[0].reason
    assert read({"m.tmx": b""}, path="m.tmx").rejects[0].reason == "the file is empty"


def test_encodings(read: Read) -> None:
    text = HEAD.replace("UTF-8", "UTF-16") + unit(("qlm", "kuño"), ("es", "uno")) + TAIL
    assert read({"m.tmx": text.encode("utf-16")}, path="m.tmx").segments[0].texts["qlm"] == "kuño"
    wrong = (HEAD + unit(("qlm", "kuño"), ("es", "uno")) + TAIL).encode("latin-1")
    assert "broken" in read({"m.tmx": wrong}, path="m.tmx").rejects[0].reason
    assert read({"m.tmx": wrong}, path="m.tmx", encoding="latin-1").segments[0].texts["qlm"] == "kuño"


def test_a_unit_that_is_too_long(read: Read) -> None:
    body = unit(("qlm", "x" * 3000), ("es", "uno")) + unit(("qlm", "kuno"), ("es", "uno"))
    found = read({"m.tmx": HEAD + body + TAIL}, path="m.tmx", ingest={"max_line_bytes": 1000})
    assert len(found.segments) == 1
    assert len(found.rejects[0].content) == 500
