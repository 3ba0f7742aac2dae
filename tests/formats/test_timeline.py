"""Tiers of texts with times: what ELAN and Praat files hold afterwards, and that nothing else has changed."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from tests.formats.test_annotate import ORDER, additions
from tests.formats.test_eaf import HEAD, SPOKEN
from tests.reading import read_files

from seshat.core.errors import DataError
from seshat.formats.encoding import Encoding
from seshat.formats.timeline import into_eaf, into_textgrid, new_eaf

TEXTS = [(0.5, 1.25, 'Él dijo: "sí" & <no>'), (2.25, 2.4, "Aquí."), (5.0, 6.0, "Fin.")]
UTF8 = Encoding("utf-8", "valid UTF-8")
LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 6.5
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "qlm@Ana"
        xmin = 0
        xmax = 6.5
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 6.5
            text = "Kuno ""ta""."
"""
SHORT = '"ooTextFile"\n"TextGrid"\n0\n6.5\n<exists>\n1\n"IntervalTier"\n"qlm@Ana"\n0\n6.5\n1\n0\n6.5\n"Kuno"\n'


def accepted(raw: Path, name: str, content: bytes) -> list[tuple[float | None, float | None, str]]:
    """The texts as the reader of the file gives them, when somebody has accepted all."""
    found = read_files(raw, {name: content.decode().replace("?? ", "")}, path=name)
    assert not found.failures
    return [
        (one.meta.origin.start, one.meta.origin.end, one.texts["es"])
        for one in found.segments
        if one.meta.origin and "es" in one.texts
    ]


def times(content: bytes) -> list[int]:
    return [int(one) for one in re.findall(r'TIME_VALUE="(\d+)"', content.decode())]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_tier_in_a_copy_of_an_elan_file(tmp_path: Path, newline: str) -> None:
    before = SPOKEN.replace("<TIME_SLOT ", "\n<TIME_SLOT ").replace("</TIME_ORDER>", "\n</TIME_ORDER>")
    before = before.replace("\n", newline)
    made = into_eaf(before.encode(), "es", TEXTS)
    assert additions(before.encode(), made)
    assert times(made) == sorted(times(made))
    order = [one.tag for one in Xml.fromstring(made)]
    assert order == sorted(order, key=ORDER.index)
    found = read_files(tmp_path, {"a.eaf": made.decode()}, path="a.eaf")
    known = read_files(tmp_path, {"a.eaf": before}, path="a.eaf").segments
    assert [one.texts for one in found.segments] == [one.texts for one in known]
    assert accepted(tmp_path, "a.eaf", made) == [(0.0, 2.0, "Los ríos aquí."), *TEXTS]


def test_twice_makes_two_tiers(tmp_path: Path) -> None:
    made = into_eaf(into_eaf(SPOKEN.encode(), "es", TEXTS), "es", TEXTS[:1])
    keys = re.findall(r'(?:ANNOTATION_ID|TIME_SLOT_ID|TIER_ID)="([^"]+)"', made.decode())
    assert len(keys) == len(set(keys))


def test_a_new_elan_file(tmp_path: Path) -> None:
    made = new_eaf("../a & b.wav", "audio/x-wav", "es", TEXTS)
    assert accepted(tmp_path, "new.eaf", made) == TEXTS
    assert read_files(tmp_path, {"new.eaf": made.decode()}, path="new.eaf").segments == []
    assert new_eaf("a.wav", "audio/x-wav", "es", []).count(b"TIME_SLOT") == 0


@pytest.mark.parametrize("before", [LONG, SHORT], ids=["long", "short"])
@pytest.mark.parametrize("coded", ["utf-8", "utf-16-be"])
def test_a_tier_in_a_copy_of_a_textgrid(tmp_path: Path, before: str, coded: str) -> None:
    bom = b"\xfe\xff" if coded == "utf-16-be" else b""
    encoding = Encoding(coded, "byte order mark", bom=len(bom)) if bom else UTF8
    made = into_textgrid(bom + before.encode(coded), encoding, "es", TEXTS)
    text = made[len(bom) :].decode(coded)
    assert accepted(tmp_path, "a.TextGrid", text.encode()) == TEXTS
    own = [one for one in read_files(tmp_path, {"a.TextGrid": text}, path="a.TextGrid").segments if "qlm" in one.texts]
    assert [one.meta.speaker for one in own] == ["Ana"]
    assert text.count("IntervalTier") == 2


@pytest.mark.parametrize("content", [b"", b"<x/>", HEAD.encode(), b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_what_is_no_elan_file(content: bytes) -> None:
    with pytest.raises((DataError, ValueError)):
        into_eaf(content, "es", TEXTS)


def test_what_is_no_textgrid() -> None:
    with pytest.raises(DataError, match="TextGrid"):
        into_textgrid(b"hello", UTF8, "es", TEXTS)
