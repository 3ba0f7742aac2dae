"""Speech of espeak-ng, in sentences written here, heard by Whisper base: errors, speed, and the way through ELAN."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import wave
from pathlib import Path
from typing import Any

from tests.weights import joined_whisper, say

from seshat.core.errors import SeshatError
from seshat.core.jsonl import read_jsonl
from seshat.core.records import Segment
from seshat.data import ingest
from seshat.formats.timeline import new_eaf
from seshat.media import transcribe
from seshat.media.speech_report import plain
from seshat.project.folder import open_project

SUMMARY = "Recordings in Spanish and English by espeak-ng: word errors of Whisper base, speed, ELAN and back, refusals"
SENTENCES = {
    "es": (
        "El agua del río está muy fría esta mañana.", "Los niños juegan con el perro en la orilla.",
        "Mañana vamos a buscar leña en el monte.", "Mi abuela sabe muchas historias antiguas.",
        "La canoa grande está debajo del árbol.", "No tengo dinero para comprar pescado.",
        "Ayer llovió toda la noche en el pueblo.", "El maestro escribe las palabras en la pizarra.",
        "Mi hermano menor quiere aprender a nadar.", "Las mujeres cocinan plátanos y yuca.",
        "Hay que arreglar el techo antes del invierno.", "El sol sale detrás de la montaña.",
        "Cuando era joven, viajaba mucho por el río.", "La luna llena ilumina el camino.",
        "Siempre cantamos juntos en la fiesta.", "El cazador vio un venado cerca de la laguna.",
        "Necesito una cuerda más larga.", "Mi madre teje una falda nueva.",
        "Los viejos recuerdan la gran inundación.", "Gracias por escuchar nuestra lengua.",
    ),
    "en": (
        "The water of the river is very cold this morning.", "The children play with the dog on the bank.",
        "Tomorrow we will look for firewood in the forest.", "My grandmother knows many old stories.",
        "The big canoe is under the tree.", "I have no money to buy fish.",
        "Yesterday it rained all night in the village.", "The teacher writes the words on the board.",
        "My younger brother wants to learn to swim.", "The women cook bananas and cassava.",
        "We have to mend the roof before winter.", "The sun rises behind the mountain.",
        "When I was young, I travelled a lot on the river.", "The full moon lights the path.",
        "We always sing together at the feast.", "The hunter saw a deer near the lake.",
        "I need a longer rope.", "My mother is weaving a new skirt.",
        "The old people remember the great flood.", "Thank you for listening to our language.",
    ),
}  # fmt: skip
PAUSE = 1.5
"""Seconds of silence between sentences."""
CONFIG = """\
project: {{name: Speech, language: {language}, pivot: {pivot}, max_access: public}}
transcribe:
  recordings:
    - {{name: tape, path: "audio/*.wav", language: {spoken}, access: public}}
ingest:
  sources:
    - {{name: tiers, path: "elan/*.eaf", access: public, optional: true}}
"""


def tape(path: Path, language: str, work: Path) -> list[tuple[float, float, str]]:
    """A recording of all sentences of a language, and when each is said."""
    times, at = [], 0.0
    with wave.open(str(path), "wb") as out:
        for number, text in enumerate(SENTENCES[language]):
            with wave.open(str(say(work / f"{language}{number}.wav", text, language))) as one:
                if number == 0:
                    out.setparams(one.getparams())
                rate, samples = one.getframerate(), one.readframes(one.getnframes())
            seconds = len(samples) / 2 / rate
            out.writeframes(samples + b"\0\0" * round(PAUSE * rate))
            times.append((at, at + seconds, text))
            at += seconds + round(PAUSE * rate) / rate
    return times


def measure(root: Path, language: str, model: Path) -> dict[str, Any]:
    """Errors against what was said, speed, and the same text through a new ELAN file and back."""
    (root / "data/raw/audio").mkdir(parents=True)
    (root / "models").mkdir()
    (root / "models/whisper").symlink_to(model)
    config = CONFIG.format(language=language, pivot="en" if language == "es" else "es", spoken=language)
    (root / "seshat.yaml").write_text(config, encoding="utf-8")
    times = tape(root / "data/raw/audio/tape.wav", language, root)
    project = open_project(root)
    eaf = root / "data/raw/audio/tape.eaf"
    eaf.write_bytes(new_eaf("tape.wav", "audio/x-wav", language, times).replace(b"?? ", b""))
    known = transcribe.run(project)
    eaf.unlink()
    free = transcribe.run(project)
    heard = [one.texts[language] for one in read_jsonl(project.transcribed / "segments.jsonl", Segment)]
    made = root / "reports/transcribed/audio/tape.wav.eaf"
    (root / "data/raw/elan").mkdir()
    (root / "data/raw/elan/tape.eaf").write_bytes(made.read_bytes().replace(b"?? ", b""))
    (project.transcribed / "segments.jsonl").unlink()
    ingest.run(project)
    back = [one.texts[language] for one in read_jsonl(project.ingested / "segments.jsonl", Segment)]
    return {
        "sentences": len(times),
        "minutes": round((times[-1][1]) / 60, 2),
        **known["measured"]["tape"],
        "seconds_per_second_of_speech": known["seconds_per_second"],
        "found_by_voice": len(heard),
        "identical_after_elan_and_back": sum(one == other for one, other in zip(heard, back, strict=True)),
        "wrong": [
            f"{text} -> {one}" for (_, _, text), one in zip(times, heard, strict=False) if plain(text) != plain(one)
        ][:10]
        if len(heard) == len(times)
        else [],
        "heard_again": free["heard_seconds"],
    }


def refused(root: Path, language: str, model: Path) -> str:
    """What somebody is told who asks for a language that is none, or that the model lacks."""
    (root / "data/raw/audio").mkdir(parents=True)
    (root / "models").mkdir()
    (root / "models/whisper").symlink_to(model)
    (root / "data/raw/audio/tape.wav").touch()
    (root / "seshat.yaml").write_text(CONFIG.format(language="shp", pivot="es", spoken=language), encoding="utf-8")
    try:
        transcribe.run(open_project(root))
    except SeshatError as error:
        return str(error).replace(str(root), "PROJECT")
    raise AssertionError(f"{language} was not refused")


def main() -> dict[str, Any]:
    """Speak, hear and compare; prints what was found."""
    if shutil.which("espeak-ng") is None:
        raise SystemExit("espeak-ng is missing: make system")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        model = joined_whisper(work / "model")
        if model is None:
            raise SystemExit("the weights are missing: make weights")
        found: dict[str, Any] = {tag: measure(work / tag, tag, model) for tag in SENTENCES}
        found["refused"] = {tag: refused(work / f"no-{tag}", tag, model) for tag in ("auto", "shp")}
    found["peak_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    version = subprocess.run(["espeak-ng", "--version"], check=True, capture_output=True, text=True).stdout
    found["speech"] = version.split("Data")[0].strip()
    print(found, file=sys.stderr)
    return found
