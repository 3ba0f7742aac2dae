"""Training on what people have transcribed: a tiny random model, the same command as for a large one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.formats.test_eaf import document, tier, timed
from tests.media.recorded import tone
from typer.testing import CliRunner

from seshat.cli.app import app
from seshat.core.errors import DataError, UsageError
from seshat.media import speech_training
from seshat.media.speech import Span
from seshat.media.speech_engines import MANIFEST, load
from seshat.media.speech_training import Example, parted
from seshat.project.folder import Project, open_project

CONFIG = """\
project: {name: Tapes, language: qlm, pivot: es, max_access: public}
transcribe:
  recordings:
    - {name: tape, path: "audio/*.wav", language: qlm, access: public}
  train: {base: models/base, steps: 2, batch_size: 2, held_out: 0.3}
"""


TINY: dict[str, Any] = {
    "conv_dim": (8, 8), "conv_kernel": (10, 8), "conv_stride": (40, 8), "num_feat_extract_layers": 2,
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
    "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2, "mask_time_length": 2,
}  # fmt: skip
"""Wav2vec 2.0 of a few hundred weights."""


def ctc(folder: Path) -> Path:
    """A wav2vec 2.0 of a few hundred weights, drawn by chance."""
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model, set_seed

    set_seed(1)
    Wav2Vec2Model(Wav2Vec2Config(**TINY)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return folder


def spoken(*texts: str) -> str:
    """An ELAN file with a text for every second."""
    slots = [number * 1000 for number in range(len(texts) + 1)]
    annotations = (timed(f"a{n}", f"ts{n}", f"ts{n + 1}", text) for n, text in enumerate(texts, start=1))
    return document(slots, tier("tx", "utterance", *annotations))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "seshat.yaml").write_text(CONFIG, encoding="utf-8")
    for name in ("ana", "rosa", "tomas"):
        tone(tmp_path / f"data/raw/audio/{name}.wav", 4)
        (tmp_path / f"data/raw/audio/{name}.eaf").write_text(spoken("Kuno.", "Mina tola!", "Séka", ""))
    return open_project(tmp_path)


@pytest.fixture
def base(project: Project) -> Path:
    pytest.importorskip("transformers")
    return ctc(project.root / "models/base")


def test_a_model_is_trained_by_command_and_hears_other_speakers(project: Project, base: Path) -> None:
    shown = CliRunner().invoke(app, ["transcribe", "--train", "--json", "--project", str(project.root)])
    assert shown.exit_code == 0, shown.output
    told: dict[str, Any] = json.loads(shown.stdout)
    assert (told["learned_from"], told["stretches"], told["words"]) == (6, 3, 4)
    assert set(told["speakers"]) | set(told["measured_on"]) == {f"audio/{n}.wav" for n in ("ana", "rosa", "tomas")}
    assert not set(told["speakers"]) & set(told["measured_on"])
    folder = project.root / told["model"]
    assert json.loads((folder / MANIFEST).read_text())["language"] == "qlm"
    assert set("kunomiatlsé") <= set(json.loads((folder / "vocab.json").read_text()))
    assert not list(folder.glob("*.bin"))
    assert load(folder, "qlm").hear(sound()).score > 0
    assert not (project.state / "transcribe/training").exists()


def sound() -> Any:
    import numpy as np

    return np.sin(np.arange(16_000, dtype=np.float32) / 9)


def test_killed_it_goes_on_from_its_checkpoint(project: Project, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    starts: list[int] = []
    trained = transformers.Trainer.training_step

    def step(self: Any, *told: Any, **more: Any) -> Any:
        starts.append(self.state.global_step)
        if starts == [0, 1]:
            raise KeyboardInterrupt
        return trained(self, *told, **more)

    monkeypatch.setattr(transformers.Trainer, "training_step", step)
    with pytest.raises(KeyboardInterrupt):
        speech_training.train(project)
    speech_training.train(project)
    assert starts == [0, 1, 1]


def example(speaker: str, number: int) -> Example:
    return Example(Path("a.wav"), Span(number, number + 1), "kuno", speaker)


def test_no_speaker_is_on_both_sides() -> None:
    found = [example(speaker, number) for number, speaker in enumerate("AABBBCCCCD" * 3)]
    learn, held_out = parted(found, 0.2, 13)
    assert not {one.speaker for one in learn} & {one.speaker for one in held_out}
    assert len(learn) + len(held_out) == 30
    assert 0.2 <= len(held_out) / 30 < 0.7
    with pytest.raises(DataError, match="only one person speaks"):
        parted([example("Ana", 1)], 0.2, 13)


def test_what_the_run_may_not_use_teaches_nothing(project: Project) -> None:
    (project.root / "seshat.yaml").write_text(CONFIG.replace(", access: public", ", access: sealed"))
    assert speech_training.examples(open_project(project.root), "qlm") == []


def test_mms_takes_the_letters_and_the_adapter_of_the_language(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from safetensors.torch import save_file
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    told = {**TINY, "adapter_attn_dim": 4, "do_stable_layer_norm": True}
    Wav2Vec2ForCTC(Wav2Vec2Config(**told, vocab_size=5)).save_pretrained(tmp_path)
    Wav2Vec2FeatureExtractor().save_pretrained(tmp_path)
    letters = {"<pad>": 0, "<unk>": 1, "|": 2, "a": 3, "b": 4}
    (tmp_path / "vocab.json").write_text(json.dumps({"eng": letters, "spa": {**letters, "ñ": 5}}))
    spanish = Wav2Vec2ForCTC(Wav2Vec2Config(**told, vocab_size=6))
    adapter = {name: value.detach().contiguous() for name, value in spanish._get_adapters().items()}
    save_file(adapter, tmp_path / "adapter.spa.safetensors")
    heard = load(tmp_path, "es-PE").hear(sound())
    assert set(heard.text) <= set("abñ <unk>")
    assert 0 < heard.score < 1
    with pytest.raises(DataError, match=r"adapter\.eng"):
        load(tmp_path, "en")


@pytest.mark.weights
def test_whisper_learns_and_is_heard_through_ctranslate2(project: Project, whisper_base: Path) -> None:
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperTokenizerFast,
    )  # fmt: skip

    base = project.root / "models/base"
    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2}
    sizes |= {"decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "vocab_size": 51_865}
    WhisperForConditionalGeneration(WhisperConfig(**sizes)).save_pretrained(base)
    WhisperTokenizerFast(tokenizer_file=str(whisper_base / "tokenizer.json")).save_pretrained(base)
    WhisperFeatureExtractor().save_pretrained(base)
    told = speech_training.train(project)
    assert (told["learned_from"], told["stretches"]) == (6, 3)
    assert load(project.models / "speech", "qlm").hear(sound()).score >= 0
    with pytest.raises(UsageError, match="does not know 'es'"):
        load(project.models / "speech", "es")
