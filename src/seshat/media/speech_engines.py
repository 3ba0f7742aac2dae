"""What turns speech into text: Whisper through CTranslate2, and CTC models (wav2vec 2.0, MMS) through Transformers.

A recogniser hears one stretch of speech in a language that it was told. None guesses the language: what Whisper guesses
for a language that it has never heard is some other one, and the text looks like one.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from seshat.core.errors import DataError, UsageError, require
from seshat.media.speech import RATE

if TYPE_CHECKING:
    from seshat.media.speech import Samples

MANIFEST = "speech.json"
"""Beside a model that Seshat has trained: the language that it hears, and the code by which Whisper is asked for it."""
CTC = frozenset({"wav2vec2", "wav2vec2-bert", "wav2vec2-conformer", "wavlm", "hubert", "unispeech", "unispeech-sat"})
"""Kinds of models (``model_type`` of ``config.json``) that are trained with the CTC loss."""

_LOOP = 2.4
"""Text that compresses further says the same over and over (Radford et al. 2022, arXiv 2212.04356, section 4.5)."""


@dataclass(frozen=True)
class Word:
    """A word, when it was said (seconds from the start of the stretch), and how sure the recogniser is (0 to 1)."""

    text: str
    start: float
    end: float
    score: float


@dataclass(frozen=True)
class Heard:
    """What was understood; an empty text is nothing."""

    text: str
    score: float
    """0 to 1: the geometric mean of the probabilities of its tokens (Whisper), or the mean of its letters' (CTC)."""
    words: tuple[Word, ...] = ()


class Recogniser(Protocol):
    """Hears one stretch of speech at a time."""

    def hear(self, sound: Samples) -> Heard:
        """The text of a stretch of speech."""
        ...


def load(folder: Path, language: str) -> Recogniser:
    """The recogniser of a model folder, for one language.

    Raises:
        UsageError: there is no such model, it is of another kind, or it does not know the language.
        MissingPackage: what runs it is not installed.
    """
    check(folder, language)
    return _Whisper(folder, language) if _is_whisper(folder) else _Ctc(folder, language)


def check(folder: Path, language: str) -> None:
    """Say before anything is loaded whether a model can hear a language.

    Raises:
        UsageError: there is no such model, it is of another kind, or it does not know the language.
    """
    if not (folder / "config.json").is_file():
        raise UsageError(
            f"{folder}: there is no model for speech here.",
            "Put the folder of a Whisper model for CTranslate2 there, or of a CTC model (MMS, wav2vec 2.0).",
        )
    known = languages(folder)
    if known is None or language in known or _code(folder, language) in known:
        return
    shown = ", ".join(sorted(known)[:8]) + (", …" if len(known) > 8 else "")
    raise UsageError(
        f"The model in {folder} does not know '{language}': it would write down some other language. It knows "
        f"{len(known)}: {shown}.",
        "Transcribe what is said in a language that it knows (the track of the pivot), or train a model on what you "
        "have transcribed: seshat transcribe --train",
    )


def languages(folder: Path) -> frozenset[str] | None:
    """The codes of the languages that a model knows; None for one that says nothing (a CTC model of one language).

    Raises:
        UsageError: the model is of another kind.
    """
    if (folder / MANIFEST).is_file():  # whatever it knew before, it has learned this one since
        return frozenset({str(_json(folder / MANIFEST).get("language"))})
    if _is_whisper(folder):
        added = _json(folder / "tokenizer.json").get("added_tokens", [])
        signs = [str(one.get("content", "")) for one in added]
        after = signs.index("<|startoftranscript|>") + 1 if "<|startoftranscript|>" in signs else 0
        codes = [sign[2:-2] for sign in signs[after:] if sign.startswith("<|") and sign[2:-2].isalpha()]
        return frozenset(code for code in codes if len(code) in (2, 3))
    kind = _json(folder / "config.json").get("model_type")
    if kind not in CTC:
        raise UsageError(
            f"{folder}: a model of the kind '{kind}' hears nothing here.",
            "Whisper runs through CTranslate2: ct2-transformers-converter --model … --output_dir … "
            "--copy_files tokenizer.json preprocessor_config.json",
        )
    letters = _json(folder / "vocab.json")
    nested = [code for code, value in letters.items() if isinstance(value, dict)]
    return frozenset(nested) if nested else None


def _is_whisper(folder: Path) -> bool:
    return (folder / "model.bin").is_file()


def _code(folder: Path, language: str) -> str:
    """A language as a model calls it: `es` for Whisper, `spa` for MMS, the whole tag for one of our own."""
    if (folder / MANIFEST).is_file():
        return str(_json(folder / MANIFEST).get("code", language))
    base = language.partition("-")[0].casefold()
    if _is_whisper(folder):
        return base
    import langcodes

    return langcodes.Language.get(base).to_alpha3()


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {error}.", "The model is not complete: fetch it again.") from error
    return value if isinstance(value, dict) else {}


def transformers() -> Any:
    """The library Transformers, which says nothing while it loads.

    Raises:
        MissingPackage: it is not installed.
    """
    library = require("transformers", extra="train", purpose="CTC models and training for speech")
    library.logging.set_verbosity_error()
    library.logging.disable_progress_bar()
    return library


class _Whisper:
    """Whisper through CTranslate2 (faster-whisper)."""

    def __init__(self, folder: Path, language: str) -> None:
        library = require("faster_whisper", extra="audio", purpose="Whisper")
        self._language = _code(folder, language)
        try:
            self._model = library.WhisperModel(str(folder), device="auto", compute_type="auto", local_files_only=True)
        except (RuntimeError, ValueError) as error:
            raise DataError(f"{folder}: the model cannot be loaded: {error}.") from error
        if not self._model.model.is_multilingual and self._language != "en":
            raise UsageError(f"The model in {folder} hears English only, not '{language}'.", "Take a multilingual one.")

    def hear(self, sound: Samples) -> Heard:
        found = self._heard(sound)
        if any(one.compression_ratio > _LOOP for one in found):
            found = self._heard(sound, no_repeat_ngram_size=3)
        words = tuple(
            Word(one.word.strip(), float(one.start), float(one.end), float(one.probability))
            for segment in found
            for one in segment.words or ()
        )
        tokens = sum(len(segment.tokens) for segment in found)
        sure = sum(segment.avg_logprob * len(segment.tokens) for segment in found) / max(1, tokens)
        return Heard(" ".join(segment.text.strip() for segment in found).strip(), math.exp(min(0.0, sure)), words)

    def _heard(self, sound: Samples, **told: Any) -> list[Any]:
        """Its segments, at a temperature of 0 alone: with others the text would differ from run to run."""
        segments, _ = self._model.transcribe(
            sound,
            language=self._language,
            temperature=0.0,
            word_timestamps=True,
            condition_on_previous_text=False,
            **told,
        )
        return list(segments)


class _Ctc:
    """A CTC model through Transformers; of MMS with the letters and the adapter of the language."""

    def __init__(self, folder: Path, language: str) -> None:
        models = transformers()
        nested = languages(folder) is not None and not (folder / MANIFEST).is_file()
        told = {"target_lang": _code(folder, language)} if nested else {}
        kept = {"local_files_only": True, "use_safetensors": True, "trust_remote_code": False}
        self._torch = require("torch", extra="train", purpose="CTC models")
        try:
            tokenizer = models.Wav2Vec2CTCTokenizer.from_pretrained(str(folder), local_files_only=True, **told)
            features = models.AutoFeatureExtractor.from_pretrained(str(folder), local_files_only=True)
            self._model = models.AutoModelForCTC.from_pretrained(
                str(folder), ignore_mismatched_sizes=bool(told), **told, **kept
            ).eval()
        except (OSError, ValueError) as error:
            raise DataError(f"{folder}: the model cannot be loaded: {error}.") from error
        self._tokenizer, self._features = tokenizer, features

    def hear(self, sound: Samples) -> Heard:
        given = self._features(sound, sampling_rate=RATE, return_tensors="pt")
        with self._torch.inference_mode():
            sure, letters = self._model(**given).logits[0].softmax(-1).max(-1)
        said = letters != self._tokenizer.pad_token_id
        read = self._tokenizer.decode(letters, output_word_offsets=True)
        step = self._model.config.inputs_to_logits_ratio / RATE
        words = tuple(
            Word(
                one["word"], float(one["start_offset"]) * step, float(one["end_offset"]) * step,
                float(sure[one["start_offset"] : one["end_offset"]].mean()),
            )
            for one in read.word_offsets
        )  # fmt: skip
        return Heard(read.text.strip(), float(sure[said].mean()) if bool(said.any()) else 0.0, words)
