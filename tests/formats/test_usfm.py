from __future__ import annotations

from tests.reading import Read

OWN = r"""\id GEN a test
\h Genesis
\mt1 Kunota
\c 1
\s Title
\p
\v 1 Kuno \w ti|lemma="ti" strong="H1"\w*\f + \fr 1.1 \ft a note\f* taba.
\q1 Muna
\v 2-3 Taba \nd Sil\nd*.
\r (x)
\c 2
\p
\v 1
"""
OTHER = r"""\id GEN
\c 1
\p
\v 1 El río corre.\x - \xo 1.1 \xt Job 1\x* Luna.
\v 2 Corre
\v 3 Dios.
\v x roto
"""
USX = """<usx version="3.0"><book code="GEN" style="id"/><chapter number="1" style="c"/><para style="s">Title</para>
<para style="p"><verse number="1" style="v"/>Kuno <char style="w">ti</char><note style="f">no</note> taba.</para>
<para style="q1">Muna<verse eid="GEN 1:1"/> <verse number="2-3" style="v"/>Taba Sil.</para></usx>
"""


def test_verses_of_two_languages_are_put_together(read: Read) -> None:
    found = read({"qlm/01GEN.SFM": OWN, "es/GENx.SFM": OTHER}, path="{lang}/*.SFM")
    assert [(one.id, one.texts) for one in found.segments] == [
        ("src:GEN.1:1", {"qlm": "Kuno ti taba. Muna", "es": "El río corre. Luna."}),
        ("src:GEN.1:2-3", {"es": "Corre Dios.", "qlm": "Taba Sil."}),
    ]
    assert [(one.file, one.line, one.reason) for one in found.rejects] == [
        ("es/GENx.SFM", 7, "a verse without a number"),
        ("qlm/01GEN.SFM", 13, "the verse GEN 2:1 is empty"),
    ]


def test_usx_reads_as_usfm_does(read: Read) -> None:
    found = read({"a.usx": USX}, path="a.usx")
    assert [(one.id, one.texts) for one in found.segments] == [
        ("src:GEN.1:1", {"qlm": "Kuno ti taba. Muna"}),
        ("src:GEN.1:2-3", {"qlm": "Taba Sil."}),
    ]
    assert "no verses" in read({"a.usx": "<usx/>"}, path="a.usx").rejects[0].reason
