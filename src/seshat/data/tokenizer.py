"""Stage ``tokenizer``: how well a tokenizer suits the language, and training one for models from scratch.

What is measured, and why: Rust et al. 2021 (fertility, continued words), Petrov et al. 2023 (parity: the same sentences
in both languages), Arnett et al. 2025 (words differ in length between languages, so tokens are also counted per
character and byte). Byte-level tokenizers know no unknown token; characters that cost several tokens take its place.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import regex

from seshat.core.jsonl import write_bytes, write_json
from seshat.core.progress import track
from seshat.core.records import Segment
from seshat.project.folder import Project
from seshat.project.stage import GATE, LANGUAGES, Stage, files, trained_tokenizer
from seshat.text import subword
from seshat.text.subword import Subword
from seshat.text.words import words

SAMPLE = 2_000
"""Segments measured; more does not move the figures."""
RARE = 0.0005
"""Characters below this share of the text are left out of the cost table."""
_PLACEHOLDER = regex.compile(r"<[\p{L}_][\p{L}\p{N}_-]*/?>")


def measure(tokenizer: Subword, texts: Sequence[str]) -> dict[str, Any]:
    """What a tokenizer makes of texts in one language.

    Returns:
        ``tokens``; ``fertility`` (tokens per word); ``tokens_per_character``; ``bytes_per_token``; ``fragments`` (share
        of tokens that hold at most one letter); ``continued_words`` (share of words cut in two or more); ``unknown``
        (share of tokens); ``nfd_cost`` (tokens of the decomposed text against the composed one, 1.0: the same);
        ``characters`` (cost in tokens of each character that is not rare, dearest first).
    """
    cut = {form: [tokenizer.cut(unicodedata.normalize(form, text)) for text in texts] for form in ("NFC", "NFD")}
    tokens = [token for text in cut["NFC"] for token in text]
    vocabulary = Counter(word for text in texts for word in words(text))
    count = sum(vocabulary.values())
    characters = sum(len(text) for text in texts)
    size = sum(len(text.encode()) for text in texts)
    continued = sum(n for word, n in vocabulary.items() if _pieces(tokenizer, word) > 1)
    short = sum(1 for token in tokens if token.end - token.start <= 1)
    return {
        "texts": len(texts),
        "tokens": len(tokens),
        "fertility": _ratio(len(tokens), count),
        "tokens_per_character": _ratio(len(tokens), characters),
        "bytes_per_token": _ratio(size, len(tokens)),
        "fragments": _ratio(short, len(tokens)),
        "continued_words": _ratio(continued, count),
        "unknown": _ratio(sum(token.unknown for token in tokens), len(tokens)),
        "nfd_cost": _ratio(sum(map(len, cut["NFD"])), len(tokens)),
        "characters": _character_costs(tokenizer, texts),
    }


def parity(tokenizer: Subword, pairs: Sequence[tuple[str, ...]]) -> float:
    """Tokens of the first language against the second, on the same sentences (1.0: equal, or there is no second)."""
    first, second = (sum(len(tokenizer.cut(pair[side])) for pair in pairs) for side in (0, -1))
    return _ratio(first, second)


def advice(name: str, pivot: str, figures: dict[str, Any], ratio: float, pairs: int) -> list[str]:
    """Rules of thumb in plain words.

    Args:
        name: the language.
        pivot: the language it is compared with.
        figures: what :func:`measure` says of the language.
        ratio: what :func:`parity` says.
        pairs: sentence pairs to train on.
    """
    said = []
    if figures["unknown"] > 0.001:
        bad = "".join(c["character"] for c in figures["characters"] if c["unknown"])
        said.append(
            f"{figures['unknown']:.1%} of the tokens are unknown{f' (characters {bad})' if bad else ''}: "
            "the model cannot read or write them. Normalise them away, or choose another tokenizer."
        )
    if ratio > 1.5:
        said.append(
            f"{name} needs {ratio:.1f} times the tokens of {pivot} for the same sentences: training and translating "
            "cost that much more, and long sentences may be cut."
        )
    if figures["nfd_cost"] > 1.05:
        said.append(f"Decomposed letters (NFD) would cost {figures['nfd_cost']:.2f} times the tokens: keep NFC.")
    dear = [c["character"] for c in figures["characters"] if c["tokens"] >= 2 and not c["unknown"]]
    if dear:
        said.append(f"These characters cost two tokens or more each: {' '.join(dear[:20])}.")
    if figures["fertility"] > 3 and pairs < 30_000:
        said.append(
            "Words fall into many pieces. Below 30,000 sentences new vocabulary rarely pays (Yamaguchi et al. 2024): "
            "a consistent orthography helps more."
        )
    if 0 < figures["fertility"] < 1.2:
        said.append(
            "Nearly every word is one piece: on little data most pieces are then seen a few times only. A smaller "
            "vocabulary usually translates unseen forms better."
        )
    return said or ["Nothing stands out."]


def run(project: Project) -> dict[str, Any]:
    """Train a tokenizer where the model needs one, and report on it and on the one named in the configuration.

    Reads ``training/{train,monolingual}.jsonl``; writes ``models/tokenizer/spm.model`` and ``reports/tokenizer.json``.
    """
    section, out = project.config.tokenizer, project.reports / "tokenizer.json"
    paths = [project.root / section.path] if section.path else []
    base = project.config.model.base
    if base is not None and (project.root / base / "tokenizer.json").exists():
        paths.append(project.root / base)
    if project.config.from_scratch if section.train is None else section.train:
        paths.append(train(project))
    if not paths:
        note = (
            "No tokenizer to report on: this family works on words."
            if base is None
            else "No tokenizer to report on: name the folder of the base's in tokenizer.path."
        )
        write_json(out, {"tokenizers": [], "note": note})
        return {"note": note}
    languages = project.config.project.tags
    sample = _sample(project.segments("train"), languages)
    reports = [_report(project, subword.load(path), path, sample) for path in track(paths, "measuring tokenizers")]
    write_json(out, {"tokenizers": reports})
    return {"tokenizers": [_short(report) for report in reports], "report": str(out.relative_to(project.root))}


def train(project: Project) -> Path:
    """Train SentencePiece on the training texts of both languages; returns the model file."""
    section, settings = project.config.tokenizer, project.config.project
    languages = settings.tags
    lines = list(_lines(project, languages))
    model = subword.train_sentencepiece(
        lines,
        vocabulary=section.vocabulary,
        symbols={symbol for line in lines for symbol in _PLACEHOLDER.findall(line)},
        seed=settings.seed,
    )
    path = project.models / "tokenizer" / "spm.model"
    write_bytes(path, model)
    return path


def _lines(project: Project, languages: Sequence[str]) -> Iterator[str]:
    for name in ("train", "monolingual"):
        for segment in project.segments(name):
            for language in languages:
                if segment.texts.get(language):
                    yield segment.texts[language]


def _sample(segments: Iterable[Segment], languages: Sequence[str]) -> list[tuple[str, ...]]:
    """Evenly spread pairs, or texts of a language alone, at most :data:`SAMPLE`."""
    pairs = [tuple(s.texts[tag] for tag in languages) for s in segments if all(map(s.texts.get, languages))]
    step = max(1, len(pairs) // SAMPLE)
    return pairs[::step][:SAMPLE]


def _report(project: Project, tokenizer: Subword, path: Path, pairs: list[tuple[str, ...]]) -> dict[str, Any]:
    settings = project.config.project
    sides = {tag: measure(tokenizer, [p[i] for p in pairs]) for i, tag in enumerate(settings.tags)}
    ratio = parity(tokenizer, pairs)
    names = settings.language_name(settings.language), settings.language_name(settings.tags[-1])
    return {
        "tokenizer": str(path.relative_to(project.root)) if path.is_relative_to(project.root) else str(path),
        "vocabulary": tokenizer.vocabulary,
        "parity": ratio,
        "languages": sides,
        "advice": advice(*names, sides[settings.language], ratio, len(pairs)),
    }


def _short(report: dict[str, Any]) -> dict[str, Any]:
    return {key: report[key] for key in ("tokenizer", "vocabulary", "parity", "advice")} | {
        f"fertility {tag}": figures["fertility"] for tag, figures in report["languages"].items()
    }


def _character_costs(tokenizer: Subword, texts: Sequence[str]) -> list[dict[str, Any]]:
    counts = Counter(c for text in texts for c in text if not c.isspace())
    total = sum(counts.values())
    rows = []
    for character, count in counts.items():
        if count < RARE * total:
            continue
        tokens = tokenizer.cut(character)
        rows.append(
            {
                "character": character,
                "name": unicodedata.name(character, "unnamed"),
                "share": round(count / total, 5),
                "tokens": _covering(tokens),
                "unknown": any(token.unknown for token in tokens),
            }
        )
    return sorted(rows, key=lambda row: (-row["unknown"], -row["tokens"], -row["share"], row["character"]))


def _pieces(tokenizer: Subword, word: str) -> int:
    return _covering(tokenizer.cut(word))


def _covering(tokens: Sequence[subword.Token]) -> int:
    """Tokens that cover text: SentencePiece may set a bare word mark before it."""
    return sum(1 for token in tokens if token.end > token.start)


def _ratio(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


def _tokenizer_reads(project: Project) -> tuple[Path, ...]:
    path = project.config.tokenizer.path
    named = [project.root / path] if path else []
    base = project.root / (project.config.model.base or "") / "tokenizer.json"
    named += [base] if project.config.model.base and base.is_relative_to(project.root) else []
    given = (one for one in named if one.exists())
    return (*files(project.training, "train.jsonl", "monolingual.jsonl"), *given)


STAGE = Stage(
    name="tokenizer",
    module=__name__,
    version=1,
    settings=lambda _config: ("tokenizer", "train.family", "model.base", *GATE, *LANGUAGES),
    reads=_tokenizer_reads,
    writes=lambda project: (project.reports / "tokenizer.json", *trained_tokenizer(project)),
)
"""What the pipeline needs to know."""
