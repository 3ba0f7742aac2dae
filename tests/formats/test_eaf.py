from __future__ import annotations

from collections.abc import Sequence

from tests.reading import Read

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"><MEDIA_DESCRIPTOR MEDIA_URL="file:///home/me/river.wav"/></HEADER>
"""
TYPES = """<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="utterance" TIME_ALIGNABLE="true"/>
<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="words" CONSTRAINTS="Time_Subdivision" TIME_ALIGNABLE="true"/>
<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="parts" CONSTRAINTS="Symbolic_Subdivision" TIME_ALIGNABLE="false"/>
<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="note" CONSTRAINTS="Symbolic_Association" TIME_ALIGNABLE="false"/>
</ANNOTATION_DOCUMENT>
"""


def tier(name: str, kind: str, *annotations: str, parent: str = "", more: str = "") -> str:
    more += f' PARENT_REF="{parent}"' if parent else ""
    inside = "".join(f"<ANNOTATION>{one}</ANNOTATION>\n" for one in annotations)
    return f'<TIER LINGUISTIC_TYPE_REF="{kind}" TIER_ID="{name}"{more}>\n{inside}</TIER>\n'


def timed(key: str, start: str, end: str, text: str) -> str:
    value = f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE>"
    ids = f'ANNOTATION_ID="{key}" TIME_SLOT_REF1="{start}" TIME_SLOT_REF2="{end}"'
    return f"<ALIGNABLE_ANNOTATION {ids}>{value}</ALIGNABLE_ANNOTATION>"


def below(key: str, parent: str, text: str, previous: str = "") -> str:
    before = f' PREVIOUS_ANNOTATION="{previous}"' if previous else ""
    value = f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE>"
    return f'<REF_ANNOTATION ANNOTATION_ID="{key}" ANNOTATION_REF="{parent}"{before}>{value}</REF_ANNOTATION>'


def slots(*values: int | None) -> str:
    shown = (
        f'<TIME_SLOT TIME_SLOT_ID="ts{number}"' + (f' TIME_VALUE="{value}"/>' if value is not None else "/>")
        for number, value in enumerate(values, start=1)
    )
    return f"<TIME_ORDER>{''.join(shown)}</TIME_ORDER>\n"


def document(times: Sequence[int | None], *tiers: str) -> str:
    return HEAD + slots(*times) + "".join(tiers) + TYPES


SPOKEN = document(
    (0, None, 2000, 2500, 4000),
    tier(
        "tx@Ana",
        "utterance",
        timed("a1", "ts1", "ts3", "Kunota ti."),
        timed("a2", "ts4", "ts5", "Taba."),
        more=' PARTICIPANT="Ana"',
    ),
    tier("wd@Ana", "words", timed("a3", "ts1", "ts2", "Kunota"), timed("a4", "ts2", "ts3", "ti"), parent="tx@Ana"),
    tier(
        "ge@Ana",
        "note",
        below("a7", "a6", "PL"),
        below("a8", "a5", "river"),
        below("a9", "a4", "here"),
        parent="mb@Ana",
    ),
    tier("mb@Ana", "parts", below("a6", "a3", "-ta", previous="a5"), below("a5", "a3", "kuno"), parent="wd@Ana"),
    tier("ft@Ana", "note", below("a10", "a1", "Los ríos aquí."), parent="tx@Ana"),
    tier("remark", "note", below("a11", "a1", "laughs"), parent="tx@Ana"),
)


def test_words_morphemes_glosses_and_translation(read: Read) -> None:
    found = read({"river.eaf": SPOKEN}, path="river.eaf")
    first, second = found.segments
    assert first.texts == {"qlm": "Kunota ti.", "es": "Los ríos aquí."}
    assert [(word.form, word.morphemes, word.glosses) for word in first.gloss or ()] == [
        ("Kunota", ("kuno", "ta"), ("river", "PL")),  # in the order that PREVIOUS_ANNOTATION gives
        ("ti", (), ("here",)),
    ]
    assert (first.id, first.meta.speaker, first.meta.extra["remark"]) == ("src:river:a1", "Ana", "laughs")
    assert first.meta.origin is not None
    assert (first.meta.origin.start, first.meta.origin.end) == (0.0, 2.0)
    assert first.meta.extra["recording"] == "river.wav"  # without the place on somebody's disk
    assert second.texts == {"qlm": "Taba."}
    assert not found.rejects
    assert found.context.reports["river.eaf"].details["not_understood"] == {"remark": 1}
    assert "es: [ft@Ana]" in found.warnings


def test_the_configuration_wins(read: Read) -> None:
    tiers = {"qlm": ["utterance"], "es": "re*", "gloss.words": "wd@*"}
    found = read({"river.eaf": SPOKEN}, path="river.eaf", tiers=tiers)
    assert found.segments[0].texts == {"qlm": "Kunota ti.", "es": "laughs"}
    assert found.segments[0].meta.extra["ft@Ana"] == "Los ríos aquí."
    (failure,) = read({"river.eaf": SPOKEN}, path="river.eaf", tiers={"qlm": "none"}).failures
    assert "none of its tiers fills a field" in failure.message
    assert "tx@Ana (2)" in str(failure.hint)


def test_slots_without_a_value_are_spread_evenly(read: Read) -> None:
    text = document(
        (0, None, None, 3000),
        tier("tx", "utterance", *(timed(f"a{n}", f"ts{n}", f"ts{n + 1}", "taba") for n in (1, 2, 3))),
    )
    spans = [one.meta.origin for one in read({"a.eaf": text}, path="a.eaf").segments]
    assert [(span.start, span.end) for span in spans if span] == [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]


def test_an_association_below_a_time_subdivision(read: Read) -> None:
    text = document(
        (0, 1000, 2000),
        tier("K-Spch", "utterance", timed("a1", "ts1", "ts3", "kuno taba")),
        tier("K-Words", "words", timed("a2", "ts1", "ts2", "kuno"), timed("a3", "ts2", "ts3", "taba"), parent="K-Spch"),
        tier("K-Gloss", "note", below("a4", "a3", "run"), below("a5", "a2", "river"), parent="K-Words"),
    )
    (segment,) = read({"a.eaf": text}, path="a.eaf").segments
    assert [word.glosses for word in segment.gloss or ()] == [("river",), ("run",)]


def test_independent_tiers_of_the_same_times_are_one_unit(read: Read) -> None:
    text = document(
        (0, 1000),
        tier("tx", "utterance", timed("a1", "ts1", "ts2", "kuno")),
        tier("free translation", "utterance", timed("a2", "ts1", "ts2", "río")),
    )
    (segment,) = read({"a.eaf": text}, path="a.eaf").segments
    assert segment.texts == {"qlm": "kuno", "es": "río"}


def test_what_belongs_nowhere_is_rejected(read: Read) -> None:
    text = document(
        (0, 1000),
        tier("tx", "utterance", timed("a1", "ts1", "ts2", "kuno"), timed("a0", "ts1", "ts2", "")),
        tier("ft", "note", below("a2", "a99", "río"), below("a3", "a4", "x"), below("a4", "a3", "y"), parent="tx"),
    )
    found = read({"a.eaf": text}, path="a.eaf")
    assert [one.texts for one in found.segments] == [{"qlm": "kuno"}]
    assert [(one.line, one.content) for one in found.rejects] == [(10, "río"), (11, "x"), (12, "y")]
    assert found.context.reports["a.eaf"].details["empty"] == 1


def test_a_file_that_breaks_off_or_declares_entities(read: Read) -> None:
    found = read({"a.eaf": SPOKEN[: SPOKEN.index("a5") + 200]}, path="a.eaf")
    assert [one.texts["qlm"] for one in found.segments] == ["Kunota ti.", "Taba."]
    assert "the rest of the file is not read" in found.rejects[0].reason
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">]><x>&a;</x>'
    found = read({"a.eaf": bomb}, path="a.eaf")
    assert "the XML is broken" in found.rejects[0].reason
    assert found.failures
    assert "there are no tiers" in read({"a.eaf": "<x/>"}, path="a.eaf").rejects[0].reason
    found = read({"a.pfsx": "<x/>"}, path="a.pfsx")
    assert not found.rejects
    assert "preferences of ELAN" in found.warnings


def test_a_session_beside_a_recording_tells_about_it(read: Read) -> None:
    session = "<Session><genre>narrative</genre><participants>Ana</participants><access>{}</access></Session>"
    files = {"s/a.eaf": SPOKEN, "s/s.session": session.format("Open"), "s/Ana_Consent.wav": "x"}
    segment = read(files, path="s/a.eaf", access="community").segments[0]
    assert (segment.meta.genre, segment.meta.access) == ("narrative", "community")
    assert segment.meta.extra["session.consent"] == "Ana_Consent.wav"
    files["s/s.session"] = session.format("U")
    segment = read(files, path="s/a.eaf", access="public").segments[0]
    assert (segment.meta.access, segment.meta.extra["session.access"]) == ("restricted", "U")
    found = read(files, path="s/*.session")
    assert not found.rejects
    assert not found.segments
