"""Files of linguists, kept outside the repository: counts that are known from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.formats.test_annotate import additions, eaf_faults

from seshat.config import Config
from seshat.config.ingest import IngestSection, Source
from seshat.config.project import ProjectSection
from seshat.core.records import Entry, Reject, Segment
from seshat.formats import read_source
from seshat.formats.annotate import Suggestions, annotate
from seshat.formats.context import Context

pytestmark = pytest.mark.real_data
NAMES = {"kgv": "Kalamang", "gyr": "Guarayu", "en": "English", "es": "Spanish", "tpi": "Tok Pisin", "tww": "Tuwari"}


def load(
    path: Path, language: str = "gyr", pivot: str = "es", **source: Any
) -> tuple[list[Any], Mapping[str, Any], list[str]]:
    """Records and rejects of a file, the details of its report, and what failed."""
    config = Config.model_validate(
        {
            "project": {
                "language": language,
                "pivot": pivot,
                "languages": {tag: {"name": name} for tag, name in {language: "Own", **NAMES}.items()},
            },
            "ingest": {"sources": [{"name": "src", "path": path.name, **source}]},
        }
    )
    context = Context(path.parent, config.ingest.sources[0], config.ingest, config.project)
    failures: list[str] = []
    records = list(read_source(context, lambda _file, error: failures.append(error.message)))
    return records, list(context.reports.values())[-1].details, failures


@pytest.fixture
def files(real_data: Path) -> Path:
    folder = real_data / "formats"
    if not folder.is_dir():
        pytest.skip(f"no files at {folder}")
    return folder


@pytest.mark.parametrize(
    ("file", "kind", "count"),
    [
        ("eaf/lameta_ETR009.eaf", Segment, 1),
        ("eaf/poio_example.eaf", Segment, 22),
        ("eaf/speach_fables.eaf", Segment, 16),
        ("eaf/speach_test.eaf", Segment, 8),
        ("flextext/apalai.flextext", Segment, 61),
        ("lift/tuwariDictionary.lift", Entry, 10),
        ("sfm-mdf/guarayu_db_400.sfm", Entry, 400),
        ("sfm-mdf/daakaka_db_300.sfm", Entry, 300),
        ("sfm-mdf/kalamang_db_200.sfm", Entry, 220),  # 200 and their 20 sub-entries
        ("sfm-mdf/unboxer_pem_lex_sb.db", Entry, 41),
        ("toolbox-interlinear/daakaka_examples_300.sfm", Segment, 300),
        ("toolbox-interlinear/tuwariToolbox.txt", Segment, 7),
        ("cldf-guarayu/cldf-metadata.json", Entry, 3590),
        ("cldf-iquito/cldf-metadata.json", Entry, 4128),
        ("cldf-apalai-igt/metadata.json", Segment, 24),
        ("conllu/UD_Guajajara_100sent.conllu", Segment, 100),
        ("usfm/WEB-PT_631JNengWEB14.SFM", Segment, 105),
        ("usfm/WEB-DBL_release_USX_1_1JN.usx", Segment, 105),
        ("textgrid/bobby_words_with_newlines_longfile_elan.TextGrid", Segment, 1),
    ],
)
def test_counts(files: Path, file: str, kind: type, count: int) -> None:
    records, _details, failures = load(files / file)
    assert not failures
    assert sum(isinstance(one, kind) for one in records) == count
    assert not [one for one in records if isinstance(one, Reject)]


def test_an_interlinear_text_of_flex(files: Path) -> None:
    records, details, _failures = load(files / "flextext" / "kalamang_glosses.flextext", "kgv", "en")
    assert (len(records), details["words"], details["morphemes"]) == (108, 459, 667)
    glosses = sum(bool(gloss) for one in records for word in one.gloss or () for gloss in word.glosses)
    assert glosses == 652


def test_a_dictionary_of_flex(files: Path) -> None:
    records, details, _failures = load(files / "lift" / "FlexLiftExport.lift", "xx", "en")
    assert (len(records), details["senses"]) == (182, 184)
    assert [sum(tag in sense.glosses for one in records for sense in one.senses) for tag in ("en", "tpi")] == [177, 13]
    assert "media" not in "".join(one.model_dump_json() for one in records)


def test_one_dictionary_in_two_formats(files: Path) -> None:
    fields = {
        "headword": "lx",
        "pos": "ps",
        "gloss.en": "de",
        "gloss.es": "dn",
        "example.gyr": "xv",
        "example.es": "xn",
    }
    mdf, _details, _failures = load(files / "sfm-mdf" / "guarayu_db_400.sfm", markers=fields)
    columns = {
        "headword": "entries.Headword", "pos": "entries.Part_Of_Speech", "gloss.en": "senses.Description",
        "gloss.es": "senses.alt_translation1", "example.gyr": "examples.Primary_Text",
        "example.es": "examples.alt_translation1",
    }  # fmt: skip
    cldf, _details, _failures = load(files / "cldf-guarayu" / "cldf-metadata.json", kind="entries", columns=columns)
    known = {(one.headword, one.pos, str(one.senses)) for one in cldf}
    assert [one.headword for one in mdf if (one.headword, one.pos, str(one.senses)) not in known] == []


def test_what_is_refused(files: Path) -> None:
    for file, words in (
        ("docx/lameta_ETR009_XDoc.docx", "there is no table in the document"),
        ("usfm/WEB-PT_Settings.xml", "nothing is known about files"),
        ("lift/lift-0.13.rng", "nothing is known about files"),
    ):
        _records, _details, failures = load_any(files / file)
        assert words in failures[0]


def load_any(path: Path) -> tuple[list[Any], Any, list[str]]:
    """As :func:`load`, for files that have no report."""
    try:
        return load(path)
    except IndexError:
        config = Config.model_validate({"ingest": {"sources": [{"name": "src", "path": path.name}]}})
        context = Context(path.parent, config.ingest.sources[0], config.ingest, config.project)
        failures: list[str] = []
        return list(read_source(context, lambda _file, error: failures.append(error.message))), {}, failures


WRITTEN_BACK = [
    *("eaf/lameta_ETR009.eaf", "eaf/poio_example.eaf", "eaf/speach_fables.eaf", "eaf/speach_test.eaf"),
    *("flextext/apalai.flextext", "flextext/kalamang_glosses.flextext", "flextext/sil_Freeform.flextext"),
    *("flextext/sil_FullyAnalyzed.flextext", "flextext/sil_Unglossed.flextext"),
    *("toolbox-interlinear/tuwariToolbox.txt", "toolbox-interlinear/daakaka_examples_300.sfm"),
    *("toolbox-interlinear/pem_txt_tb.txt", "toolbox-interlinear/kakabe_150lines.txt"),
]


@pytest.mark.parametrize("file", WRITTEN_BACK)
def test_round_trips(files: Path, tmp_path: Path, file: str) -> None:
    """Nothing added gives the same bytes; what is added leaves all else as it was, and is no data until accepted."""
    path = tmp_path / Path(file).name
    content = (files / file).read_bytes()
    path.write_bytes(content)
    records = [one for one in load(path)[0] if isinstance(one, Segment)]

    def copy(answers: Suggestions) -> bytes:
        source = Source(name="src", path=path.name)
        project = ProjectSection(language="gyr", pivot="es")
        context = Context(tmp_path, source, IngestSection(), project)
        path.write_bytes(content)
        return annotate(path, context, lambda segments: [answers for _ in segments]).content

    assert copy({}) == content
    said = copy({"es": "una palabra"})
    assert additions(content, said)
    path.write_bytes(said)
    again = [one for one in load(path)[0] if isinstance(one, Segment)]
    assert [(one.id, one.texts, one.gloss) for one in again] == [(one.id, one.texts, one.gloss) for one in records]
    if path.suffix == ".eaf":
        assert eaf_faults(said) == eaf_faults(content)
    path.write_bytes(said.replace(b"?? ", b""))
    accepted = [one for one in load(path)[0] if isinstance(one, Segment)]
    assert sum(one.texts.get("es") == "una palabra" for one in accepted) >= sum(
        one.texts.get("es") != "una palabra" and bool(one.texts.get("gyr")) for one in accepted
    )
