"""The sound of recordings: decoded bit by bit, where somebody speaks, and the samples of a span.

Sound is 16 kHz, one channel, float32 from -1 to 1, as every recogniser here takes it. Recordings of hours pass through
in blocks of some minutes, so that memory does not grow with their length. What PyAV decodes is read: wav, mp3, flac,
m4a, ogg, and the sound of mp4 and other films.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seshat.core.errors import DataError, require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

RATE = 16_000
"""Samples in a second."""
BLOCK = 120
"""Seconds that are decoded at once."""
LONGEST = 28.0
"""Seconds of a stretch of speech: Whisper hears 30 at a time."""
_SILENCE_MS, _PAD_MS = 500, 200
"""Silence that parts two stretches, and what is kept around each."""


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of a recording, in seconds from its start."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start

    def overlap(self, other: Span) -> float:
        """Seconds that both have."""
        return max(0.0, min(self.end, other.end) - max(self.start, other.start))


def blocks(path: Path, damaged: list[str] | None = None) -> Iterator[Samples]:
    """The sound of a recording, block by block.

    Args:
        path: the recording.
        damaged: told of stretches that cannot be decoded; the sound goes on after them.

    Raises:
        DataError: there is no sound in the file, or it is damaged so that none can be decoded.
    """
    import numpy as np

    av = require("av", extra="audio", purpose="Reading recordings")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty.")
    broken, heard = 0, 0
    waiting: list[Samples] = []
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.audio:
                what = "a film without sound" if container.streams.video else "no recording: there is no sound in it"
                raise DataError(f"{path}: {what}.", "Take the file away, or put the recording in its place.")
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            for frame in _frames(av, container):
                if frame is None:
                    broken += 1
                    continue
                for piece in resampler.resample(frame):
                    waiting.append(piece.to_ndarray().reshape(-1).astype(np.float32) / 32768.0)
                    heard += len(waiting[-1])
                if sum(map(len, waiting)) >= BLOCK * RATE:
                    yield np.concatenate(waiting)
                    waiting = []
    except (av.error.FFmpegError, OSError) as error:
        if not heard:
            reason = f"it cannot be decoded ({error.strerror or error})"
            raise DataError(f"{path}: {reason}.", "It is damaged, or no recording: play it to see.") from error
        broken += 1
    if broken and damaged is not None:
        damaged.append(f"{broken:,} pieces of the sound are damaged; what is left was heard")
    if not heard:
        raise DataError(f"{path}: there is a sound track, but nothing on it.")
    if waiting:
        yield np.concatenate(waiting)


def _frames(av: Any, container: Any) -> Iterator[Any]:
    """Decoded frames; None for one that is damaged."""
    for packet in container.demux(container.streams.audio[0]):
        try:
            for frame in packet.decode():
                frame.pts = None  # gaps of the clock of a damaged file are no silence
                yield frame
        except av.error.InvalidDataError:
            yield None


def voiced(path: Path, damaged: list[str] | None = None) -> list[Span]:
    """Where somebody speaks: stretches of up to :data:`LONGEST` seconds between silences (Silero VAD).

    Raises:
        DataError: as of :func:`blocks`.
    """
    import numpy as np

    vad = require("faster_whisper.vad", extra="audio", purpose="Finding speech")
    options = vad.VadOptions(max_speech_duration_s=LONGEST, min_silence_duration_ms=_SILENCE_MS, speech_pad_ms=_PAD_MS)
    found: list[Span] = []
    held, at = np.zeros(0, np.float32), 0
    for block, last in _with_last(blocks(path, damaged)):
        sound = np.concatenate([held, block])
        stretches = vad.get_speech_timestamps(sound, options)
        cut = len(sound)
        if not last and stretches and stretches[-1]["end"] > len(sound) - RATE:
            cut = stretches.pop()["start"]  # somebody is in the middle of a sentence: it is heard with the next block
            if len(sound) - cut > 2 * LONGEST * RATE:
                cut = len(sound)
        found += [Span((at + one["start"]) / RATE, (at + one["end"]) / RATE) for one in stretches]
        held, at = sound[cut:], at + cut
    return [Span(round(one.start, 3), round(one.end, 3)) for one in found]


def _with_last(items: Iterable[Samples]) -> Iterator[tuple[Samples, bool]]:
    """Items, each with whether it is the last."""
    before = None
    for item in items:
        if before is not None:
            yield before, False
        before = item
    if before is not None:
        yield before, True


def cut(path: Path, spans: Iterable[Span]) -> Iterator[tuple[Span, Samples]]:
    """The samples of spans, in the order of their starts; what lies behind the end of the recording is left out.

    Raises:
        DataError: as of :func:`blocks`.
    """
    import numpy as np

    waiting = sorted(spans)
    held, at = np.zeros(0, np.float32), 0
    for block, last in _with_last(blocks(path)):
        held = np.concatenate([held, block])
        while waiting and (last or waiting[0].end * RATE <= at + len(held)):
            span = waiting.pop(0)
            sound = held[max(0, round(span.start * RATE) - at) : max(0, round(span.end * RATE) - at)]
            if len(sound):
                yield span, sound
        passed = len(held) if not waiting else min(len(held), max(0, round(waiting[0].start * RATE) - at))
        held, at = held[passed:], at + passed
        if not waiting:
            return
