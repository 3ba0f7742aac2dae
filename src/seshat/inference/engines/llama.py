"""Translates with a GGUF file through llama.cpp, without torch and Transformers."""

from __future__ import annotations

import os
import unicodedata
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from seshat.config import Direction
from seshat.config.translate import DecodingSection
from seshat.core.errors import DataError, UsageError, require
from seshat.inference.chat import ChatTemplate, spoken
from seshat.inference.translator import Candidate, Hypothesis, Translator, drawn, searched
from seshat.project.manifest import Manifest
from seshat.prompt.prompt import Prompt
from seshat.prompt.request import Request

if TYPE_CHECKING:
    from seshat.inference.dialogue import Dialogue

CONTEXT = 1_024
"""Tokens of question and answer that there is room for at first; a longer question makes room for itself."""
_SAMPLED = {"temp": 0.7, "top_p": 0.9}
"""How candidates after the first are drawn, where the prompt object asks for no sampling."""
_kept: dict[str, Any] = {}
log = structlog.get_logger(__name__)


def package(purpose: str) -> Any:
    """The package ``llama_cpp``, told to be quiet.

    Raises:
        MissingPackage: it is not installed.
    """
    import ctypes

    llama = require("llama_cpp", extra="llama", purpose=purpose)
    if "log" not in _kept:  # a callback that is not kept would be collected under llama.cpp's feet
        _kept["log"] = llama.llama_log_callback(_note)
        llama.llama_log_set(_kept["log"], ctypes.c_void_p(0))
    return llama


def _note(level: int, text: bytes, _data: Any) -> None:
    """Errors of llama.cpp (level 4) become notes for the curious; what it does not do it says by its return codes."""
    if level == 4:
        log.debug("llama.cpp", says=text.decode("utf-8", errors="replace").strip())


class LlamaCppTranslator(Translator):
    """Translates by instruction, as the prompt object beside the file says.

    Args:
        folder: with one GGUF file, ``prompt.json`` and the manifest; or such a file.
        direction: what it translates.
        decoding: how to search, where not as the prompt says.

    Raises:
        DataError: there is no such file, or not one.
        UsageError: beams are asked for, which llama.cpp does not have.
        PromptMismatch: the prompt was changed after the training.
        MissingPackage: ``llama-cpp-python`` is not installed.
    """

    batch_size = 16
    """Texts go one after the other anyway."""
    samples = True

    def __init__(self, folder: Path, direction: Direction, decoding: DecodingSection | None = None) -> None:
        decoding = decoding or DecodingSection()
        if (decoding.beams or 1) > 1:
            raise UsageError(
                "llama.cpp has no beam search.", "Leave the beams out; --n-best draws further candidates by chance."
            )
        self._file = _file(folder)
        folder = self._file.parent
        manifest = Manifest.open(folder)
        self.name = folder.name
        self.direction = direction
        self._prompt = Prompt.check(folder)
        self._decoding = self._prompt.decoding.changed(decoding)
        self.context = self._prompt.context
        self._form = (manifest.gguf or {}).get("unicode")
        self._package = package("Translating with a GGUF file")
        self._threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
        self._open(CONTEXT)
        self._template = _template(self._llama)

    def _open(self, context: int) -> None:
        self._room = context
        self._llama = self._package.Llama(
            str(self._file),
            n_ctx=context,
            n_batch=min(context, 512),
            n_threads=self._threads,
            n_threads_batch=self._threads,
            n_gpu_layers=-1,
            verbose=False,
        )
        # llama-cpp-python frees the model too late when the program ends, and complains.
        self._closing = weakref.finalize(self, self._llama.close)

    def close(self) -> None:
        """Free the memory of the model."""
        self._closing()

    def rows(self, requests: Sequence[Request]) -> list[list[int]]:
        """The token ids of the questions about texts."""
        questions = (self._prompt.question(one, self.direction) for one in requests)
        return [self.encode(self._prompt.render(self._template, one, answer=False)) for one in questions]

    def encode(self, text: str) -> list[int]:
        """The token ids of a text, special tokens read as such and none added."""
        text = unicodedata.normalize(self._form, text) if self._form else text
        return list(self._llama.tokenize(text.encode(), add_bos=False, special=True))

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        """Translate a batch, one after the other; candidates after the first are sampled."""
        return searched(requests, self._searched)

    def sample(
        self, requests: Sequence[Request], count: int, *, temperature: float, top_p: float = 1.0, seed: int
    ) -> list[list[Candidate]]:
        """Draw translations of a batch, one after the other."""
        sampling = {"temp": temperature, "top_p": top_p}
        return drawn(requests, count, lambda asked, count: self._drawn(asked, [sampling] * count, seed * count))

    def _searched(self, requests: Sequence[Request], count: int) -> list[list[Candidate]]:
        decoding = self._decoding
        own = {"temp": decoding.temperature, "top_p": decoding.top_p}
        others = own if decoding.temperature > 0 else _SAMPLED
        found = self._drawn(requests, [own, *[others] * (count - 1)], 1)
        return [[best, *sorted(rest, key=lambda one: -one.score)] for best, *rest in found]

    def _drawn(
        self, requests: Sequence[Request], samplings: Sequence[dict[str, float]], seed: int
    ) -> list[list[Candidate]]:
        """An answer to each request for each way of sampling, with seeds from ``seed`` on."""
        out = []
        for tokens in self.rows(requests):
            self._make_room(len(tokens))
            out.append([self._answer(tokens, one, seed + number) for number, one in enumerate(samplings)])
        return out

    def fits(self, text: str) -> bool:
        """Whether there is room for the question about a text and its answer."""
        wanted = len(self.rows([Request(text)])[0]) + self._decoding.max_new_tokens
        return wanted <= int(self._llama._model.n_ctx_train())

    def dialogue(self) -> Dialogue:
        """The model to talk to."""
        from seshat.inference.dialogue import LlamaCppDialogue

        return LlamaCppDialogue(self)

    def _make_room(self, length: int) -> None:
        wanted = length + self._decoding.max_new_tokens
        if wanted <= self._room:
            return
        most = self._llama._model.n_ctx_train()
        if wanted > most:
            raise DataError(
                f"{self._file.name}: a text of {length} tokens, and {self._decoding.max_new_tokens} for the answer, "
                f"are more than the {most} that the model can see.",
                "Cut the text into sentences.",
            )
        context = CONTEXT
        while context < wanted:
            context *= 2
        self.close()
        self._open(min(context, most))

    def _answer(self, tokens: list[int], sampling: dict[str, float], seed: int) -> Candidate:
        """Tokens until the end of the turn, and their log-probability per token as beam search scores it."""
        import numpy as np

        self._llama.set_seed(seed % 2**31)
        made: list[int] = []
        total = 0.0
        vocabulary = self._llama._model.vocab
        steps = self._llama.generate(tokens, top_k=0, min_p=0.0, repeat_penalty=1.0, **sampling)
        for token in steps:
            pointer = self._package.llama_get_logits_ith(self._llama._ctx.ctx, -1)
            logits = np.ctypeslib.as_array(pointer, (self._llama.n_vocab(),)).astype(np.float64)
            top = logits.max()
            total += float(logits[token] - top - np.log(np.exp(logits - top).sum()))
            if self._package.llama_vocab_is_eog(vocabulary, token):
                break
            made.append(token)
            if len(made) == self._decoding.max_new_tokens:
                break
        text = b"".join(self._piece(token) for token in made).decode("utf-8", errors="replace").strip()
        text = spoken(text) if self._prompt.thinking else text
        return Candidate(text, total / (len(made) + 1))

    def _piece(self, token: int) -> bytes:
        """The text of a token, nothing for a control token; ``Llama.detokenize`` cuts pieces at 32 bytes."""
        import ctypes

        buffer = ctypes.create_string_buffer(1_024)
        vocabulary = self._llama._model.vocab
        length = self._package.llama_token_to_piece(vocabulary, token, buffer, len(buffer), 0, False)
        return buffer.raw[: max(length, 0)]


def _file(folder: Path) -> Path:
    if folder.suffix == ".gguf":
        return folder
    found = sorted(folder.glob("*.gguf"))
    if len(found) != 1:
        raise DataError(
            f"{folder}: {'no GGUF file' if not found else f'{len(found)} GGUF files'} here.",
            "Name a folder with one, or the file itself. `seshat export gguf` writes such a folder.",
        )
    return found[0]


def _template(llama: Any) -> ChatTemplate:
    """The chat template in the file, with what Transformers would tell it."""
    known = {}
    for name in ("bos", "eos"):
        number = llama.metadata.get(f"tokenizer.ggml.{name}_token_id")
        if number is not None:
            known[f"{name}_token"] = llama._model.token_get_text(int(number))
    return ChatTemplate(llama.metadata.get("tokenizer.chat_template"), known)
