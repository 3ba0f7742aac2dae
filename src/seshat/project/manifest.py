"""``model.json``: what a model says of itself, and what Seshat wrote into its folder.

Every family and every export has one. It is enough to translate with the model elsewhere, and holds no time and no
path of the machine. The list of files makes two promises possible: a folder that was cut, mixed or changed is noticed
when it is opened, and nothing but what is named there is ever replaced by another model.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seshat.config import families
from seshat.config.families import Family
from seshat.core import paths
from seshat.core.errors import DataError
from seshat.core.jsonl import cannot_read, sha256, write_json

FILE = "model.json"
FREE = ("README.md", "prompt.json")
"""Files that are not compared: a card is for people, who may edit it; the prompt has a hash of its own."""
OPTIONAL = ("memory", "checkpoints")
"""Folders that may be missing as a whole: records that prompts quote from, which not everybody may pass on, and
checkpoints that were kept beside the model."""
DROPPINGS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", ".directory"})
"""What file managers leave in every folder that somebody looks at."""
_SHOWN = 3
_DOCUMENTS = 1.5
"""Mean number of sentences from which texts count as documents."""
_HINT = "Move it away, or give the new model another name: train.name"
_verified: dict[Path, tuple[Any, ...]] = {}
"""Folders that were found whole by this process, with the sizes and times that their files had then."""


class Base(BaseModel):
    """The pretrained model that a fine-tuned one started from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = ""
    """On the Hugging Face hub, or a folder."""
    revision: str | None = None
    fingerprint: str = ""
    """See :func:`seshat.models.neural.base.fingerprint`."""


class Manifest(BaseModel):
    """What stands in ``model.json``. Paths are relative to the folder of the model, with slashes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 1
    family: str
    """One of :data:`seshat.config.families.FAMILIES`."""
    name: str = ""
    directions: tuple[str, ...] = ()
    """Such as ``shp-es``; a masked model translates in none."""
    languages: dict[str, str] = Field(default_factory=dict)
    """Names by language tag."""
    normalisation: dict[str, Any] = Field(default_factory=lambda: {"profiles": {}, "placeholders": {}})
    """Orthography ``profiles`` by language tag, and ``placeholders``, as in the prompt object."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Of the training: sections of ``train``, or that of the family."""
    seed: int = 0
    data: dict[str, str] = Field(default_factory=dict)
    """SHA-256 of the training files, by their names in ``data/training``."""
    results: dict[str, Any] = Field(default_factory=dict)
    """What the training reported: by direction where it trained each."""
    context: int = 0
    """Not read any more: a neural model has it in its prompt. Manifests of earlier versions hold it."""
    sentences: float = 1.0
    """Mean number of sentences in a training text, of the language that has more."""
    base: Base | None = None
    """Of a fine-tuned model; one from scratch has none."""
    vocabulary: dict[str, Any] | None = None
    """What was added to the vocabulary of the base."""
    adapter: bool = False
    """Whether the base is needed beside what is here."""
    quantization: str = "none"
    """Of the base, in the training of an adapter."""
    prompt: str | None = None
    """Hash of ``prompt.json``."""
    checkpoint: str | None = None
    """SHA-256 of the weights, where this is a view of a checkpoint."""
    form: str | None = None
    """Of an export: ``merged``, ``adapter``, ``gguf`` or ``ctranslate2``."""
    exported_from: str | None = None
    """The model that an export was made from."""
    gguf: dict[str, Any] | None = None
    ctranslate2: dict[str, Any] | None = None
    files: dict[str, str] | None = None
    """SHA-256 of every file that Seshat wrote into the folder, but this one. ``None``: of an older version, or a view
    of a model that is somewhere else; such a folder cannot be verified."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """What the model in a folder says of itself; its files are not looked at.

        Raises:
            DataError: there is no model, or none that this version reads.
        """
        path = folder / FILE
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise DataError(f"{path}: there is no trained model here.", "Train one with: seshat train") from error
        except OSError as error:
            raise cannot_read(path, error) from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise DataError(
                f"{path}: not a model description: {place + ': ' if place else ''}{first['msg']}.",
                "It is damaged, or of another version of Seshat: update Seshat, bring back the file, or train the "
                "model again: seshat train",
            ) from error

    @classmethod
    def open(cls, folder: Path) -> Self:
        """As :meth:`read`, and every file must be there and be the one that was written.

        A folder is read through once per process, and again when the size or time of a file has changed.

        Raises:
            DataError: a file is missing, cut or another one; names it.
        """
        manifest = cls.read(folder)
        if manifest.files is not None:
            _verify(folder, manifest.files)
        return manifest

    def write(self, folder: Path) -> None:
        """Write ``model.json`` as it is."""
        write_json(paths.inside(folder) / FILE, self.model_dump(mode="json", exclude_none=True))

    def seal(self, folder: Path) -> Self:
        """Write ``model.json`` with the list of all other files in a finished folder; returns what was written."""
        names = [name for name in paths.strangers(folder, [FILE]) if Path(name).name not in DROPPINGS]
        sealed = self.model_copy(update={"files": dict(zip(names, _digests(folder, names), strict=True))})
        sealed.write(folder)
        return sealed

    @property
    def kind(self) -> Family:
        """What is particular to its family.

        Raises:
            DataError: this version of Seshat does not know it.
        """
        return families.of(self.family)

    @property
    def trained_on_sentences(self) -> bool:
        """Whether its texts were sentences, mostly; documents of tablets have several each (corpora: 1.0 to 1.4)."""
        return self.sentences < _DOCUMENTS

    @property
    def languages_told(self) -> str:
        """The languages for people: ``Shipibo (shp) and Spanish (es)``."""
        return " and ".join(f"{name} ({tag})" for tag, name in self.languages.items())


def is_model(folder: Path) -> bool:
    """Whether there is a model of Seshat in a folder, whole or not."""
    return (folder / FILE).is_file()


def digest(folder: Path) -> str:
    """SHA-256 of ``model.json``, which another training changes; nothing where there is none."""
    return sha256(folder / FILE) if is_model(folder) else ""


def claim(folder: Path, hint: str = _HINT) -> None:
    """Make sure that a folder may be replaced by a model: everything in it was written by Seshat.

    Args:
        folder: that of a model, there or not.
        hint: what to do otherwise.

    Raises:
        DataError: it lies outside the project, or holds something else.
    """
    paths.inside(folder)
    paths.recover(folder)
    if not folder.exists():
        return
    try:
        known = Manifest.read(folder).files
    except DataError:
        known = None
    unknown = [name for name in paths.strangers(folder, [FILE, *(known or ())]) if Path(name).name not in DROPPINGS]
    if not unknown:
        return
    more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
    raise DataError(
        f"{folder}: this folder would be replaced, and holds what Seshat did not write there, or wrote before it kept "
        f"a list of its files: {', '.join(unknown[:_SHOWN])}{more}.",
        hint,
    )


def publish(staging: Path, folder: Path, hint: str = _HINT) -> None:
    """Give a finished model its name; the one that had it stays until the new one is whole.

    Args:
        staging: a sealed folder.
        folder: where it belongs.
        hint: what to do when it may not go there.

    Raises:
        DataError: there is something in ``folder`` that Seshat did not write.
    """
    claim(folder, hint)
    paths.swap(staging, folder)


def _verify(folder: Path, files: Mapping[str, str]) -> None:
    absent = tuple(f"{name}/" for name in OPTIONAL if not (folder / name).exists())
    names = [name for name in files if not name.startswith(absent)]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        _refuse(folder, missing, "is missing", "are missing")
    stamps = tuple((name, stat.st_size, stat.st_mtime_ns) for name in names for stat in [(folder / name).stat()])
    where = folder.resolve()
    if _verified.get(where) == stamps:
        return
    compared = [name for name in names if Path(name).name not in FREE]
    changed = [name for name, found in zip(compared, _digests(folder, compared), strict=True) if found != files[name]]
    if changed:
        _refuse(folder, changed, "is not the file that was written there", "are not the files that were written there")
    _verified[where] = stamps


def _refuse(folder: Path, names: list[str], one: str, several: str) -> None:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    raise DataError(
        f"{folder}: this model is damaged: {', '.join(names[:_SHOWN])}{more} {one if len(names) == 1 else several}.",
        "A copy that broke off, or files of two models in one folder, do this. Copy the whole folder anew, or train "
        "the model again: seshat train",
    )


def _digests(folder: Path, names: list[str]) -> list[str]:
    """SHA-256 of files, several at a time: hashing lets go of the interpreter."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda name: sha256(folder / name), names))
