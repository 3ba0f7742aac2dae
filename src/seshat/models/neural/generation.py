"""Answers of a Transformers model to rows of token ids: batched, sorted by length, in the order of the rows.

Every setting of the search is given, so nothing depends on the ``generation_config.json`` that came with a base model
(Qwen's samples, Marian's has six beams), except which tokens end an answer and which must never be written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from seshat.core.errors import DataError
from seshat.prompt.prompt import Decoding, Prompt

TOKENS = 16_384
"""Tokens in a batch: texts, times beams, with room for the answers."""
_LOGITS = 64_000_000
"""Numbers in the largest table of logits when answers are scored (a quarter of a gigabyte)."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Answer:
    """What a model wrote."""

    text: str
    score: float
    """Mean natural log-probability of its tokens, the end mark with them; 0 when not asked for."""


@dataclass(frozen=True)
class Search:
    """A model and how it is searched.

    Args:
        model: of Transformers, an encoder-decoder or a causal one; its device and arithmetic are used as they are.
        tokenizer: its tokenizer.
        decoding: beams, sampling and the longest answer.
        ends: ids that end an answer beside those of model and tokenizer.
        seed: for sampling.
        tokens: in a batch, see :data:`TOKENS`.
        longest: the most tokens of an answer to a row of so many, where that is less than ``decoding`` allows.
    """

    model: Any
    tokenizer: Any
    decoding: Decoding
    ends: tuple[int, ...] = ()
    seed: int = 0
    tokens: int = TOKENS
    longest: Callable[[int], int] | None = None

    def answers(
        self, rows: Sequence[Sequence[int]], n_best: int = 1, *, forced: int | None = None, scored: bool = True
    ) -> list[list[Answer]]:
        """The best answers to every row, best first.

        Args:
            rows: token ids of the questions or source texts, without padding.
            n_best: how many; different ones with beams, with sampling perhaps the same.
            forced: an id that every answer of an encoder-decoder begins with (the code of a language).
            scored: whether to work out the scores, which takes one more pass over each batch, and to warn about answers
                that were cut.

        Raises:
            DataError: a row leaves no room for an answer in what the model can see.
        """
        import torch

        self._check_room(rows)
        out: list[list[Answer]] = [[] for _ in rows]
        was_training = self.model.training
        self.model.eval()
        cut = 0
        try:
            # Numbers drawn here must not shift those of a training that goes on afterwards.
            with torch.random.fork_rng(), torch.inference_mode():
                torch.manual_seed(self.seed)
                for batch in self._batches(rows, n_best):
                    made, unfinished = self._batch([rows[i] for i in batch], n_best, forced, scored)
                    cut += unfinished
                    for i, found in zip(batch, made, strict=True):
                        out[i] = found
        finally:
            self.model.train(was_training)
        if cut and scored:  # early in a training, answers have no end yet
            log.warning(
                "answers were cut: they reached prompt.max_new_tokens", answers=cut, limit=self.decoding.max_new_tokens
            )
        return out

    @property
    def _seq2seq(self) -> bool:
        return bool(self.model.config.is_encoder_decoder)

    @property
    def _pad(self) -> int:
        pad = self.tokenizer.pad_token_id
        return int(self.tokenizer.eos_token_id if pad is None else pad)

    @property
    def _ends(self) -> list[int]:
        own = self.model.generation_config.eos_token_id
        many = [*(own if isinstance(own, list) else [own]), self.tokenizer.eos_token_id, *self.ends]
        return sorted({int(one) for one in many if one is not None})

    @property
    def longest_row(self) -> int | None:
        """Tokens of a row that the model can see, with room for the answer where it stands behind the question."""
        most: int | None = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        return most if most is None or self._seq2seq else most - self.decoding.max_new_tokens

    def _check_room(self, rows: Sequence[Sequence[int]]) -> None:
        longest = max(map(len, rows), default=0)
        if self.longest_row is not None and longest > self.longest_row:
            answer = "" if self._seq2seq else f" beside {self.decoding.max_new_tokens} for the answer"
            raise DataError(
                f"The longest text has {longest} tokens, and the model can see {self.longest_row}{answer}.",
                "Cut the text into sentences, or lower prompt.max_new_tokens.",
            )

    def _room(self, length: int) -> int:
        most = self.decoding.max_new_tokens
        return most if self.longest is None else min(most, self.longest(length))

    def _beams(self, n_best: int) -> int:
        return self.decoding.beams if self.decoding.temperature > 0 else max(self.decoding.beams, n_best)

    def _batches(self, rows: Sequence[Sequence[int]], n_best: int) -> Iterator[list[int]]:
        """Numbers of rows of like length; the longest first, so that what does not fit shows at once."""
        order = sorted(range(len(rows)), key=lambda i: (-len(rows[i]), i))
        width = max(self._beams(n_best), n_best)
        batch: list[int] = []
        for i in order:
            longest = len(rows[batch[0]]) if batch else len(rows[i])
            if batch and (len(batch) + 1) * width * (longest + self._room(longest)) > self.tokens:
                yield batch
                batch = []
            batch.append(i)
        if batch:
            yield batch

    def _batch(
        self, rows: Sequence[Sequence[int]], n_best: int, forced: int | None, scored: bool
    ) -> tuple[list[list[Answer]], int]:
        """Answers of a batch, and how many were cut; a batch that does not fit into the memory is halved."""
        import torch

        try:
            return self._generated(rows, n_best, forced, scored)
        except torch.OutOfMemoryError:
            if len(rows) == 1:
                raise
            log.warning("out of memory: the batch is halved", rows=len(rows))
        torch.cuda.empty_cache()
        half = (len(rows) + 1) // 2
        (first, one), (second, other) = (
            self._batch(part, n_best, forced, scored) for part in (rows[:half], rows[half:])
        )
        return first + second, one + other

    def _generated(
        self, rows: Sequence[Sequence[int]], n_best: int, forced: int | None, scored: bool
    ) -> tuple[list[list[Answer]], int]:
        inputs = padded(rows, self._pad, left=not self._seq2seq, device=self.model.device)
        made = self.model.generate(
            **inputs, generation_config=self._settings(n_best, forced, self._room(max(map(len, rows))))
        )
        # Of an encoder-decoder: the start mark and, where there is one, the forced token; of a causal model: the row.
        given = 1 + (forced is not None) if self._seq2seq else inputs["input_ids"].shape[1]
        ends = set(self._ends)
        tails = [_until_end(ids, ends) for ids in made[:, given:].tolist()]
        scores = (
            self._scores(inputs, made, given, [len(tail) for tail in tails], n_best) if scored else [0.0] * len(made)
        )
        texts = [self.tokenizer.decode(tail, skip_special_tokens=True).strip() for tail in tails]
        found = [Answer(text, score) for text, score in zip(texts, scores, strict=True)]
        groups = [found[i : i + n_best] for i in range(0, len(found), n_best)]
        groups = [sorted(group, key=lambda answer: -answer.score) for group in groups]
        limit = self.decoding.max_new_tokens - (forced is not None)
        cut = sum(len(tail) >= limit and tail[-1] not in ends for tail in tails)
        return groups, cut

    def _settings(self, n_best: int, forced: int | None, room: int | None = None) -> Any:
        from transformers import GenerationConfig

        decoding, own = self.decoding, self.model.generation_config
        drawn = decoding.temperature > 0
        return GenerationConfig(
            max_new_tokens=room or decoding.max_new_tokens,
            min_length=0,
            num_beams=self._beams(n_best),
            num_return_sequences=n_best,
            do_sample=drawn,
            temperature=decoding.temperature if drawn else 1.0,
            top_p=decoding.top_p if drawn else 1.0,
            top_k=0 if drawn else 50,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            length_penalty=1.0,
            early_stopping=False,
            pad_token_id=self._pad,
            eos_token_id=self._ends,
            bos_token_id=own.bos_token_id,
            decoder_start_token_id=own.decoder_start_token_id if self._seq2seq else None,
            forced_bos_token_id=forced,
            bad_words_ids=own.bad_words_ids,
            use_cache=True,
        )

    def _scores(self, inputs: Any, made: Any, given: int, lengths: Sequence[int], n_best: int) -> list[float]:
        """Mean log-probability of each answer, as beam search has it, from one pass over the whole of it.

        (``generate`` would keep the logits of all steps for that: 6 GB for 64 texts of 100 tokens and NLLB's
        vocabulary.)
        """
        import torch

        forced = given - 1 if self._seq2seq else 0  # certain, and counts as a token
        vocabulary = self.model.config.get_text_config().vocab_size
        step = max(1, _LOGITS // (vocabulary * max(1, made.shape[1] - given + 1)))
        mask = inputs["attention_mask"].repeat_interleave(n_best, dim=0)
        sources = inputs["input_ids"].repeat_interleave(n_best, dim=0)
        scores: list[float] = []
        for start in range(0, len(made), step):
            part = slice(start, start + step)
            logits = self._logits(sources[part], mask[part], made[part], given).float()
            chosen = made[part, given:]
            probabilities = torch.log_softmax(logits, dim=-1).gather(-1, chosen.unsqueeze(-1)).squeeze(-1)
            for row, length in zip(probabilities, lengths[part], strict=True):
                scores.append(float(row[:length].sum()) / max(1, length + forced))
        return scores

    def _logits(self, sources: Any, mask: Any, made: Any, given: int) -> Any:
        """What predicts the tokens of ``made`` from ``given`` on: rows x tokens x vocabulary."""
        import torch

        if self._seq2seq:
            out = self.model(input_ids=sources, attention_mask=mask, decoder_input_ids=made[:, :-1], use_cache=False)
            return out.logits[:, given - 1 :]
        mask = torch.cat([mask, torch.ones_like(made[:, given:])], dim=1)
        places = (mask.cumsum(dim=1) - 1).clamp(min=0)
        out = self.model(input_ids=made, attention_mask=mask, position_ids=places, use_cache=False)
        return out.logits[:, given - 1 : -1]


def answer_ends(tokenizer: Any, prompt: Prompt) -> tuple[int, ...]:
    """The special token that the chat template writes after an answer, such as Gemma's ``<end_of_turn>``."""
    _, trained = prompt.parts(tokenizer, prompt.messages("translate", text="x", answer="x"))
    special = set(tokenizer.all_special_ids) | {i for i, t in tokenizer.added_tokens_decoder.items() if t.special}
    ids = tokenizer(trained, add_special_tokens=False)["input_ids"]
    return tuple(one for one in ids if one in special)[:1]


def padded(rows: Sequence[Sequence[int]], pad: int, *, left: bool, device: Any = "cpu") -> dict[str, Any]:
    """Rows of ids as ``input_ids`` and ``attention_mask`` (rows x longest).

    Args:
        rows: token ids.
        pad: what fills the shorter ones up.
        left: fill up on the left, as a causal model needs it to write on; otherwise on the right.
        device: where the tensors shall be.
    """
    import torch

    width = max(map(len, rows))
    ids = torch.full((len(rows), width), pad, dtype=torch.long)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for i, row in enumerate(rows):
        place = slice(width - len(row), width) if left else slice(0, len(row))
        ids[i, place] = torch.tensor(row, dtype=torch.long)
        mask[i, place] = 1
    return {"input_ids": ids.to(device), "attention_mask": mask.to(device)}


def _until_end(ids: Sequence[int], ends: Collection[int]) -> list[int]:
    """The ids up to the first that ends the answer, with it."""
    for i, one in enumerate(ids):
        if one in ends:
            return list(ids[: i + 1])
    return list(ids)
