"""Which encoding a text file has: certain, or detected with a confidence, or refused with the candidates.

The order: the configuration; a byte order mark; UTF-8, which other encodings hardly ever satisfy by accident; the
zero bytes of UTF-16 and UTF-32; and last, with a warning, the reading that has the letters of the project's languages
where letters stand in words. Where nobody knows their letters, what charset-normalizer finds plausible.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from seshat.core.errors import DataError
from seshat.core.jsonl import cannot_read
from seshat.text import legacy
from seshat.text.letters import CODE_PAGES, fit, known

HEAD = 65_536
"""Bytes that are looked at for zero bytes."""
SAMPLE = 65_536
"""Bytes of lines with non-ASCII characters that charset-normalizer is shown."""
CLEAR_LEAD = 0.25
"""Lead of the reading that fits the letters of the languages best, in points a character, from which it is taken."""
CLEAR_MARGIN = 0.04
"""Lead of the best encoding over the next, in coherence minus chaos, from which nothing is doubtful."""
LEAST_FIT = 0.3
"""Points a character below which no reading has the letters of the languages."""
SHOWN = 5
"""Candidates that are shown."""
MIN_CONFIDENCE = 0.5
"""A detected encoding below this is refused."""

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class Encoding:
    """The encoding of one file, and how it is known."""

    name: str
    how: Literal["configured", "declared", "byte order mark", "valid UTF-8", "mostly UTF-8", "zero bytes", "detected"]
    confidence: float = 1.0
    """0 to 1; 1 when certain."""
    bom: int = 0
    """Bytes of the byte order mark, to skip."""
    newline: Literal["\n", "\r"] = "\n"
    r"""What ends lines: "\r" in files of old Macintoshes, which hold no "\n" at all."""
    sample: str = ""
    """For a detected encoding, the first line that shows it."""
    sample_line: int | None = None

    @property
    def wide(self) -> bool:
        """Whether a line end takes several bytes."""
        return self.name.startswith(("utf-16", "utf-32"))

    @property
    def certain(self) -> bool:
        """Whether nothing was guessed."""
        return self.how not in {"detected", "zero bytes"}


def detect(
    path: Path, configured: str | None = None, declared: str | None = None, languages: tuple[str, ...] = ()
) -> Encoding:
    """Find the encoding of a file, reading it once at most (twice when it is not UTF-8).

    Args:
        path: the file.
        configured: what the configuration says; only a byte order mark is still looked for.
        declared: what the file says of itself; it counts where the bytes are not UTF-8 or UTF-16.
        languages: tags of those that the file may be in.

    Raises:
        DataError: the file cannot be opened, or no encoding is clearly the best; names the candidates.
    """
    legacy.register()
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
            if configured is not None:
                return _configured(stream, head, configured)
            bom = next((item for item in _BOMS if head.startswith(item[0])), None)
            if bom is not None:
                return Encoding(bom[1], "byte order mark", bom=len(bom[0]), newline=_newline(stream, bom[1]))
            if wide := _zero_bytes(head, 0.02 if _many_controls(head) else 0.2):
                return Encoding(wide, "zero bytes", confidence=0.9, newline=_newline(stream, wide))
            newline = _newline(stream, "utf-8")
            if _is_utf8(stream):
                if older := legacy.recognise(head.decode("utf-8", "ignore"), languages):
                    return _older(f"{older.name}-utf8", head, newline)
                return Encoding("utf-8", "valid UTF-8", newline=newline)
            if wide := _zero_bytes(head, 0.02):
                return Encoding(wide, "zero bytes", confidence=0.8, newline=_newline(stream, wide))
            if declared and (name := _eight_bit(declared)):
                return Encoding(name, "declared", newline=newline)
            if older := legacy.recognise(head.decode("latin-1"), languages):
                return _older(older.name, head, newline)
            return _guess(path, stream, newline, languages)
    except OSError as error:
        raise cannot_read(path, error) from error


def _older(name: str, head: bytes, newline: Literal["\n", "\r"]) -> Encoding:
    """An encoding from before Unicode that was recognised, with the first line in it."""
    lines = head.splitlines()
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)
    sample = lines[first].decode(name, "replace").strip()[:60]
    return Encoding(name, "detected", 0.9, newline=newline, sample=f"«{sample}»", sample_line=first + 1)


def _eight_bit(declared: str) -> str | None:
    """The declared encoding, where it is one that text which is not UTF-8 can be in."""
    try:
        name = codecs.lookup(declared).name
        b"a".decode(name)
    except (LookupError, UnicodeError):
        return None
    return None if name.startswith(("utf", "ascii")) else name


def _configured(stream: BinaryIO, head: bytes, configured: str) -> Encoding:
    name = codecs.lookup(configured).name.removesuffix("-sig")
    for mark, marked in _BOMS:
        if head.startswith(mark) and name in {marked, marked[:6]}:
            return Encoding(marked, "configured", bom=len(mark), newline=_newline(stream, marked))
    if name in {"utf-16", "utf-32"}:
        name += "-le"
    return Encoding(name, "configured", newline=_newline(stream, name))


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    stream.seek(0)
    while block := stream.read(1 << 20):
        yield block


def _newline(stream: BinaryIO, encoding: str) -> Literal["\n", "\r"]:
    r"""The line end: "\r" only when the file has some and no "\n"."""
    feed, back = "\n".encode(encoding), "\r".encode(encoding)
    seen_back = False
    for block in _blocks(stream):
        if feed in block:
            return "\n"
        seen_back = seen_back or back in block
    return "\r" if seen_back else "\n"


def _is_utf8(stream: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in _blocks(stream):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _many_controls(head: bytes) -> bool:
    """Whether a fifth of the bytes are control characters: half of the letters of most scripts, in UTF-16.

    Such a file can be valid UTF-8: a Cyrillic letter is a byte 4 and a byte below 80.
    """
    return sum(byte < 32 and byte not in b"\n\0" for byte in head) > 0.2 * len(head)


def _zero_bytes(head: bytes, least: float) -> str | None:
    """UTF-16 or UTF-32 without a mark: the zero bytes stand at one place of each unit.

    Args:
        head: the start of the file.
        least: share of zero bytes that is asked for.
    """
    head = head[: len(head) // 4 * 4]
    zeros = [head[place::4].count(0) for place in range(4)]
    total = sum(zeros)
    if total < max(4, least * len(head)):
        return None
    if min(zeros[2:]) > 0.2 * len(head) and zeros[0] < 0.05 * len(head):
        return "utf-32-le"
    if min(zeros[:2]) > 0.2 * len(head) and zeros[3] < 0.05 * len(head):
        return "utf-32-be"
    odd = zeros[1] + zeros[3]
    name = "utf-16-le" if odd > 0.9 * total else "utf-16-be" if odd < 0.1 * total else None
    if name is None:
        return None
    text = head.decode(name, errors="replace")
    strange = sum(not (character.isprintable() or character in "\t\r\n\ufeff") for character in text)
    return name if strange <= 0.01 * len(text) else None


def _guess(path: Path, stream: BinaryIO, newline: Literal["\n", "\r"], languages: tuple[str, ...]) -> Encoding:
    """The encoding of a file that is not UTF-8 throughout."""
    good = bad = size = number = 0
    lines: list[tuple[int, bytes]] = []
    stream.seek(0)
    while line := stream.readline(SAMPLE):
        number += 1
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            good += 1
        except UnicodeDecodeError:
            bad += 1
            if size < SAMPLE:
                lines.append((number, line))
        size += len(line)
    if good > 10 * bad:
        return Encoding("utf-8", "mostly UTF-8", newline=newline)
    sample, letters = b"".join(line for _, line in lines), known(languages)
    candidates, confidence = _by_letters(sample, languages, letters)
    if not confidence:
        others, sure = _plausible(sample)
        # Words of another script are no reason to doubt; characters of one in the middle of Latin words are.
        if not candidates or (sure >= MIN_CONFIDENCE and fit(_read(sample, others[0]), letters, home=False) > -0.1):
            candidates, confidence = others, sure
    line_number, raw = _telling(lines, candidates)
    if confidence >= MIN_CONFIDENCE:
        name = candidates[0]
        return Encoding(
            name, "detected", confidence, newline=newline, sample=_show(raw, candidates, 0), sample_line=line_number
        )
    shown = "; ".join(f"{name}: {_show(raw, candidates, place)}" for place, name in enumerate(candidates))
    raise DataError(
        f"{path}: the file is not UTF-8, and no other encoding is clearly the right one. "
        f"Line {line_number} would read, in {shown or 'no encoding that was tried'}.",
        f"Find the reading that is right and say so in the source: encoding: {candidates[0]}"
        if candidates
        else "Convert the file to UTF-8, or name its encoding in the source: encoding: …",
    )


def _by_letters(sample: bytes, languages: tuple[str, ...], letters: frozenset[str]) -> tuple[list[str], float]:
    """Encodings, those that give words of the languages first, and a confidence from 0 to 1; none when nothing fits.

    An encoding whose reading has letters that no language of the project writes is left out where another does without.
    """
    if not letters:
        return [], 0.0
    stems = {tag.split("-")[0].casefold() for tag in languages}
    readings: dict[str, tuple[float, str]] = {}
    for name, home in sorted(CODE_PAGES.items(), key=lambda one: not stems & one[1]):
        text = _read(sample, name)
        readings.setdefault(text, (fit(text, letters, bool(stems & home)), name))
    ranked = sorted(((points, name, text) for text, (points, name) in readings.items()), key=lambda one: -one[0])
    best, _, first = ranked[0]
    strange = _strange(first, letters)
    if best < LEAST_FIT:
        return [], 0.0
    near = [name for points, name, text in ranked[:SHOWN] if best - points < 0.5 and _strange(text, letters) <= strange]
    if best - ranked[1][0] < CLEAR_LEAD or 2 * strange > sum(one > "\x7f" for one in first):
        return near, 0.0
    return near, round(min(1.0, 0.5 + best / 2), 2)


def _read(sample: bytes, name: str) -> str:
    return sample.decode(name, errors="replace")


def _strange(text: str, letters: frozenset[str]) -> int:
    return sum(one.isalpha() and one > "\x7f" and one.lower() not in letters for one in text)


def _telling(lines: list[tuple[int, bytes]], candidates: list[str]) -> tuple[int, bytes]:
    """The first line that most of the candidates read differently."""
    readings = [len({_read(raw, name) for name in candidates[:SHOWN]}) for _, raw in lines]
    return lines[readings.index(max(readings))] if lines else (1, b"")


def _plausible(sample: bytes) -> tuple[list[str], float]:
    """What charset-normalizer thinks: encodings, the best first, and a confidence from 0 to 1.

    The confidence is one minus the chaos of the text (the share of improbable sequences), cut down when another
    encoding gives *another* text that looks as good: in coherence with a known language minus chaos.
    """
    from charset_normalizer import from_bytes

    # Wide encodings are found by their zero bytes; in lines of others they are an accident.
    matches = [match for match in from_bytes(sample, threshold=0.2) if not match.encoding.startswith("utf")]
    if not matches:
        return [], 0.0
    best = matches[0]
    margin = min(
        ((best.coherence - best.chaos) - (other.coherence - other.chaos) for other in matches[1:]),
        default=CLEAR_MARGIN,
    )
    confidence = (1 - best.chaos) * max(0.0, min(1.0, margin / CLEAR_MARGIN))
    names = [codecs.lookup(match.encoding).name for match in matches]
    return names[:SHOWN], round(confidence, 2)


def _show(raw: bytes, candidates: list[str], number: int) -> str:
    """A line as one of the candidates reads it, around the first character that not all read alike."""
    readings = [_read(raw, name).strip() for name in candidates]
    text = readings[number]
    place = next((at for at, one in enumerate(text) if any(other[at : at + 1] != one for other in readings)), None)
    if place is None:
        place = next((at for at, one in enumerate(text) if not one.isascii()), 0)
    start = max(0, place - 30)
    return "«" + ("…" if start else "") + text[start : start + 60] + ("…" if len(text) > start + 60 else "") + "»"
