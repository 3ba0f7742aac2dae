"""What a field worker brings, of the invented language of :mod:`tests.small_project`: FLEx, ELAN and Toolbox files."""

from __future__ import annotations

import random
from pathlib import Path
from xml.sax.saxutils import escape

from tests.small_project import ACTS, PEOPLE, THINGS, WHEN

Sentence = tuple[list[tuple[str, str]], str]
"""Words with their glosses (parts joined by hyphens), and the translation."""
SESSIONS, TURNS = 12, 14
"""Recordings, and sentences in each; of the last one the translations are still to be made."""


def sentence(rng: random.Random) -> Sentence:
    """A sentence of who, what (with the suffix of objects), and what is done."""
    who, what, act, when = (rng.choice(list(words.items())) for words in (PEOPLE, THINGS, ACTS, WHEN))
    glossed = [when] if when[0] else []
    glossed += [who, (f"{what[0]}-na", f"{what[1]}-OBJ"), act]
    said = " ".join(filter(None, (when[1], who[1], act[1], what[1])))
    return [(form, gloss.replace("el ", "").replace("la ", "")) for form, gloss in glossed], f"{said.capitalize()}."


def text_of(one: Sentence) -> str:
    """A sentence as it is written."""
    return f"{' '.join(form.replace('-', '') for form, _ in one[0]).capitalize()}."


def write_materials(folder: Path, seed: int = 3) -> None:
    """Write ``flex/tales.flextext``, ``elan/session*.eaf`` and ``toolbox/dictionary.db``."""
    rng = random.Random(seed)
    files = {"flex/tales.flextext": _flextext([sentence(rng) for _ in range(60)])}
    for number in range(1, SESSIONS + 1):
        turns = [sentence(rng) for _ in range(TURNS)]
        files[f"elan/session{number:02}.eaf"] = _eaf(turns, f"Ana{number % 3}", translated=number < SESSIONS)
    files["toolbox/dictionary.db"] = _toolbox()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")


def _item(kind: str, lang: str, text: str) -> str:
    return f'<item type="{kind}" lang="{lang}">{escape(text)}</item>'


def _flextext(found: list[Sentence]) -> str:
    phrases = []
    for number, (words, translation) in enumerate(found, start=1):
        made = ""
        for form, gloss in words:
            pairs = zip(form.split("-"), gloss.split("-"), strict=True)
            morphs = [
                f"<morph>{_item('txt', 'qsm', f'-{part}' if place else part)}"
                f"{_item('gls', 'es', f'-{means}' if place else means)}</morph>"
                for place, (part, means) in enumerate(pairs)
            ]
            made += f"<word>{_item('txt', 'qsm', form.replace('-', ''))}<morphemes>{''.join(morphs)}</morphemes></word>"
        made += f"<word>{_item('punct', 'qsm', '.')}</word>"
        phrases.append(
            f'<phrase guid="p{number}">{_item("segnum", "es", str(number))}<words>{made}</words>'
            f"{_item('gls', 'es', translation)}</phrase>"
        )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<document version="2"><interlinear-text guid="t1">'
        f"{_item('title', 'es', 'Los cuentos')}<paragraphs><paragraph><phrases>\n{chr(10).join(phrases)}\n"
        "</phrases></paragraph></paragraphs></interlinear-text></document>\n"
    )


def _eaf(turns: list[Sentence], speaker: str, *, translated: bool) -> str:
    slots = "".join(
        f'<TIME_SLOT TIME_SLOT_ID="ts{place}" TIME_VALUE="{place * 1_500}"/>' for place in range(len(turns) + 1)
    )
    said, meant = "", ""
    for place, turn in enumerate(turns):
        said += (
            f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{place}" TIME_SLOT_REF1="ts{place}" '
            f'TIME_SLOT_REF2="ts{place + 1}"><ANNOTATION_VALUE>{escape(text_of(turn))}</ANNOTATION_VALUE>'
            "</ALIGNABLE_ANNOTATION></ANNOTATION>\n"
        )
        if translated:
            meant += (
                f'<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="b{place}" ANNOTATION_REF="a{place}">'
                f"<ANNOTATION_VALUE>{escape(turn[1])}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>\n"
            )
    free = f'<TIER LINGUISTIC_TYPE_REF="free" TIER_ID="ft@{speaker}" PARENT_REF="tx@{speaker}" DEFAULT_LOCALE="es">\n'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0">\n'
        '<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>\n'
        f"<TIME_ORDER>{slots}</TIME_ORDER>\n"
        f'<TIER LINGUISTIC_TYPE_REF="utterance" TIER_ID="tx@{speaker}" PARTICIPANT="{speaker}">\n{said}</TIER>\n'
        f"{free}{meant}</TIER>\n"
        '<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="utterance" TIME_ALIGNABLE="true" GRAPHIC_REFERENCES="false"/>\n'
        '<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="free" CONSTRAINTS="Symbolic_Association" TIME_ALIGNABLE="false" '
        'GRAPHIC_REFERENCES="false"/>\n'
        '<LOCALE LANGUAGE_CODE="es"/>\n'
        '<CONSTRAINT DESCRIPTION="1-1 association with a parent annotation" STEREOTYPE="Symbolic_Association"/>\n'
        "</ANNOTATION_DOCUMENT>\n"
    )


def _toolbox() -> str:
    entries = ["\\_sh v3.0  400  MDF 4.0\n"]
    for kind, words in (("n", PEOPLE), ("n", THINGS), ("v", ACTS), ("adv", WHEN)):
        for word, meaning in words.items():
            if word:
                gloss = meaning.replace("el ", "").replace("la ", "")
                entries.append(f"\\lx {word}\n\\ps {kind}\n\\gn {gloss}\n\\de {meaning}\n")
    entries.append("\\lx -na\n\\ps suf\n\\gn OBJ\n")
    return "\n".join(entries)
