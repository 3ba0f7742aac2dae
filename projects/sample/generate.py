"""Write the raw files of the sample project: ``python projects/sample/generate.py``.

Everything is drawn from one seed, so the same files come out every time. A file that is right already is left alone.
The files have the faults that real material has: an older spelling in one word list, another apostrophe and double
spaces in one source, decomposed letters in another, a Latin-1 file, and a few rows that cannot be used.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import grammar
from grammar import Lexicon, Sentence, Speaker, Stem

SEED = 7
SPEAKERS = ["Anela", "Boru", "Chimesi", "Dowan", "Erike", "Fanulo"]
STORIES, STORY_LENGTH, RADIO, SCHOOL, EXAM, LEGEND_LENGTH = 32, 48, 600, 400, 300, 110
LEXICON_ONLY = 40
"""Stems that stand in the lexicon and the exam, and in no training sentence."""
AFFIXES = [
    *[(f"-{form}", gloss) for gloss, form in grammar.CASES.items()],
    *[(f"-{form}", gloss) for gloss, form in grammar.TENSES.values()],
    *[(f"-{form}", gloss) for gloss, form in grammar.PERSONS.values() if form],
    (f"-{grammar.PLURAL}", "PL"), (f"-{grammar.NEGATION}", "NEG"), (f"-{grammar.COPULA}", "COP"),
]  # fmt: skip


def reserved(pair: tuple[str, str]) -> bool:
    """Whether two stems meet in the exam only: one pair in five."""
    return zlib.crc32(" ".join(pair).encode()) % 5 == 0


def old_spelling(text: str) -> str:
    """The older way to write ``k``: ``qu`` before e and i, else ``c``."""
    out = ""
    for i, letter in enumerate(text):
        front = text[i + 1 : i + 2].casefold() in ("e", "i")
        new = {"k": "qu" if front else "c", "K": "Qu" if front else "C"}.get(letter, letter)
        out += new
    return out


def table(header: Sequence[str], rows: Iterable[Sequence[object]], delimiter: str = ",") -> str:
    """Rows as CSV text."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def glosses(sentence: Sentence) -> tuple[str, str]:
    """Morphemes and glosses of a sentence, word by word."""
    return (
        " ".join("-".join(word.morphemes) for word in sentence.words),
        " ".join("-".join(word.glosses) for word in sentence.words),
    )


def stories(speaker: Speaker) -> str:
    """Glossed stories, one document each, with some rows that cannot be used."""
    rows: list[list[object]] = []
    for story in range(STORIES):
        who = SPEAKERS[story % len(SPEAKERS)]
        access = "sealed" if story == STORIES - 1 else "public"
        for order in range(STORY_LENGTH):
            made = speaker.sentence()
            row = [f"s{story:02}-{order:02}", f"story-{story:02}", order, who, access]
            rows.append([*row, made.lumeko_text, made.spanish_text, *glosses(made)])
    bad = [rows[60].copy() for _ in range(6)]
    bad[0][0], bad[0][6] = "bad-empty", ""
    bad[1] = bad[1][:4]  # too few columns
    bad[2][6] = "Otra traducción con el mismo número."  # an id that is taken
    bad[3][0], bad[3][5] = "bad-copied", bad[3][6]
    bad[4][0], bad[4][5], bad[4][6] = "bad-swapped", bad[4][6], bad[4][5]
    bad[5][0], bad[5][5] = "bad-long", " ".join([str(bad[5][5])] * 60)
    for position, row in zip((100, 200, 300, 400, 500, 600), bad, strict=True):
        rows.insert(position, row)
    header = ["id", "story", "order", "speaker", "access", "lumeko", "spanish", "morphemes", "glosses"]
    return table(header, rows)


def tmx(speaker: Speaker) -> str:
    """School texts as translation memory, in decomposed letters."""
    units = []
    for number in range(SCHOOL):
        made = speaker.sentence()
        texts = (("qlm", made.lumeko_text), ("es-ES", made.spanish_text))
        variants = "".join(f'<tuv xml:lang="{tag}"><seg>{escape(text)}</seg></tuv>' for tag, text in texts)
        units.append(f'<tu tuid="{number}">{variants}</tu>')
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<tmx version="1.4"><header srclang="qlm"/><body>\n'
    return unicodedata.normalize("NFD", head + "\n".join(units) + "\n</body></tmx>\n")


def legend(speaker: Speaker, rng: random.Random) -> tuple[str, str, str]:
    """Two unaligned documents, and which lines belong together (``lumeko<TAB>spanish``, from 0)."""
    source: list[str] = []
    target: list[str] = []
    gold: list[str] = []
    while len(gold) < LEGEND_LENGTH:
        kind = rng.choices(["1-1", "2-1", "1-2", "1-0", "0-1"], weights=[80, 6, 6, 4, 4])[0]
        made = [speaker.sentence() for _ in range(2 if "2" in kind else 1)]
        left = [] if kind == "0-1" else [sentence.lumeko_text for sentence in made]
        right = [] if kind == "1-0" else [sentence.spanish_text for sentence in made]
        left, right = ([" ".join(left)] if kind == "1-2" else left), ([" ".join(right)] if kind == "2-1" else right)
        spans = [
            ",".join(str(len(side) + i) for i in range(len(new))) for side, new in ((source, left), (target, right))
        ]
        gold.append("\t".join(spans))
        source += left
        target += right
    return "\n".join(source) + "\n", "\n".join(target) + "\n", "\n".join(gold) + "\n"


def lexicon_files(lexicon: Lexicon, speaker: Speaker, rng: random.Random) -> tuple[str, str]:
    """Two word lists: a table with examples, and an older one in JSON with the older spelling."""
    types = {"name": "person", "town": "place"}
    pos = {"intransitive": "verb", "transitive": "verb", "adjective": "adj", "adverb": "adv", "number": "num"}
    rows: list[list[object]] = []
    old: list[dict[str, str]] = []
    examples = [speaker.sentence() for _ in range(150)]
    for stem in sorted(lexicon.stems, key=lambda stem: stem.form.casefold()):
        kind, part = types.get(stem.kind, "word"), pos.get(stem.kind, "noun")
        shown = next((e for e in examples if any(w.morphemes[0] == stem.form for w in e.words)), None)
        if rng.random() < 0.25 and kind == "word":
            old.append({"word": old_spelling(stem.form), "class": part, "meaning": stem.spanish})
        else:
            example = (shown.lumeko_text, shown.spanish_text) if shown else ("", "")
            rows.append([stem.form, part, kind, stem.spanish, *example])
    rows += [[form, "suffix", "affix", gloss, "", ""] for form, gloss in AFFIXES]
    header = ["headword", "pos", "type", "spanish", "example", "example_spanish"]
    return table(header, rows), json.dumps({"entries": old}, ensure_ascii=False, indent=1) + "\n"


def exam(lexicon: Lexicon, hidden: set[str], rng: random.Random) -> str:
    """The test set: pairs of stems that never met in training, and stems known from the lexicon alone."""
    speaker = Speaker(rng, lexicon.by_kind, lambda pair: reserved(pair) or not hidden.isdisjoint(pair))
    rows: list[list[str]] = []
    while len(rows) < EXAM:
        made = speaker.sentence()
        rows.append([f"e{len(rows):03}", made.lumeko_text, made.spanish_text])
    return table(["id", "lumeko", "spanish"], rows, delimiter="\t")


def files(seed: int) -> dict[str, bytes]:
    """Every file of the project's ``data`` folder by its path."""
    rng = random.Random(seed)
    lexicon = Lexicon(rng)
    candidates = [s for kind in ("animal", "food", "thing", "transitive", "place") for s in lexicon.by_kind[kind]]
    hidden = {stem.form for stem in rng.sample(candidates, LEXICON_ONLY)}

    def known(stems: list[Stem]) -> list[Stem]:
        return [stem for stem in stems if stem.form not in hidden]

    speaker = Speaker(rng, {k: known(v) for k, v in lexicon.by_kind.items()}, lambda pair: not reserved(pair))
    words, old_words = lexicon_files(lexicon, speaker, rng)
    radio = [speaker.sentence() for _ in range(RADIO)]
    out = {
        "raw/translations/stories.csv": stories(speaker),
        "raw/translations/school.tmx": tmx(speaker),
        "raw/translations/radio.qlm": "".join(made.lumeko_text.replace("ʼ", "’") + "\n" for made in radio),
        "raw/translations/radio.es": "".join(
            made.spanish_text.replace(" ", "  ", i % 5 // 4) + "\n" for i, made in enumerate(radio)
        ),
        "raw/dictionary/lexicon.csv": words,
        "raw/dictionary/old_wordlist.json": old_words,
        "raw/monolingual/news.es.txt": "".join(speaker.sentence().spanish_text + "\n" for _ in range(500)),
        "raw/monolingual/letters.qlm.txt": "".join(speaker.sentence().lumeko_text + "\n" for _ in range(300)),
    }
    for name in ("flood", "jaguar"):
        source, target, gold = legend(speaker, rng)
        out[f"raw/translations/legends/{name}.qlm.txt"] = source
        out[f"raw/translations/legends/{name}.es.txt"] = target
        out[f"gold/{name}.tsv"] = gold
    out["raw/translations/exam.tsv"] = exam(lexicon, hidden, rng)
    latin = {"raw/monolingual/news.es.txt"}
    return {path: text.encode("latin-1" if path in latin else "utf-8") for path, text in out.items()}


def main() -> None:
    """Write what is missing or different."""
    parser = argparse.ArgumentParser(description="Write the raw files of the sample project.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "data")
    arguments = parser.parse_args()
    for name, content in files(arguments.seed).items():
        path = arguments.folder / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            print(f"wrote {path}")


if __name__ == "__main__":
    main()
