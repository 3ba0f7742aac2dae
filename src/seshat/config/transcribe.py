"""Section ``transcribe``: recordings, written down by a machine and checked by people."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from seshat.config.base import Language, Mistake, Name, RawPath, Section
from seshat.core.records import Access


class Recordings(Section):
    """Recordings that are heard alike."""

    name: Name
    """A short name, unique in the project; it becomes part of the ids."""
    path: RawPath | tuple[RawPath, ...]
    """File, pattern (`audio/*.wav`) or list of them, below data/raw: wav, mp3, flac, m4a, ogg, mp4. An ELAN or Praat
    file of the same name beside a recording says what is transcribed already."""
    language: Language
    """What is spoken. It is never guessed: a model takes a language that it does not know for another one."""
    model: str | None = None
    """Folder of a model for these recordings alone; default: transcribe.model."""
    speaker: str | None = None
    """Speaker of all recordings."""
    genre: str | None = None
    """Genre of all recordings."""
    licence: str | None = None
    """Licence of the recordings."""
    access: Access = Access.RESTRICTED
    """Access level of the recordings; what is written down of them has the same."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """The paths as a tuple."""
        return (self.path,) if isinstance(self.path, str) else self.path

    def mistakes(self) -> Iterator[Mistake]:
        """A language that is none."""
        if self.language.casefold() in {"auto", "und", "mul", "mis", "zxx"}:
            message = (
                f"'{self.language}' is no language: what is spoken has to be said, it is never guessed. A model that "
                "is left to guess writes down a language it has never heard as another one; write for instance es"
            )
            yield Mistake(("language",), message)


class SpeechTraining(Section):
    """A model for speech, trained on what people have transcribed (`seshat transcribe --train`)."""

    base: str = "models/mms-300m"
    """Folder of the model to start from: wav2vec 2.0, MMS or Whisper, as Transformers saves them."""
    name: Name = "speech"
    """The model is written to models/NAME."""
    learning_rate: float = Field(default=3e-4, gt=0)
    """Highest step; 3e-4 is usual for CTC, 1e-5 for Whisper."""
    whisper_language: Language = "es"
    """For Whisper, which has to be told some language that it knows: the one whose sounds and letters are closest."""
    steps: int = Field(default=2_000, ge=1)
    """Batches to learn from."""
    batch_size: int = Field(default=8, ge=1)
    """Stretches of speech in a batch; lower it when memory runs out."""
    held_out: float = Field(default=0.15, gt=0, lt=1)
    """Share of the speech that the model is measured on: of speakers of whom it has heard nothing."""


class TranscribeSection(Section):
    """Recordings to text that people check."""

    run: bool = False
    """Whether `seshat run` does it, too; otherwise only `seshat transcribe` does."""
    model: str = "models/whisper"
    """Folder of the model, from the project folder: Whisper for CTranslate2, or a CTC model (MMS, wav2vec 2.0)."""
    recordings: tuple[Recordings, ...] = ()
    """What is to be heard."""
    allow_unreviewed: bool = False
    """Let what nobody has checked into training."""
    train: SpeechTraining = SpeechTraining()
    """Training a model on what is transcribed already."""
