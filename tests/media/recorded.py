"""Sounds made here, and a recogniser that says how long it heard: nothing of it needs a model."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path
from typing import Any

from seshat.media.speech_engines import Heard, Word


def tone(path: Path, seconds: float, rate: int = 8_000) -> Path:
    """A recording in which nobody speaks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = (round(8_000 * math.sin(at / 9)) for at in range(round(seconds * rate)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return path


class Listener:
    """Says how long a stretch is, in halves of a second; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.fails_at = -1

    def hear(self, sound: Any) -> Heard:
        if len(self.asked) == self.fails_at:
            raise KeyboardInterrupt
        self.asked.append(len(sound))
        halves = round(len(sound) / 8_000)
        if halves > 8:
            return Heard("", 0.0)
        text = " ".join(["Kuno", "mina", "tola", "seka", "ruka", "wani", "pali", "kumu"][:halves])
        return Heard(f"{text}.", 0.5, (Word("Kuno", 0.1, 0.4, 0.5),))
