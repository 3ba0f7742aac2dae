"""Engines for encoder-decoders: CTranslate2 (int8) when it is installed, Transformers otherwise."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from seshat.config import Direction
from seshat.errors import DataError
from seshat.inference.translator import Candidate, Hypothesis
from seshat.models.seq2seq.data import MAX_PIECES, Vocabulary


class _Search(Protocol):
    def __call__(self, texts: Sequence[str], n_best: int) -> list[list[Candidate]]: ...


class Seq2SeqTranslator:
    """Translates with a model that :mod:`seshat.models.seq2seq.train` wrote."""

    def __init__(self, folder: Path, direction: Direction, beam: int, *, engine: str = "auto") -> None:
        if not (folder / "config.json").exists():
            raise DataError(f"{folder}: no model here for {direction}.", "Run `seshat train` first.")
        self.name = folder.parent.name
        self.direction = direction
        vocabulary = Vocabulary(folder / "source.spm")
        ready = (folder / "ctranslate2" / "model.bin").exists() and _installed()
        self.engine = ("ctranslate2" if ready else "transformers") if engine == "auto" else engine
        make = _ctranslate2 if self.engine == "ctranslate2" else _transformers
        self._search = make(folder, vocabulary, beam)

    def translate(self, texts: Sequence[str], n_best: int = 1) -> list[Hypothesis]:
        """Translate a batch; texts of like length are searched together and the order is restored."""
        order = sorted((i for i, text in enumerate(texts) if text.strip()), key=lambda i: len(texts[i]))
        out = [Hypothesis("", 0.0)] * len(texts)
        for i, found in zip(order, self._search([texts[i] for i in order], n_best) if order else [], strict=True):
            out[i] = Hypothesis(found[0].text, found[0].score, tuple(found) if n_best > 1 else ())
        return out


def _installed() -> bool:
    from importlib.util import find_spec

    return find_spec("ctranslate2") is not None


def _ctranslate2(folder: Path, vocabulary: Vocabulary, beam: int) -> _Search:
    import ctranslate2

    # Two translators of one thread each beat one of two threads by far on small models (docs/decisions.md).
    workers = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    model = ctranslate2.Translator(str(folder / "ctranslate2"), inter_threads=workers, intra_threads=1)

    def search(texts: Sequence[str], n_best: int) -> list[list[Candidate]]:
        results = model.translate_batch(
            [vocabulary.cut(text) for text in texts],
            beam_size=max(beam, n_best),
            num_hypotheses=n_best,
            return_scores=True,
            max_decoding_length=MAX_PIECES,
            max_batch_size=2_048,
            batch_type="tokens",
        )
        return [
            [Candidate(vocabulary.join(h), float(s)) for h, s in zip(r.hypotheses, r.scores, strict=True)]
            for r in results
        ]

    return search


def _transformers(folder: Path, vocabulary: Vocabulary, beam: int) -> _Search:
    import torch

    from seshat.models.seq2seq import network
    from seshat.models.seq2seq.data import padded

    model: Any = network.load(folder).eval()

    def search(texts: Sequence[str], n_best: int) -> list[list[Candidate]]:
        out: list[list[Candidate]] = []
        beams = max(beam, n_best)
        for start in range(0, len(texts), 32):
            batch = padded([vocabulary.encode(text) for text in texts[start : start + 32]], vocabulary.pad)
            with torch.inference_mode():
                made = model.generate(
                    input_ids=batch,
                    attention_mask=batch != vocabulary.pad,
                    num_beams=beams,
                    num_return_sequences=n_best,
                    max_new_tokens=min(MAX_PIECES, 3 * batch.shape[1] + 20),
                    do_sample=False,
                    suppress_tokens=[vocabulary.pad],
                    output_scores=True,
                    return_dict_in_generate=True,
                )
            scores = made.sequences_scores.tolist() if beams > 1 else [0.0] * len(made.sequences)
            found = [Candidate(vocabulary.decode(s), x) for s, x in zip(made.sequences.tolist(), scores, strict=True)]
            out += [found[i : i + n_best] for i in range(0, len(found), n_best)]
        return out

    return search
