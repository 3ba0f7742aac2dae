"""Family ``seq2seq`` with a base: ByT5, NLLB, mT5, Marian and their like, trained as a whole.

One model learns all directions that are trained: the prefix or the codes of the languages say which is meant. Adapters
are possible and do badly here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import structlog

from seshat.config import Direction, families
from seshat.core.errors import UsageError
from seshat.core.progress import track
from seshat.core.records import Segment
from seshat.core.spaced import evenly
from seshat.models.neural import fresh, loop, training
from seshat.models.neural.encoding import Encoding, check_codes, name_codes
from seshat.models.neural.generation import Search
from seshat.models.neural.preflight import MASKED, Preflight, Row
from seshat.models.neural.training import Answering, Corpus, note
from seshat.prompt.surroundings import Surroundings

_CHUNK = 1_000
log = structlog.get_logger(__name__)


class EncoderDecoder(Answering):
    """Training of an encoder-decoder on ``data/training/train.jsonl``.

    Raises:
        UsageError: the base must be told the languages by code, and a code is missing or written in another way.
    """

    family = families.SEQ2SEQ

    def name_codes(self) -> list[str]:
        """Add the codes that the tokenizer lacks, for bases that have codes as tokens."""
        from transformers import AutoConfig

        self.config = AutoConfig.from_pretrained(self.start.folder, local_files_only=True)
        check_codes(self.prompt, self.config.model_type)
        if self.config.decoder_start_token_id is None:
            raise UsageError(
                f"{self.start.folder}: the config.json of this base does not say what its decoder starts from "
                "(decoder_start_token_id).",
                "Take another base; for mBART, mBART-50.",
            )
        coded = Encoding.is_coded(self.config.model_type)
        new = name_codes(self.tokenizer, self.prompt.language_codes.values()) if coded else []
        if new:
            log.info("language codes that the base does not know are added", codes=new)
        longest = self.section.finetune.max_length
        self.encoding = Encoding(self.tokenizer, self.prompt, self.config.model_type, longest)
        return new

    @property
    def directions(self) -> tuple[Direction, ...]:
        """What is trained."""
        return self.project.config.directions

    def open(self) -> Any:
        """The model before the first step; which language is wanted is said with every text, never by a default."""
        model = super().open()
        model.generation_config.forced_bos_token_id = None
        if self.config.model_type == "marian":
            fresh.keep_padding(model)
        return model

    def rows(self, name: str, look: Preflight, corpus: Corpus) -> Iterator[Row]:
        """Pairs in every direction, the sources behind the sentences before them."""
        surroundings = self.surroundings(name)
        segments = track(self.segments(f"{name}.jsonl"), f"tokenising {name}")
        while chunk := list(islice(segments, _CHUNK)):
            for direction in self.directions:
                pairs = [(where, one) for where, one in chunk if _is_pair(one, direction)]
                sources = self.sources([one for _, one in pairs], direction, surroundings)
                targets = self.encoding.targets([one.texts[direction.target] for _, one in pairs], direction)
                for (where, segment), source, target in zip(pairs, sources, targets, strict=True):
                    row = Row(source, target, f"{where}, {direction}")
                    if look.passes(row):
                        if name == "train" and not corpus.traits:
                            self._show(row)
                        note(corpus, segment)
                        yield row

    def surroundings(self, name: str) -> Surroundings:
        """The sentences before those of ``train`` or ``validation``."""
        found = (one for _, one in self.segments(f"{name}.jsonl"))
        return Surroundings(found, self.prompt.context)

    def sources(self, segments: Sequence[Segment], direction: Direction, surroundings: Surroundings) -> list[list[int]]:
        """Ids of what the encoder reads of segments."""
        texts = [one.texts[direction.source] for one in segments]
        return self.encoding.sources(texts, direction, [surroundings.texts(one, direction.source) for one in segments])

    def _show(self, row: Row) -> None:
        for what, ids in (("given", row.ids), ("trained", row.labels)):
            log.info(f"example: {what}", where=row.where, text=self.tokenizer.decode(ids))

    def collator(self) -> Any:
        """Pads both sides, and gives the decoder what it shall write one step late."""
        return _Pairs(self.tokenizer.pad_token_id, self.config.decoder_start_token_id)

    def arguments(self) -> dict[str, Any]:
        """Label smoothing."""
        return {"label_smoothing_factor": self.section.finetune.label_smoothing}

    def scorer(self) -> loop.Score | None:
        """Translates validation greedily, evenly spaced segments of it, and scores each direction."""
        segments = [one for _, one in self.segments("validation.jsonl")]
        most = max(1, self.section.finetune.validation_segments // len(self.directions))
        asked = {way: evenly([one for one in segments if _is_pair(one, way)], most) for way in self.directions}
        asked = {way: found for way, found in asked.items() if found}
        if not asked:
            return None
        surroundings = self.surroundings("validation")
        rows = {way: self.sources(found, way, surroundings) for way, found in asked.items()}
        references = {way: [one.texts[way.target] for one in found] for way, found in asked.items()}
        wanted = (ids for way, texts in references.items() for ids in self.encoding.targets(texts, way))
        decoding = self.room(wanted).model_copy(update={"beams": 1, "temperature": 0.0})

        def score(model: Any, _batch: int) -> dict[str, float]:
            search = Search(model, self.tokenizer, decoding)
            made: list[tuple[str, str, str]] = []
            for way in asked:
                answers = search.answers(rows[way], forced=self.encoding.forced(way), scored=False)
                made += [(str(way), a[0].text, b) for a, b in zip(answers, references[way], strict=True)]
            ways, texts, wanted = zip(*made, strict=True)
            return training.by_direction(ways, texts, wanted)

        return score


class _Pairs:
    """Examples as a batch of an encoder-decoder.

    Args:
        pad: what fills up short rows.
        start: what the decoder reads before it writes anything.
    """

    def __init__(self, pad: int, start: int) -> None:
        self.pad, self.start = pad, start

    def __call__(self, examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
        import torch
        from torch.nn.utils.rnn import pad_sequence

        sources = [torch.tensor(one["input_ids"]) for one in examples]
        targets = [torch.tensor(one["labels"]) for one in examples]
        read = [torch.cat([torch.tensor([self.start]), target[:-1]]) for target in targets]
        return {
            "input_ids": pad_sequence(sources, batch_first=True, padding_value=self.pad),
            "attention_mask": pad_sequence([torch.ones_like(one) for one in sources], batch_first=True),
            "labels": pad_sequence(targets, batch_first=True, padding_value=MASKED),
            "decoder_input_ids": pad_sequence(read, batch_first=True, padding_value=self.pad),
        }


def _is_pair(segment: Segment, direction: Direction) -> bool:
    return all(segment.texts.get(tag, "").strip() for tag in (direction.source, direction.target))
