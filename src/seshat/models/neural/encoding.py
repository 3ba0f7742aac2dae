"""Texts as token ids for an encoder-decoder, and how it is told which language is wanted.

Three ways, all explicit: a prefix in words (`prompt.prefix`, T5 and ByT5); the code of the target language before the
text (`>>spa<< …`, Marian models of many languages, or any base when `model.language_codes` is given); or codes as
tokens of their own on both sides (NLLB, M2M-100, mBART-50). Nothing is inferred from a language tag: SIL's tools once
took Ancient Greek to be in Cypriot script that way (machine.py, issue 62).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from seshat.config import Direction
from seshat.config.presets import NEEDS_CODES
from seshat.core.errors import UsageError
from seshat.models.neural.vocabulary import fit_embeddings
from seshat.prompt.prompt import Prompt, after

_CODE = re.compile(r"(?:__)?[a-z]{2,3}(?:_[A-Za-z]{2,4})?(?:__)?|>>\w+<<")
"""What codes look like: ``spa_Latn``, ``es_XX``, ``__es__``, ``>>spa<<``."""
_AT_ONCE = 1_000


class Encoding:
    """Turns texts into ids.

    Args:
        tokenizer: of the model.
        prompt: prefix and codes.
        model_type: architecture, as ``config.json`` names it.
        longest: tokens that a text may have together with the sentences before it: those of the training.

    Raises:
        UsageError: the base must be told the languages by code, and a code is missing or unknown to the tokenizer.
    """

    def __init__(self, tokenizer: Any, prompt: Prompt, model_type: str, longest: int | None = None) -> None:
        self._tokenizer = tokenizer
        self._longest = longest
        self._prompt = prompt
        self._ids: dict[str, int] = {}
        self.coded = self.is_coded(model_type)
        """Whether codes are tokens on both sides."""
        if self.coded:
            check_codes(prompt, model_type)
            self._ids = {tag: _known(tokenizer, code) for tag, code in prompt.language_codes.items()}

    @staticmethod
    def is_coded(model_type: str) -> bool:
        """Whether an architecture has codes as tokens on both sides."""
        return model_type in NEEDS_CODES

    def sources(
        self, texts: Sequence[str], direction: Direction, context: Sequence[Sequence[str]] | None = None
    ) -> list[list[int]]:
        """Ids of what the encoder reads; of a text nothing is cut off.

        Args:
            texts: the texts.
            direction: from what into what.
            context: of each text the sentences before it; the oldest are left out where all is longer than ``longest``.
        """
        if context is None or not any(context):
            return self._read([(text, ()) for text in texts], direction)
        rows = self._read(list(zip(texts, context, strict=True)), direction)
        if self._longest is not None:
            for place, (text, before) in enumerate(zip(texts, context, strict=True)):
                while before and len(rows[place]) > self._longest:
                    before = before[1:]
                    rows[place] = self._read([(text, before)], direction)[0]
        return rows

    def _read(self, asked: Sequence[tuple[str, Sequence[str]]], direction: Direction) -> list[list[int]]:
        """Ids of texts behind the sentences before them."""
        if self.coded:
            return self._marked([after(before, text) for text, before in asked], direction.source)
        written = "{target_code}" in self._prompt.prefix
        code = None if written else self._prompt.language_codes.get(direction.target)
        first = f"{code} " if code else ""
        return self._encode([first + self._prompt.source(text, direction, before) for text, before in asked], "text")

    def targets(self, texts: Sequence[str], direction: Direction) -> list[list[int]]:
        """Ids of what the decoder shall write; nothing is cut off."""
        if self.coded:
            return self._marked(texts, direction.target)
        return self._encode(texts, "text_target")

    def forced(self, direction: Direction) -> int | None:
        """The id that every translation begins with."""
        return self._ids[direction.target] if self.coded else None

    def _marked(self, texts: Sequence[str], tag: str) -> list[list[int]]:
        """Code, text, end mark: the order of NLLB, M2M-100 and mBART-50, on both sides.

        Put together here: tokenizers have their own ways of being told a language, and some know no new ones.
        """
        rows = self._encode(texts, "text", add_special_tokens=False)
        return [[self._ids[tag], *row, self._tokenizer.eos_token_id] for row in rows]

    def _encode(self, texts: Sequence[str], name: str, **options: Any) -> list[list[int]]:
        rows: list[list[int]] = []
        for start in range(0, len(texts), _AT_ONCE):
            part = list(texts[start : start + _AT_ONCE])
            # Longer texts than the base was made for are dealt with elsewhere; here it would only complain.
            rows += self._tokenizer(**{name: part}, truncation=False, verbose=False, **options)["input_ids"]
        return rows


def check_codes(prompt: Prompt, model_type: str) -> None:
    """Refuse a base that must be told the languages by code when a code is missing.

    Raises:
        UsageError: says which code is missing and what codes look like.
    """
    missing = [tag for tag in prompt.languages if tag not in prompt.language_codes]
    if model_type not in NEEDS_CODES or not missing:
        return
    wanted = ", ".join(f"{tag}: …" for tag in missing)
    named = " and ".join(f"{prompt.languages[tag]} ({tag})" for tag in missing)
    raise UsageError(
        f"model.language_codes: this base ({model_type}) must be told by code which language it reads and writes, and "
        f"there is no code for {named}.",
        f"Write what the base calls them, language_codes: {{{wanted}}}, such as spa_Latn for Spanish. For a language "
        "that it does not know, make a code of that form: it is added as a new one.",
    )


def name_codes(tokenizer: Any, codes: Iterable[str]) -> list[str]:
    """Add the codes that a tokenizer lacks.

    Returns:
        The new codes.

    Raises:
        UsageError: the tokenizer has the code in another spelling.
    """
    known = tokenizer.get_vocab()
    new = [code for code in dict.fromkeys(codes) if code not in known]
    spellings = {_plain(token): token for token in tokenizer.get_added_vocab() if _CODE.fullmatch(token)}
    for code in new:
        if _plain(code) in spellings:
            raise UsageError(
                f"model.language_codes: this base knows no code '{code}'.",
                f"It writes it '{spellings[_plain(code)]}'; another spelling would become a new language.",
            )
    if new:
        tokenizer.add_tokens(new, special_tokens=True)
    return new


def _plain(code: str) -> str:
    return re.sub(r"[\W_]", "", code).casefold()


def start_codes(model: Any, tokenizer: Any, new: Sequence[str]) -> None:
    """Give new codes their rows in a model: the mean of the codes that it knows already."""
    import torch

    if not new:
        return
    before = model.get_input_embeddings().weight.shape[0]
    fit_embeddings(model, tokenizer)
    like = [
        i
        for token, i in tokenizer.get_added_vocab().items()
        if _CODE.fullmatch(token) and token not in new and i < before
    ]
    inside, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    with torch.no_grad():
        for weight in [inside] if head is inside else [inside, head]:
            mean = weight[like or slice(before)].mean(dim=0)
            for code in new:
                weight[tokenizer.convert_tokens_to_ids(code)] = mean


def _known(tokenizer: Any, code: str) -> int:
    found = tokenizer.get_vocab().get(code)
    if found is None:
        raise UsageError(
            f"model.language_codes: the tokenizer of this model knows no code '{code}'.",
            "Use the codes that the model was trained with: they stand in prompt.json beside it.",
        )
    return int(found)
