"""The task ``explain``: what each word of a glossed sentence is made of, in plain words.

Made from the glosses alone: parts, meanings, and grammatical labels spelled out as the Leipzig glossing rules list them
(Comrie, Haspelmath and Bickel 2015, appendix: list of standard abbreviations). Where the dictionary says what a word
comes from, that stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import regex

from seshat.config import Direction
from seshat.core.records import Entry, GlossedWord

_ENGLISH = """
1 first person; 2 second person; 3 third person; A agent; ABL ablative; ABS absolutive; ACC accusative; ADJ adjective;
ADV adverbial; AGR agreement; ALL allative; ANTIP antipassive; APPL applicative; ART article; AUX auxiliary; BEN
benefactive; CAUS causative; CLF classifier; COM comitative; COMP complementiser; COMPL completive; COND conditional;
COP copula; CVB converb; DAT dative; DECL declarative; DEF definite; DEM demonstrative; DET determiner; DIST distal;
DISTR distributive; DU dual; DUR durative; ERG ergative; EXCL exclusive; F feminine; FOC focus; FUT future; GEN
genitive; IMP imperative; INCL inclusive; IND indicative; INDF indefinite; INF infinitive; INS instrumental; INTR
intransitive; IPFV imperfective; IRR irrealis; LOC locative; M masculine; N neuter; NEG negation; NMLZ nominaliser;
NOM nominative; OBJ object; OBL oblique; PASS passive; PFV perfective; PL plural; POSS possessive; PRED predicative;
PRF perfect; PRS present; PROG progressive; PROH prohibitive; PROX proximal; PST past; PTCP participle; PURP
purposive; Q question; QUOT quotative; RECP reciprocal; REFL reflexive; REL relative; RES resultative; SBJ subject;
SBJV subjunctive; SG singular; TOP topic; TR transitive; VOC vocative
"""
_SPANISH = """
1 primera persona; 2 segunda persona; 3 tercera persona; A agente; ABL ablativo; ABS absolutivo; ACC acusativo; ADJ
adjetivo; ADV adverbial; AGR concordancia; ALL alativo; ANTIP antipasivo; APPL aplicativo; ART artículo; AUX auxiliar;
BEN benefactivo; CAUS causativo; CLF clasificador; COM comitativo; COMP complementante; COMPL completivo; COND
condicional; COP cópula; CVB converbo; DAT dativo; DECL declarativo; DEF definido; DEM demostrativo; DET determinante;
DIST distal; DISTR distributivo; DU dual; DUR durativo; ERG ergativo; EXCL exclusivo; F femenino; FOC foco; FUT
futuro; GEN genitivo; IMP imperativo; INCL inclusivo; IND indicativo; INDF indefinido; INF infinitivo; INS
instrumental; INTR intransitivo; IPFV imperfectivo; IRR irrealis; LOC locativo; M masculino; N neutro; NEG negación;
NMLZ nominalizador; NOM nominativo; OBJ objeto; OBL oblicuo; PASS pasivo; PFV perfectivo; PL plural; POSS posesivo;
PRED predicativo; PRF perfecto; PRS presente; PROG progresivo; PROH prohibitivo; PROX proximal; PST pasado; PTCP
participio; PURP finalidad; Q interrogativo; QUOT citativo; RECP recíproco; REFL reflexivo; REL relativo; RES
resultativo; SBJ sujeto; SBJV subjuntivo; SG singular; TOP tópico; TR transitivo; VOC vocativo
"""


def _table(listed: str) -> dict[str, str]:
    pairs = (one.split(None, 1) for one in listed.replace("\n", " ").split(";"))
    return {label: words.strip() for label, words in pairs}


_LABELS = {"en": _table(_ENGLISH), "es": _table(_SPANISH)}
_FROM = {"es": "de"}
_LABEL = regex.compile(r"[A-Z0-9]+(?:[.:>/]?[A-Z0-9]+)*")
_PARTS = regex.compile(r"[.:>/]|(?<=[123])(?=[A-Z])")
_ETYMOLOGY = ("etymology", "et", "borrowed", "bw")
"""Columns and markers (MDF) that say what a word comes from."""


def spelled(gloss: str, pivot: str) -> str:
    """A gloss in plain words: a label spelled out in brackets, a meaning between quotation marks.

    Args:
        gloss: such as ``PL``, ``3SG`` or ``river``.
        pivot: the language to say it in; labels of others than English and Spanish are told in English.
    """
    if not _LABEL.fullmatch(gloss):
        return f"“{gloss.replace('.', ' ')}”"
    known = _LABELS.get(pivot, _LABELS["en"])
    return f"({' '.join(known.get(part, part) for part in _PARTS.split(gloss))})"


def explained(word: GlossedWord, pivot: str, origins: Mapping[str, str]) -> str:
    """One word: ``kunota = kuno “river” + -ta (plural)``; the word alone where it has no gloss."""
    if not word.glosses:
        return word.form
    parts = word.morphemes or (word.form,)
    made = []
    for place, (part, gloss) in enumerate(zip(parts, word.glosses, strict=False)):
        shown = f"-{part}" if place and part[0] not in "=~" else part
        origin = origins.get(part.casefold())
        said = f"{shown} {spelled(gloss.lstrip('=~'), pivot)}"
        made.append(f"{said} [{_FROM.get(pivot, 'from')} {origin}]" if origin else said)
    return f"{word.form} = {' + '.join(made)}"


def etymologies(entries: Iterable[Entry]) -> dict[str, str]:
    """What words come from, by headword in small letters, where the dictionary says so."""
    found: dict[str, str] = {}
    for entry in entries:
        told = next((entry.meta.extra[name] for name in _ETYMOLOGY if entry.meta.extra.get(name)), None)
        if told:
            found.setdefault(entry.headword.strip("-= ").casefold(), told.strip())
    return found


def answer(gloss: Iterable[GlossedWord], languages: Direction, origins: Mapping[str, str]) -> str:
    """A line for each word of a sentence; marks between words are none."""
    said = (word for word in gloss if any(map(str.isalnum, word.form)))
    return "\n".join(explained(word, languages.target, origins) for word in said)
