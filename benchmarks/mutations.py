"""Damaged files of every format: no reader crashes, hangs, fills the memory or drops a row in silence."""

from __future__ import annotations

import gzip
import io
import json
import random
import resource
import signal
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tests.formats.test_cldf import COLUMNS, DICTIONARY
from tests.formats.test_eaf import SPOKEN
from tests.formats.test_flextext import TEXT as FLEX
from tests.formats.test_html import PAGE, pdf
from tests.formats.test_lift import LIFT
from tests.formats.test_mediawiki import DUMP
from tests.formats.test_sfm import LEXICON, TEXTS
from tests.formats.test_speech import CHAT, LONG, SHORT, SRT, TREE, VTT, XLIFF, XLIFF2, word_document
from tests.formats.test_tmx import HEAD, TAIL, unit
from tests.formats.test_usfm import OTHER, OWN, USX
from tests.formats.test_xlsx import workbook
from tests.reading import Result, read_files

SUMMARY = "Damaged files of every format through all readers: crashes, hangs, memory and rows dropped in silence"

COUNT = 20_000
"""Inputs."""
LONGEST = 5.0
"""Seconds that one may take."""
MOST_MEMORY = 1_000_000_000
"""Bytes that the process may reach."""
_LINES = [("kuno", "uno"), ("taba, ti", "dos"), ('say "ka"', "niño"), ("ti\nka", "ocho"), ("pä", "")]
ENTRIES = "headword,gloss.es,forms\nkuno,uno; dos,ku|no\ntaba,tres,\nti,cuatro,\n"
_TOKENS = [
    b'"', b"'", b"\\", b"\t", b";", b",", b"|", b"\r", b"\n", b"\r\n", b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf",
    b"\xf1", b"\x1a", b"\x1e", b"<", b">", b"&", b"&#x1E;", b"&nbsp;", b"&x;", b"]]>", b"<![CDATA[", b"<!--", b"-->",
    b"<?xml version='1.0' encoding='utf-99'?>", b"<!DOCTYPE x [<!ENTITY e 'ee'>]>", b"{", b"}", b"[", b"]", b"\\u",
    b"\\ud800", b"NaN", b"1e999", b"-", b"9" * 5000, b"[" * 2000, b"<hi>" * 2000, b"sep=;\n", b"#", b"\\lx ", b"\\v ",
    b"@End", b"*ABC:\t", b"00:00:01,000 --> ", b"\xcc\x83", b"\xed\xa0\x80", b"\xe2\x80\xa8", b" " * 300, b"x" * 3000,
]  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A valid file of some kind, and how it is read."""

    reader: str
    files: dict[str, bytes]
    source: dict[str, Any] = field(default_factory=dict)
    rows: Callable[[bytes], int] | None = None
    """At least so many records and rejects a damaged file must give, where that can be told from its bytes."""


def _csv(delimiter: str) -> bytes:
    import csv

    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([("qlm", "es"), *_LINES])
    return out.getvalue().encode()


def _warc() -> bytes:
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True)
    for number in range(3):
        body = PAGE.format(menu="").encode()
        headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
        address = f"http://example.org/{number}"
        record = writer.create_warc_record(address, "response", payload=io.BytesIO(body), http_headers=headers)
        writer.write_record(record)
        record.raw_stream.close()
    return out.getvalue()


def _filled(content: bytes) -> int:
    """Lines that are not blank, of a file in UTF-8; 0 where the bytes do not tell."""
    if b"\0" in content or b"\n" not in content or b"\xfe\xff" in content or b"\xff\xfe" in content:
        return 0
    lines = content.decode(errors="replace").replace("\ufeff", "").split("\n")
    return sum(bool(line.strip()) for line in lines)


def _cells(content: bytes) -> int:
    """Rows of a table whose cells hold no line ends, for there are no quotes."""
    delimiters = content.translate(None, b" \t;,|\r")
    if b'"' in content or b"sep=" in content or len(delimiters.split(b"\n")) != len(content.split(b"\n")):
        return 0
    filled = sum(bool(line.strip()) for line in delimiters.replace(b"\xef\xbb\xbf", b"").split(b"\n"))
    return max(0, min(filled, _filled(content)) - 1)


def _units(content: bytes) -> int:
    return 0 if b"\0" in content else min(content.count(b"<tu>"), content.count(b"</tu>"))


def samples() -> dict[str, Sample]:
    """One or several valid files for every reader."""
    pairs = [{"qlm": own, "es": other} for own, other in _LINES]
    plain = "".join(f"{own}\t{other}\n" for own, other in [("qlm", "es"), *_LINES] if "\n" not in own).encode()
    body = HEAD + "".join(unit(("qlm", f"k{n} &amp; <hi>x</hi>"), ("es", f"uno {n}")) for n in range(6)) + TAIL
    lines = "".join(f"kuno {n}\n" for n in range(8)).encode()
    other = "".join(f"niño {n}\n" for n in range(8)).encode()

    def one(reader: str, name: str, content: bytes | str, **more: Any) -> Sample:
        rows = more.pop("rows", None)
        data = content if isinstance(content, bytes) else content.encode()
        return Sample(reader, {name: data}, {"path": name, **more}, rows)

    return {
        "csv": one("table", "a.csv", _csv(",")),
        "csv-semicolon": one("table", "a.csv", _csv(";")),
        "tsv": one("table", "a.tsv", plain, rows=_cells),
        "csv-cp1252": one("table", "a.csv", _csv(",").decode().encode("cp1252")),
        "csv-utf16": one("table", "a.csv", _csv(",").decode().encode("utf-16")),
        "json": one("table", "a.json", json.dumps(pairs, indent=1, ensure_ascii=False)),
        "json-line": one("table", "a.json", json.dumps({"meta": 1, "words": pairs})),
        "jsonl": one("table", "a.jsonl", "".join(json.dumps(pair) + "\n" for pair in pairs), rows=_objects),
        "xlsx": one("table", "a.xlsx", workbook([["qlm", "es"], *map(list, _LINES)])),
        "docx": one("table", "a.docx", word_document([["qlm", "es"], *([own, says] for own, says in _LINES)])),
        "entries": one("table", "a.csv", ENTRIES, kind="entries", rows=_cells),
        "text": one("text", "a.txt", lines, language="qlm", rows=_filled),
        "text-latin": one("text", "a.txt", other.decode().encode("latin-1"), language="qlm"),
        "moses": Sample("moses", {"a.qlm": lines, "a.es": other}, {"path": "a.{lang}"}),
        "documents": Sample("documents", {"a.qlm": lines, "a.es": other}, {"path": "a.{lang}", "kind": "documents"}),
        "tmx": one("tmx", "a.tmx", body, rows=_units),
        "eaf": one("eaf", "a.eaf", SPOKEN),
        "flextext": one("flextext", "a.flextext", FLEX),
        "lift": one("lift", "a.lift", LIFT, kind="entries"),
        "sfm": one("sfm", "a.sfm", LEXICON, kind="entries"),
        "sfm-texts": one("sfm", "a.sfm", TEXTS),
        "textgrid": one("textgrid", "a.TextGrid", LONG),
        "textgrid-short": one("textgrid", "a.TextGrid", SHORT),
        "cldf": Sample(
            "cldf",
            {name: text.encode() for name, text in DICTIONARY.items()},
            {"path": "d-metadata.json", "kind": "entries", "columns": COLUMNS, "reader": "cldf"},
        ),
        "conllu": one("conllu", "a.conllu", TREE),
        "chat": one("chat", "a.cha", CHAT),
        "usfm": Sample("usfm", {"a.qlm.usfm": OWN.encode(), "a.es.usfm": OTHER.encode()}, {"path": "a.{lang}.usfm"}),
        "usx": one("usfm", "a.usx", USX),
        "xliff": one("xliff", "a.xlf", XLIFF),
        "xliff-2": one("xliff", "a.xlf", XLIFF2),
        "srt": one("subtitles", "a.srt", SRT),
        "vtt": one("subtitles", "a.vtt", VTT),
        "html": one("html", "a.html", PAGE.format(menu="")),
        "pdf": one("pdf", "a.pdf", pdf("Kuno mira talo.", "", "Pesi veta.")),
        "warc": one("warc", "a.warc.gz", _warc()),
        "mediawiki": one("mediawiki", "a.xml", DUMP),
        "session": one("session", "a.session", "<Session><genre>narrative</genre><access>Open</access></Session>"),
    }


def _objects(content: bytes) -> int:
    """Lines of JSON; a file that begins like a list is read as one."""
    return 0 if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[" else _filled(content)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """A file with one to four things wrong with it; in archives, also inside."""
    if content.startswith(b"PK") and chance.random() < 0.7:
        return _inside(content, chance)
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        match chance.randrange(9):
            case 0 if data:
                data[min(place, len(data) - 1)] = chance.randrange(256)
            case 1 | 2 | 3:
                data[place:place] = chance.choice(_TOKENS)
            case 4:
                del data[place : min(end, place + chance.choice((1, 5, 200)))]
            case 5:
                data[place:place] = data[place : min(end, place + 500)]
            case 6:
                del data[place:]
            case 7:
                data += data[:500]
            case _:
                data = bytearray(_recoded(bytes(data), chance))
    return bytes(data)


def _recoded(content: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.1:
        return gzip.compress(content)
    encoding = chance.choice(("utf-16", "utf-16-be", "utf-8-sig", "cp1252", "mac-roman", "utf-32"))
    return content.decode(errors="replace").encode(encoding, errors="replace")


def _inside(content: bytes, chance: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        chosen = chance.choice(names)
        for name in names:
            data = old.read(name)
            new.writestr(name, mutated(data, chance) if name == chosen else data)
    return out.getvalue()


@contextmanager
def _limit(seconds: float) -> Any:
    def late(*_: Any) -> None:
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fault(sample: Sample, seed: int, folder: Path) -> str | None:
    """What is wrong with how a damaged file is read; None when nothing is.

    Args:
        sample: the valid file.
        seed: of the damage.
        folder: a folder of the caller's, which is emptied.
    """
    chance = random.Random(seed)
    damaged = chance.choice(list(sample.files))
    files = {**sample.files, damaged: mutated(sample.files[damaged], chance)}
    for path in folder.iterdir():
        path.unlink()
    try:
        with _limit(LONGEST):
            result = read_files(folder, dict(files), **sample.source)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return _silent(result, sample, files[damaged])


def _silent(result: Result, sample: Sample, content: bytes) -> str | None:
    """Whether rows went missing in silence."""
    made = len(result.segments) + len(result.entries) + len(result.documents) + len(result.rejects)
    counted = Counter(one.origin.file if one.origin else "" for one in (s.meta for s in result.segments))
    for name, report in result.context.reports.items():
        if counted[name] and report.problem and not result.failures:
            return "a file is not read to its end, and no error is raised"
    above = sum(report.details.get("above_header", 0) for report in result.context.reports.values())
    if sample.rows and not result.failures and made + above < sample.rows(content):
        return f"{made} records and rejects for {sample.rows(content)} rows"
    return None


def run(count: int = COUNT, seed: int = 0) -> dict[str, Any]:
    """Read damaged files, the kinds in turn.

    Args:
        count: how many.
        seed: of the first; the others follow.

    Returns:
        ``inputs``, ``faults`` (kind and seed of each, at most fifty), ``seconds``, ``slowest`` and ``megabytes``.
    """
    kinds = samples()
    names = list(kinds)
    faults: list[dict[str, Any]] = []
    slowest: tuple[float, str] = (0.0, "")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "raw"
        folder.mkdir()
        for number in range(count):
            name = names[number % len(names)]
            before = time.monotonic()
            found = fault(kinds[name], seed + number, folder)
            slowest = max(slowest, (time.monotonic() - before, name))
            if found is not None and len(faults) < 50:
                faults.append({"kind": name, "seed": seed + number, "fault": found})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if peak > MOST_MEMORY:
        faults.append({"kind": "all", "seed": seed, "fault": f"{peak:,} bytes of memory"})
    return {
        "inputs": count,
        "faults": faults,
        "seconds": round(time.monotonic() - started, 1),
        "slowest": {"kind": slowest[1], "seconds": round(slowest[0], 2)},
        "megabytes": peak // 1_000_000,
    }


def main() -> dict[str, Any]:
    """Run it and print the result."""
    result = run()
    table = Table("kind", "seed", "fault")
    for one in result["faults"]:
        table.add_row(one["kind"], str(one["seed"]), one["fault"])
    console = Console()
    console.print(table)
    console.print({key: value for key, value in result.items() if key != "faults"})
    return result
