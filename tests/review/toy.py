"""The queue of the documentation with rows of every kind: a scan, a recording, glosses, signs that break pages."""

from __future__ import annotations

import re
import struct
import wave
import zlib
from pathlib import Path
from types import ModuleType

from seshat.project.folder import Project
from seshat.review.queue import Queue
from seshat.review.table import Row

DOCS = Path(__file__).resolve().parents[2] / "docs" / "review.md"
HOSTILE = "</script><img src=x onerror=window.hacked=1> 'a' \u2028 =1+1"
RED, BLUE = (200, 0, 0), (0, 0, 200)


def code() -> str:
    """The file of the queue, as the documentation gives it."""
    (found,) = re.findall(r"```python\n(from seshat\.review.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


def queue() -> Queue:
    """The queue."""
    module = ModuleType("readings")
    exec(code(), module.__dict__)
    made = module.QUEUE
    assert isinstance(made, Queue)
    return made


def write(project: Project, count: int = 25) -> Queue:
    """Write the files and the table of the queue; returns the queue."""
    scans = project.raw / "scans"
    scans.mkdir(parents=True, exist_ok=True)
    _scan(scans / "page 1.png")
    with wave.open(str(scans / "tale.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\0" * 16000)
    made = queue()
    rows = [Row({"id": f"l{n}", "reading": f"mina {n}", "confidence": "0.4", "fingerprint": "f"}) for n in range(count)]
    rows[0] = rows[0].changed(
        scan="data/raw/scans/page 1.png#xywh=20,0,20,20",
        recording="data/raw/scans/tale.wav#t=0.5,1.5",
        morphemes="mina-ra lorona",
        glosses="girl-TOP big",
        reading=HOSTILE,
    )
    rows[1] = rows[1].changed(scan="data/raw/scans/page 1.png", access="restricted")
    made.write(made.path(project), rows, None)
    return made


def _scan(path: Path) -> None:
    """A picture of 40 × 20 pixels, its left half red, its right half blue."""
    line = b"\0" + bytes(RED) * 20 + bytes(BLUE) * 20

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 40, 20, 8, 2, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(line * 20)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)
