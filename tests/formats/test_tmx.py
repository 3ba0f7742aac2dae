from __future__ import annotations

import pytest
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
    assert found.segments[0].texts["qlm"] == "kuno taba"
    assert found.segments[0].meta.extra == {"sub.qlm": "ti"}
    assert "units with inline codes of another program, left out of the text: 1 (first: line 1)" in found.warnings


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('kuno<ph x="1">&lt;br/&gt;</ph>taba', "kuno taba"),
        ("kuno<ph/><ph/>taba", "kuno taba"),
        ("kuno <ph>x</ph>, taba", "kuno , taba"),
        ("kuno<ph>x</ph>, taba", "kuno, taba"),
        ('ku<bpt i="1">&lt;b&gt;</bpt>no<ept i="1">&lt;/b&gt;</ept>', "kuno"),
        ('kuno<it pos="end">&lt;/p&gt;</it>taba', "kuno taba"),
        ('kuno<ph type="fnote">*<sub>See <hi>Gen</hi> 1.</sub></ph> taba.', "kuno taba."),
        ("<![CDATA[kuno </tu> & taba]]>", "kuno </tu> & taba"),
        ("kuno<!-- <tu> no -->taba", "kunotaba"),
        ("kuno & taba &nbsp;&oacute;&amp;&#x41;", "kuno & taba \u00a0ó&A"),
        ("ku\x1eno&#x1E;&#0;&#xD800;\ufeff", "kuno"),
        ("<hi>" * 20_000 + "kuno" + "</hi>" * 20_000, "kuno"),
    ],
)
def test_what_stands_in_a_sentence(read: Read, text: str, wanted: str) -> None:
    found = read({"m.tmx": HEAD + unit(("qlm", text), ("es", "uno")) + TAIL}, path="m.tmx")
    assert found.segments[0].texts == {"qlm": wanted, "es": "uno"}
    assert not found.failures


def test_the_exact_language_is_preferred_to_its_variants(read: Read) -> None:
    body = unit(("es-AR", "vos"), ("es", "tú"), ("qlm", "mi")) + unit(("es", "tú"), ("es-AR", "vos"), ("qlm", "mi"))
    body += unit(("es-AR", "vos"), ("es-MX", "usted"), ("qlm", "mi"))
    found = read({"m.tmx": HEAD + body + TAIL}, path="m.tmx")
    assert [one.texts["es"] for one in found.segments] == ["tú", "tú", "vos"]
    assert "units with a second text in es; that in 'es' was taken: 1 (first: line 1)" in found.warnings
    assert "units with a second text in es; the first was taken: 2 (first: line 2)" in found.warnings


GOOD = unit(("qlm", "ti"), ("es", "tres"))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (unit(("qlm", "ku</seg>no"), ("es", "uno")), "the XML is broken"),
        (unit(("qlm", "&whatever;"), ("es", "uno")), "an entity is not expanded"),
        ('<tu><tuv xml:lang="qlm"><seg>kuno</seg></tuv>\n', "it has no end"),
        ("<t" + GOOD[3:], "outside of units"),
        (GOOD[:-6], "it has no end"),
        (GOOD.replace("</seg>", "<seg>", 1), "the XML is broken"),
    ],
)
def test_what_is_broken_costs_one_unit(read: Read, bad: str, reason: str) -> None:
    for text in (HEAD + GOOD + bad + GOOD + GOOD + TAIL, HEAD + bad + GOOD * 3 + TAIL):
        found = read({"m.tmx": text}, path="m.tmx")
        assert len(found.segments) == 3
        assert [reason in one.reason for one in found.rejects] == [True]
        assert not found.failures
        assert len({one.id for one in found.segments}) == 3


def test_a_broken_declaration_hides_no_units(read: Read) -> None:
    found = read({"m.tmx": HEAD.replace("?>", "?<!-->") + GOOD + "<?x?>" + GOOD + TAIL}, path="m.tmx")
    assert len(found.segments) == 2


def test_two_files_put_together(read: Read) -> None:
    found = read({"m.tmx": (HEAD + GOOD + TAIL) * 2}, path="m.tmx")
    assert [one.id for one in found.segments] == ["src:m:1", "src:m:2"]
    assert not found.rejects


def test_a_truncated_file_keeps_what_stands_before_and_is_an_error(read: Read) -> None:
    text = HEAD + "".join(unit(("qlm", f"kuno {n}"), ("es", f"uno {n}")) for n in range(200))
    for end, kept in ((-30, 199), (None, 200)):
        found = read({"m.tmx": text[:end]}, path="m.tmx")
        assert len(found.segments) == kept
        assert [reject.line for reject in found.rejects] == [200]
        assert "breaks off after unit 200" in found.failures[0].message


def test_entities_neither_grow_nor_read_files(read: Read) -> None:
    entities = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(8)
    )
    good = unit(("qlm", "k&x;o"), ("es", "uno"))
    for declared in (entities, '<!ENTITY i SYSTEM "file:///etc/hostname">'):
        bomb = (
            f"<!DOCTYPE tmx [{declared}<!ENTITY x '&#xF1;'>]><tmx><body>{unit(('qlm', '&i;'), ('es', 'x'))}{good}{TAIL}"
        )
        found = read({"m.tmx": bomb}, path="m.tmx")
        assert [one.texts["qlm"] for one in found.segments] == ["kño"]
        assert "an entity is not expanded, which can be an attack" in found.rejects[0].reason


def test_what_is_no_memory(read: Read) -> None:
    for text in ("<html/>", "kuno"):
        found = read({"m.tmx": text}, path="m.tmx")
        assert "no <body>" in found.rejects[0].reason
        assert "nothing of this file could be read" in found.failures[0].message
    assert read({"m.tmx": b""}, path="m.tmx").rejects[0].reason == "the file is empty"


def test_encodings(read: Read) -> None:
    body = unit(("qlm", "kuño"), ("es", "uno")) + TAIL
    for declared in ("UTF-8", "UTF-16", "ISO-8859-1", "utf-99"):
        text = HEAD.replace("UTF-8", declared) + body
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le"):
            found = read({"m.tmx": text.encode(encoding)}, path="m.tmx")
            assert [one.texts["qlm"] for one in found.segments] == ["kuño"], (declared, encoding)
            is_said = declared.casefold() != encoding.removesuffix("-sig").removesuffix("-le")
            assert (f"the XML says that it is {declared}" in found.warnings) is is_said, (declared, encoding)
    latin = (HEAD.replace("UTF-8", "ISO-8859-1") + body).encode("latin-1")
    assert read({"m.tmx": latin}, path="m.tmx").segments[0].texts["qlm"] == "kuño"
    wrong = (HEAD + body).encode("latin-1")
    assert read({"m.tmx": wrong}, path="m.tmx", encoding="latin-1").segments[0].texts["qlm"] == "kuño"


def test_bytes_that_are_no_characters_cost_their_unit(read: Read) -> None:
    text = (HEAD + unit(("qlm", "kuño"), ("es", "uno")) * 20 + TAIL).encode()
    place = text.index("ñ".encode())
    found = read({"m.tmx": text[:place] + b"\xff" + text[place + 2 :]}, path="m.tmx")
    assert (len(found.segments), len(found.rejects)) == (19, 1)
    assert "cannot be decoded as utf-8" in found.rejects[0].reason


def test_a_unit_that_is_too_long(read: Read) -> None:
    body = unit(("qlm", "x" * 3000), ("es", "uno")) + unit(("qlm", "kuno"), ("es", "uno"))
    found = read({"m.tmx": HEAD + body + TAIL}, path="m.tmx", ingest={"max_line_bytes": 1000})
    assert len(found.segments) == 1
    assert len(found.rejects[0].content) == 500
