"""A new project folder: a configuration that works, room for the raw files, and what to do next.

Language tags come out of what people type: a tag, or the name of a language.
"""

from __future__ import annotations

from pathlib import Path
from string import Template

from pydantic import TypeAdapter, ValidationError

from seshat.config.base import Language
from seshat.config.load import FILE_NAME, PROFILES
from seshat.config.render import scalar
from seshat.core.errors import UsageError
from seshat.core.jsonl import cannot_write, write_text

RAW_FOLDERS = ("dictionary", "transcriptions", "translations", "monolingual", "scans", "audio")
"""Folders below ``data/raw``, one per kind of material."""

_CONFIG = """\
# The configuration of this project. Everything that is not here holds its default:
# `seshat config show` prints the whole, `seshat config init` explains every setting.
project:
  name: $name
  language: $language
  pivot: $pivot
  languages:
    $language: {name: $name}
    # $pivot: {name: as people call it, script: as Unicode calls it}
  # What a run may use: public < registered < community < restricted < sealed.
  max_access: public

ingest:
  # One entry per group of files that are read alike; paths are below data/raw. A source without `access` is
  # restricted: it stays out of training until you say who may see it.
$sources

# Rules that bring spellings together, with examples that prove them (`seshat check` runs these):
# clean:
#   profiles:
#     $language:
#       rules:
#         - {name: one apostrophe, type: map, map: {"'": ʼ, "’": ʼ}}
#         - {name: white space, type: whitespace}
#       tests:
#         - {in: "a  ’b", out: a ʼb}
"""

_EXAMPLES = """\
  sources: []
  # Take away the brackets above, and the # in front of the lines that fit your files:
  #  - name: dictionary
  #    path: dictionary/*.csv
  #    kind: entries
  #    columns: {headword: word, gloss.$pivot_tag: translation}
  #    access: public
  #  - name: sentences
  #    path: translations/*.csv
  #    columns: {$language: sentence, $pivot: translation, doc_id: text}
  #    access: public
  #  - name: line-by-line
  #    path: 'translations/book.{lang}'
  #    reader: moses
  #    access: public
  #  - name: two-versions
  #    path: 'translations/story.{lang}.txt'
  #    reader: documents
  #    access: public
  #  - name: running-text
  #    path: monolingual/*.txt
  #    reader: text
  #    access: public
"""

_README = """\
# $title

A Seshat project: $language <-> $pivot.

1. Put your files below `data/raw/`: `dictionary/` (word lists), `translations/` (sentences or documents in both
   languages), `transcriptions/`, `monolingual/` (text in one language), `scans/`, `audio/`.
2. Say in `seshat.yaml`, under `ingest: sources:`, what each of them is and who may see it (`access`).
   Examples stand there.
3. `seshat run` cleans, aligns, splits, trains and measures; `seshat check` says in plain words what is wrong with
   the data; `reports/` holds what people read.
4. `seshat translate "…"` uses the result.

Each run does only what changed. `seshat status` shows what would be done, `seshat doctor` what this machine can do.
A file `profiles/cloud.yaml` is laid on `seshat.yaml` with `--profile cloud`.

Where the material comes from, who gave it and under which terms: write it here.
"""

_GITIGNORE = """\
# What Seshat writes; `seshat run` makes it again.
/data/interim/
/data/processed/
/data/training/
/models/
/reports/
/.seshat/

# The material itself: whether it may be published is for its owners to say. Remove these lines when it may.
/data/raw/*/*
!/data/raw/*/.gitkeep
"""


_BLOCK = "  #  - name: "
"""How each of the examples begins; the last is of text in one language."""


def init_project(folder: Path, name: str, language: str, pivot: str | None, sources: str | None = None) -> list[Path]:
    """Write a new project.

    A folder that exists already is filled up: files that are there stay as they are.

    Args:
        folder: the folder to make.
        name: the name of the language, as people read it.
        language: its tag.
        pivot: tag of the language it is translated into and from; ``None`` for a language alone.
        sources: ``ingest.sources`` as YAML; default: none, with examples to fill in.

    Returns:
        The files written.

    Raises:
        UsageError: there is a project in the folder already, or a tag is not one.
        DataError: the folder cannot be written to.
    """
    _check(folder, name, language, pivot)
    config, readme, examples = _CONFIG, _README, _EXAMPLES.rstrip()
    if pivot is None:
        config, readme = _alone(config), _alone(readme.replace(" <-> $pivot", ""))
        before, *blocks = examples.split(_BLOCK)
        examples = before + _BLOCK + blocks[-1]
    tags = {"language": language, "pivot": pivot or ""}
    values = {
        "name": scalar(name),
        "language": scalar(language),
        "pivot": scalar(pivot or ""),
        "pivot_tag": pivot or "",
    }
    given = sources or Template(examples).substitute(values)
    files = {
        ".gitignore": _GITIGNORE,
        "README.md": Template(readme).substitute(tags, title=" ".join(name.split())),
        f"{PROFILES}/.gitkeep": "",
        **{f"data/raw/{kind}/.gitkeep": "" for kind in RAW_FOLDERS},
        # Last: a folder with a configuration is a project.
        FILE_NAME: Template(config).substitute(values, sources=given),
    }
    written = []
    for relative, text in files.items():
        path = folder / relative
        if not path.exists():
            write_text(path, text)
            written.append(path)
    return written


def _alone(template: str) -> str:
    """A template without the lines that are about a second language."""
    lines = template.splitlines(keepends=True)
    return "".join(line for line in lines if "$pivot" not in line and "seshat translate" not in line)


def _check(folder: Path, name: str, language: str, pivot: str | None) -> None:
    if not name.strip():
        raise UsageError("The language needs a name.", "Give the one that people read in reports.")
    for tag in (language, *([] if pivot is None else [pivot])):
        try:
            TypeAdapter(Language).validate_python(tag)
        except ValidationError as error:
            raise UsageError(
                f"'{tag}' is not a language tag.",
                "A tag is short and made of letters, such as shp, es or pt-BR; 'qaa' to 'qtz' are for private use.",
            ) from error
    if language == pivot:
        raise UsageError(f"The language and the pivot are both '{pivot}'.", "A translator needs two languages.")
    try:
        if (folder / FILE_NAME).exists():
            raise UsageError(f"There is a project in {folder} already.", "Nothing was changed. Name another folder.")
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file.", "Name a folder, or one that is to be made.")
    except OSError as error:
        raise cannot_write(folder, error) from error


_SHORTEST = 3
"""Letters that the beginning of a name needs."""
_MOST = 6
"""Languages that are offered where a name fits several."""


def language_tag(text: str) -> str:
    """The tag (BCP 47) of a language.

    Args:
        text: a tag that exists (``shp``, ``pt-BR``; ``qaa`` to ``qtz`` and ``xx`` are for private use), or a name, in
            English or in another language, or the beginning of its English name.

    Raises:
        UsageError: it is neither, or several languages are called so.
    """
    import langcodes

    wanted = text.strip()
    if wanted == "xx" or (wanted.split("-")[0].islower() and langcodes.tag_is_valid(wanted)):
        return wanted
    try:
        return langcodes.find(wanted).to_tag()
    except LookupError:
        begun = _begin(wanted)
    if len(begun) == 1:
        return begun[0]
    several = f"Languages that begin so: {', '.join(f'{language_name(tag)} ({tag})' for tag in begun[:_MOST])}. "
    raise UsageError(
        f"'{text}' is neither a language tag nor the name of one language.",
        f"{several if begun else ''}A tag is short, such as shp, es or pt-BR (ISO 639-3 lists them); "
        "'qaa' to 'qtz' are for languages that have none.",
    )


def language_name(tag: str) -> str:
    """The English name of a language; the tag where there is none."""
    import langcodes

    return langcodes.get(tag).display_name() if langcodes.tag_is_valid(tag) else tag


def _begin(text: str) -> list[str]:
    """Tags of the languages whose English names begin with a text."""
    from language_data.names import data_filename, load_trie, normalize_name

    begin = normalize_name(text)
    if len(begin) < _SHORTEST:
        return []
    names = load_trie(data_filename("trie/en/name_to_language.marisa"))
    return sorted({tag.decode() for _, tag in names.items(begin)} - {""})
