"""A model for speech, trained on what people have transcribed, and measured on speakers that it has never heard.

Wav2vec 2.0 and MMS learn with the CTC loss and an alphabet made of the transcriptions; Whisper learns as it was
pretrained and is brought into the form of CTranslate2, so that the stage can hear with what came out.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seshat.config.transcribe import SpeechTraining
from seshat.core.errors import DataError, UsageError, require
from seshat.core.journal import key_of
from seshat.core.jsonl import atomic_path, write_json
from seshat.core.paths import fresh, remove, swap
from seshat.core.progress import task, track
from seshat.media.speech import RATE, Span, cut
from seshat.media.speech_engines import CTC, MANIFEST, load, transformers
from seshat.media.speech_report import measured, plain
from seshat.media.speech_tiers import pieces_of
from seshat.project.folder import Project

if TYPE_CHECKING:
    from seshat.media.speech import Samples

_LEAST = 4
"""Transcribed stretches without which there is nothing to learn."""
_WARM_UP = 0.1
"""Share of the steps in which the learning rate rises."""


@dataclass(frozen=True)
class Example:
    """A stretch of speech, what somebody wrote down of it, and who speaks."""

    recording: Path
    span: Span
    text: str
    speaker: str


def examples(project: Project, language: str) -> list[Example]:
    """What people have transcribed of the recordings in a language and this run may use; shortest first.

    Who speaks is what the annotation file or the configuration says; where neither does, every recording has a speaker
    of its own.
    """
    from seshat.media.transcribe import tapes

    found = []
    for tape in tapes(project):
        if tape.section.language != language or not project.gate.admits(tape.access):
            continue
        for piece in pieces_of(tape.annotations, project, ()):
            text = piece.texts.get(language, "")
            if plain(text) and piece.span.seconds < 30:
                speaker = piece.speaker or tape.section.speaker or tape.name
                found.append(Example(tape.path, piece.span, text, speaker))
    return sorted(found, key=lambda one: (one.span.seconds, one.recording, one.span))


def parted(found: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Examples to learn from and to measure on, with no speaker in both.

    Speakers are taken out in the order of a hash until their speech is the share that is asked for, but never the last.

    Raises:
        DataError: only one person speaks: nothing could be measured.
    """
    said = Counter[str]()
    for one in found:
        said[one.speaker] += 1
    if len(said) < 2:
        raise DataError(
            f"only one person speaks in what is transcribed ({next(iter(said), 'nobody')}): on whom should the model "
            "be measured?",
            "Give the speakers (participants of ELAN tiers, or speaker: of the recordings), or transcribe another one.",
        )
    order = sorted(said, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).hexdigest())
    out: set[str] = set()
    while len(out) < len(order) - 1 and sum(said[name] for name in out) < share * len(found):
        out.add(order[len(out)])
    return [one for one in found if one.speaker not in out], [one for one in found if one.speaker in out]


class Sounds:
    """The samples of examples, on disk: hours of speech do not fit into memory.

    Args:
        path: the file to write them to.
        found: the examples.
    """

    def __init__(self, path: Path, found: Sequence[Example]) -> None:
        import numpy as np

        self.path, self._places = path, dict[Example, tuple[int, int]]()
        at = 0
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            for recording in track(dict.fromkeys(one.recording for one in found), "decoding"):
                wanted = {one.span: one for one in found if one.recording == recording}
                for span, sound in cut(recording, wanted):
                    stream.write((sound * 32767).astype(np.int16).tobytes())
                    self._places[wanted[span]] = at, at + len(sound)
                    at += len(sound)
        self.known = [one for one in found if one in self._places]
        """The examples that lie inside their recordings."""

    def of(self, one: Example) -> Samples:
        """The samples of an example."""
        import numpy as np

        start, end = self._places[one]
        return np.memmap(self.path, np.int16, "r")[start:end].astype(np.float32) / np.float32(32767)


class _Ctc:
    """Wav2vec 2.0, MMS and their kin, with a new alphabet: the letters of the transcriptions."""

    def __init__(self, base: Path, texts: Sequence[str], work: Path, _code: str) -> None:
        models = transformers()
        letters = sorted(set("".join(map(plain, texts))) - {" "})
        signs = {sign: number for number, sign in enumerate(["<pad>", "<unk>", "|", *letters])}
        write_json(work / "vocab.json", signs)
        names = {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": None, "eos_token": None}
        self.tokenizer = models.Wav2Vec2CTCTokenizer(str(work / "vocab.json"), **names)
        self.features = models.AutoFeatureExtractor.from_pretrained(str(base), local_files_only=True)
        self.model = models.AutoModelForCTC.from_pretrained(
            str(base), local_files_only=True, use_safetensors=True, vocab_size=len(signs), pad_token_id=0,
            ctc_loss_reduction="mean", ctc_zero_infinity=True, ignore_mismatched_sizes=True,
        )  # fmt: skip
        if hasattr(self.model, "freeze_feature_encoder"):  # it has heard more speech than any project has
            self.model.freeze_feature_encoder()

    def batch(self, found: Sequence[tuple[Samples, str]]) -> dict[str, Any]:
        """What the model takes."""
        given = self.features([sound for sound, _ in found], sampling_rate=RATE, padding=True, return_tensors="pt")
        return {**given, "labels": _padded([self.tokenizer(plain(text)).input_ids for _, text in found])}

    def save(self, folder: Path) -> None:
        """Write the model as the stage loads it."""
        for part in (self.model, self.tokenizer, self.features):
            part.save_pretrained(str(folder))


class _Whisper:
    """Whisper, told that the language is the one of the code."""

    def __init__(self, base: Path, _texts: Sequence[str], work: Path, code: str) -> None:
        models = transformers()
        kept = {"local_files_only": True}
        self.tokenizer = models.AutoTokenizer.from_pretrained(str(base), **kept)
        self.tokenizer.set_prefix_tokens(language=code, task="transcribe", predict_timestamps=False)
        self.features = models.WhisperFeatureExtractor.from_pretrained(str(base), **kept)
        self.model = models.WhisperForConditionalGeneration.from_pretrained(str(base), use_safetensors=True, **kept)
        self._work = work

    def batch(self, found: Sequence[tuple[Samples, str]]) -> dict[str, Any]:
        """What the model takes; it puts the first sign before the labels itself."""
        given = self.features([sound for sound, _ in found], sampling_rate=RATE, return_tensors="pt")
        return {**given, "labels": _padded([self.tokenizer(text).input_ids[1:] for _, text in found])}

    def save(self, folder: Path) -> None:
        """Write the model as the stage loads it: for CTranslate2."""
        converters = require("ctranslate2.converters", extra="audio", purpose="Whisper")
        saved = fresh(self._work / "saved")
        for part in (self.model, self.tokenizer, self.features):
            part.save_pretrained(str(saved))
        copied = [name for name in ("tokenizer.json", "preprocessor_config.json") if (saved / name).is_file()]
        converters.TransformersConverter(str(saved), copy_files=copied).convert(
            str(folder), quantization="int8", force=True
        )


def _padded(rows: Sequence[Sequence[int]]) -> Any:
    """Labels of one length; what is added counts nothing in the loss."""
    import torch

    return torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=-100)


def train(project: Project) -> dict[str, Any]:
    """Train a model on the transcribed part of the project's recordings; writes ``models/NAME``.

    Killed, it goes on from its last checkpoint the next time.

    Raises:
        DataError: there is too little to learn from, or nobody to measure on.
        UsageError: the model to start from is not there, or of another kind.
    """
    section, seed = project.config.transcribe.train, project.config.project.seed
    language = project.config.project.language
    base, target = project.root / section.base, project.models / section.name
    if not (base / "config.json").is_file():
        raise UsageError(f"{base}: there is no model to start from.", "transcribe.train.base names its folder.")
    kind = json.loads((base / "config.json").read_text(encoding="utf-8")).get("model_type")
    if kind not in CTC and kind != "whisper":
        raise UsageError(f"{base}: a model of the kind '{kind}' learns no speech here.", "Take MMS or Whisper.")
    work = project.state / "transcribe" / "training"
    work.mkdir(parents=True, exist_ok=True)
    found = Sounds(work / "sounds.bin", examples(project, language))
    learn, held_out = parted(found.known, section.held_out, seed)
    if len(learn) < _LEAST:
        raise DataError(f"{len(learn)} transcribed stretches are too few to learn from.", "Transcribe more by hand.")
    texts = [one.text for one in learn]
    learner: _Ctc | _Whisper = (_Whisper if kind == "whisper" else _Ctc)(base, texts, work, section.whisper_language)
    _fit(learner, [(found, one) for one in learn], section, work / key_of(texts, section.model_dump()), seed)
    made = fresh(work / "made")
    learner.save(made)
    about = {
        "language": language,
        "base": section.base,
        **({"code": section.whisper_language} if kind == "whisper" else {}),
    }
    write_json(made / MANIFEST, about)
    engine = load(made, language)
    heard = [engine.hear(found.of(one)).text for one in track(held_out, "measuring")]
    scores = measured([(one.text, text) for one, text in zip(held_out, heard, strict=True)], seed)
    report = {
        "model": target.relative_to(project.root).as_posix(),
        "learned_from": len(learn),
        "speakers": sorted({one.speaker for one in learn}),
        "measured_on": sorted({one.speaker for one in held_out}),
        **(asdict(scores) if scores else {}),
    }
    write_json(made / "report.json", report)
    swap(made, target)
    remove(work)
    return report


def _fit(learner: Any, found: list[tuple[Sounds, Example]], section: SpeechTraining, folder: Path, seed: int) -> None:
    """Train with the Trainer of Transformers, from the last checkpoint where there is one."""
    models = transformers()
    torch = require("torch", extra="train", purpose="Training")
    cuda = torch.cuda.is_available()
    arguments = models.TrainingArguments(
        output_dir=str(folder), max_steps=section.steps, per_device_train_batch_size=section.batch_size,
        learning_rate=section.learning_rate, warmup_steps=round(_WARM_UP * section.steps), seed=seed, use_cpu=not cuda,
        bf16=cuda and torch.cuda.is_bf16_supported(), save_steps=max(1, section.steps // 10), save_total_limit=1,
        report_to=[], disable_tqdm=True, remove_unused_columns=False, logging_strategy="no",
    )  # fmt: skip

    def together(rows: Sequence[tuple[Sounds, Example]]) -> dict[str, Any]:
        return dict(learner.batch([(sounds.of(one), one.text) for sounds, one in rows]))

    with task("training", section.steps) as advance:

        class Told(models.TrainerCallback):  # type: ignore[misc, name-defined]
            def on_step_end(self, *_: Any, **__: Any) -> None:
                advance(1)

        trainer = models.Trainer(
            model=learner.model, args=arguments, train_dataset=found, data_collator=together, callbacks=[Told()]
        )
        trainer.remove_callback(models.PrinterCallback)
        trainer.train(resume_from_checkpoint=any(folder.glob("checkpoint-*")) or None)
