from __future__ import annotations

from tests.reading import Read

LIFT = """<?xml version="1.0" encoding="UTF-8"?>
<lift producer="x" version="0.13"><header><ranges><range id="r" href="file:///home/me/r"/></ranges></header>
<entry id="kuno_1"><lexical-unit><form lang="x-l"><text>kuno</text></form></lexical-unit>
<trait name="morph-type" value="stem"/>
<variant><form lang="x-l"><text>kunu</text></form><trait name="morph-type" value="stem"/></variant>
<sense id="s1"><grammatical-info value="Noun"/><gloss lang="es"><text>río | arroyo</text></gloss>
<gloss lang="es"><text>agua</text></gloss><gloss lang="fr"><text>rivière</text></gloss>
<definition><form lang="en"><text>a <span>body</span> of water</text></form></definition>
<example><form lang="x-l"><text>Kuno ti.</text></form>
<translation><form lang="es"><text>Hay un río.</text></form></translation></example>
<example><form lang="x-l"><text>Kuno!</text></form></example>
<trait name="semantic-domain-ddp4" value="1.3 Water"/>
<subsense><gloss lang="es"><text>corriente</text></gloss></subsense></sense></entry>
<entry id="ta"><lexical-unit><form lang="x-l"><text>-ta</text></form></lexical-unit>
<trait name="morph-type" value="suffix"/><sense><gloss><text>PL</text></gloss></sense></entry>
<entry id="gone" dateDeleted="2020-01-01"/>
<entry id="empty"><sense><gloss lang="es"><text>nada</text></gloss></sense></entry>
</lift>
"""


def test_entries_senses_and_examples(read: Read) -> None:
    found = read({"d.lift": LIFT}, path="d.lift")
    kuno, suffix = found.entries
    assert (kuno.id, kuno.headword, kuno.forms, kuno.pos, kuno.type) == (
        "src:d:kuno_1",
        "kuno",
        ("kunu",),
        "Noun",
        "word",
    )
    assert kuno.senses[0].glosses == {"es": ("río", "arroyo", "agua"), "en": ("a body of water",)}
    assert [one.texts for one in kuno.senses[0].examples] == [
        {"qlm": "Kuno ti.", "es": "Hay un río."},
        {"qlm": "Kuno!"},
    ]
    assert kuno.senses[1].glosses == {"es": ("corriente",)}
    assert kuno.meta.extra["trait.semantic-domain-ddp4"] == "1.3 Water"
    assert "home" not in kuno.model_dump_json()
    assert (suffix.type, suffix.senses[0].glosses) == ("affix", {"es": ("PL",)})
    assert [one.reason for one in found.rejects] == ["the unit has no headword"]
    assert "gloss.fr (1)" in found.warnings
    assert "entries that their program has deleted, left out: 1" in found.warnings


def test_ranges_hold_no_words(read: Read) -> None:
    text = '<lift-ranges><range id="pos"><range-element id="n"/><range-element id="v"/></range></lift-ranges>'
    found = read({"d.lift-ranges": text}, path="d.lift-ranges")
    assert not found.rejects
    assert found.context.reports["d.lift-ranges"].details["ranges"] == {"pos": 2}


def test_what_is_no_dictionary(read: Read) -> None:
    assert "no entries" in read({"d.lift": "<lift/>"}, path="d.lift").rejects[0].reason
    found = read({"d.lift": LIFT[:-60]}, path="d.lift")
    assert len(found.entries) == 2
    assert "broken" in found.rejects[-1].reason
