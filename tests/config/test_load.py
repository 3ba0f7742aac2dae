"""Reading seshat.yaml: precedence, places, and what is said about mistakes."""

from __future__ import annotations

import contextlib
import re
import shlex
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.config.load import load_config, load_with_places
from seshat.core.errors import ConfigError
from seshat.project.folder import open_project

BASE = "project: {pivot: es,\n  language: shp}\n"


def project(folder: Path, text: str = BASE, **others: str) -> Path:
    """A project folder; ``others`` are profiles by name."""
    (folder / "seshat.yaml").write_text(text, encoding="utf-8")
    for name, content in others.items():
        (folder / "profiles").mkdir(exist_ok=True)
        (folder / "profiles" / f"{name}.yaml").write_text(content, encoding="utf-8")
    return folder


def problems(root: Path, *overrides: str, profiles: tuple[str, ...] = ()) -> list[str]:
    """Every problem as ``where: message``."""
    with pytest.raises(ConfigError) as caught:
        load_config(root, profiles, overrides)
    return [str(problem) for problem in caught.value.problems]


class TestPrecedence:
    def test_profiles_and_overrides_in_order(self, tmp_path: Path) -> None:
        root = project(
            tmp_path,
            BASE + "split: {validation: 0.2, test: 0.3}\nevaluate: {baselines: [copy, nearest, word-by-word]}\n",
            first="split: {validation: 0.11}\nevaluate: {baselines: [copy], reference: copy}\n",
            second="split: {validation: 0.12}\n",
        )
        config = load_config(root, ["first", "second"], ["split.test=0.01", "split.test=0.02"])
        assert (config.split.validation, config.split.test) == (0.12, 0.02)
        assert config.evaluate.baselines == ("copy",), "lists replace"
        assert load_config(root).split.validation == 0.2

    def test_extends_several_files_and_from_profiles(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text("project: {name: A, purpose: a}\n")
        (tmp_path / "b.yaml").write_text("project: {name: B}\ntranslate: {batch: 3}\n")
        root = tmp_path / "p"
        root.mkdir()
        project(root, "extends: [../a.yaml, ../b.yaml]\n" + BASE, x="extends: ../../a.yaml\nsplit: {test: 0.4}\n")
        config = load_config(root)
        assert (config.project.name, config.project.purpose, config.project.language) == ("B", "a", "shp")
        assert config.translate.batch == 3
        assert load_config(root, ["x"]).project.name == "A"

    def test_norwegian_is_a_language(self, tmp_path: Path) -> None:
        root = project(
            tmp_path,
            "project: {language: no, pivot: on, languages: {no: {name: Norsk}}}\n"
            "clean: {profiles: {no: {rules: [{type: map, name: no, map: {no: nei, 1: one}}]}}}\nalign: {lexicon: no}\n",
        )
        config = load_config(root, overrides=["project.languages.on.name=No"])
        assert (config.project.language, config.project.pivot) == ("no", "on")
        assert config.project.language_name("no") == "Norsk"
        assert config.project.language_name("on") == "No"
        assert config.clean.profiles["no"].rules[0].model_dump()["map"] == {"no": "nei", "1": "one"}
        assert config.align.lexicon is False

    def test_empty_sections_hold_defaults(self, tmp_path: Path) -> None:
        root = project(tmp_path, "project:\ningest:\n  sources:\ntrain:\n  # family: seq2seq\n  statistical:\n")
        assert load_config(root).train.statistical.lm_order == 3
        assert load_config(project(tmp_path, "")).ingest.sources == ()

    def test_anchors_and_merge_keys(self, tmp_path: Path) -> None:
        root = project(
            tmp_path,
            BASE + "ingest:\n  sources:\n    - &a {name: a, path: a.csv, genre: x}\n    - {<<: *a, name: b}\n",
        )
        assert [(s.name, s.genre) for s in load_config(root).ingest.sources] == [("a", "x"), ("b", "x")]

    def test_model_is_named_after_its_family(self, tmp_path: Path) -> None:
        root = project(tmp_path)
        assert load_config(root).train.name == "statistical"
        assert load_config(root, overrides=["train.family=seq2seq"]).train.name == "seq2seq"
        assert load_config(root, overrides=["train.family=seq2seq", "train.name=x"]).train.name == "x"


class TestOverrides:
    def test_values_are_yaml_but_text_needs_no_quotes(self, tmp_path: Path) -> None:
        root = project(
            tmp_path,
            BASE + "ingest: {sources: [{name: a, path: x.csv}, {name: b.c, kind: entries, path: y.csv, licence: z}]}\n",
        )
        config = load_config(
            root,
            overrides=[
                "project.name=12",
                "ingest.sources.1.path=[y.csv, z.csv]",
                "ingest.sources.0.path=*.csv",
                "ingest.sources.1.genre={lang}",
                "ingest.sources.1.columns.headword=2",
                "ingest.sources.1.columns.gloss.es=3",
                "ingest.sources.1.licence=",
                "split.upsample.b.c=2",
                "project.purpose=a: b # c",
                "align.lexicon=false",
            ],
        )
        first, second = config.ingest.sources
        assert config.project.name == "12"
        assert first.path == "*.csv"
        assert second.columns == {"headword": "2", "gloss.es": "3"}
        assert second.path == ("y.csv", "z.csv")
        assert (second.genre, second.licence) == ("{lang}", None)
        assert config.split.upsample == {"b.c": 2.0}
        assert config.project.purpose == "a: b # c"
        assert config.align.lexicon is False

    def test_mistakes(self, tmp_path: Path) -> None:
        root = project(tmp_path, BASE + "ingest: {sources: [{name: a, path: x.csv}]}\n")
        assert problems(
            root,
            "train.name",
            "trian.name=x",
            "train.nmae=x",
            "split.test=many",
            "ingest.sources.4.path=x",
            "download.files.0.path=x",
            "=x",
            "split.test=[",
        ) == [
            "command line: train.name: expected section.key=value, such as train.name=second",
            "command line: ingest.sources.4.path=x: ingest.sources.4.path: there is no item '4' in this list: "
            "it has 1 item, counted from 0",
            "command line: download.files.0.path=x: download.files.0.path: there is no item '0' in this list: "
            "it is empty",
            "command line: =x: expected section.key=value, such as train.name=second",
            "command line: split.test=[: a bracket ([ or {) is opened here and not closed properly; if it belongs to "
            "the text, put the text in quotes",
            "command line: split.test=many: split.test: expected a number from 0 to 1, found 'many'",
            "command line: train.nmae=x: unknown key 'nmae' in train; did you mean 'name'?",
            "command line: trian.name=x: unknown section 'trian'; did you mean 'train'?",
        ]


WRONG = """\
projct: 1
project:
  languages: {a_b: {name: x}, es: 3}
  max_access: publik
ingest:
  sources:
    - genre: 3
      path: {lang}
      name: a
      document: lines
    - path: [a,
         3]
clean:
  profiles:
    es:
      rules:
        - type: regx
        - name: a
        - type: map
          name: x
          patern: 1
          map:
            a: [1]
        - 3
        - {type: regex, name: q, pattern: '(('}
      tests:
        - in: a
          ot: 1
split:
  validation: 2
  stratify:
  seed: 3
  validation: 3
train:
  seq2seq: {dim: 1.5,
     layers: true}
  name: -a
  learning-rate: 2
format: 3
"""


def starts(found: list[str], expected: list[str]) -> bool:
    """Whether every line starts as expected; shows both when not."""
    assert [line[: len(start)] for line, start in zip(found, expected, strict=True)] == expected
    return True


def test_everything_wrong_is_reported_at_once_each_with_its_line(tmp_path: Path) -> None:
    assert starts(
        problems(project(tmp_path, WRONG)),
        [
            "seshat.yaml:1: unknown section 'projct'; did you mean 'project'?",
            "seshat.yaml:3: project.languages.a_b: the key 'a_b' is not a language tag, such as shp, es or pt-BR",
            "seshat.yaml:3: project.languages.es: expected a mapping (lines of 'key: value'), found the number 3",
            "seshat.yaml:4: project.max_access: expected one of 'public', 'registered', 'community', 'restricted' or "
            "'sealed', found 'publik'; did you mean 'public'?",
            "seshat.yaml:7: ingest.sources[0].genre: expected text, found the number 3; put it in quotes",
            "seshat.yaml:8: ingest.sources[0].path: expected text or a list (of text), found a mapping; "
            "text that starts with { or [ must stand in quotes",
            "seshat.yaml:10: ingest.sources[0].document: expected one of 'file', 'line' or 'blank-line', found "
            "'lines'; did you mean 'line'?",
            "seshat.yaml:11: ingest.sources[1].name: is missing; expected text",
            "seshat.yaml:12: ingest.sources[1].path[1]: expected text, found the number 3; put it in quotes",
            "seshat.yaml:17: clean.profiles.es.rules[0]: unknown type 'regx'; did you mean 'regex'?",
            "seshat.yaml:18: clean.profiles.es.rules[1]: needs a line 'type:' with one of 'unicode', 'map', 'regex', "
            "'brackets', 'placeholder', 'digits', 'whitespace' or 'whitelist'",
            "seshat.yaml:21: unknown key 'patern' in clean.profiles.es.rules[2]; known are 'name', 'sources', "
            "'type', 'map' and 'keep_case'",
            "seshat.yaml:23: clean.profiles.es.rules[2].map.a: expected text, found a list; "
            "text that starts with { or [ must stand in quotes",
            "seshat.yaml:24: clean.profiles.es.rules[3]: expected a mapping with a line 'type:' ('unicode', 'map', "
            "'regex', 'brackets', 'placeholder', 'digits', 'whitespace' or 'whitelist'), found the number 3",
            "seshat.yaml:25: clean.profiles.es.rules[4].pattern: '((' is not a regular expression: "
            "missing ) at position 2",
            "seshat.yaml:27: clean.profiles.es.tests[0].out: is missing; expected text",
            "seshat.yaml:28: unknown key 'ot' in clean.profiles.es.tests[0]; did you mean 'out'?",
            "seshat.yaml:30: split.validation: expected a number from 0 to 1, found the number 2",
            "seshat.yaml:31: split.stratify: expected one of 'none', 'source' or 'genre', found nothing; "
            "without the line the default holds",
            "seshat.yaml:32: unknown key 'seed' in split; it belongs elsewhere: 'project.seed'",
            "seshat.yaml:33: the key 'validation' stands here a second time; first at seshat.yaml:30",
            "seshat.yaml:35: train.seq2seq.dim: expected a whole number of at least 16, found the number 1.5",
            "seshat.yaml:36: train.seq2seq.layers: expected a whole number of at least 1, found true",
            "seshat.yaml:37: train.name: expected a name of letters, digits, '.', '_' and '-', found '-a'",
            "seshat.yaml:38: unknown key 'learning-rate' in train; it belongs elsewhere: "
            "'transcribe.train.learning_rate', 'train.finetune.learning_rate'",
            "seshat.yaml:39: format: expected a mapping (lines of 'key: value'), found the number 3",
        ],
    )


def test_problems_name_the_file_that_made_them(tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    (tmp_path / "base.yaml").write_text("\ntranslate:\n  batch: 0\n")
    project(
        root,
        "extends: ../base.yaml\n" + BASE + "ingest:\n  sources:\n    - {name: a, path: a.csv, knid: entries}\n",
        cloud="\n\nsplit:\n  test: x\n",
    )
    assert problems(root, profiles=("cloud",)) == [
        "seshat.yaml:6: unknown key 'knid' in ingest.sources[0]; did you mean 'kind'?",
        "profiles/cloud.yaml:4: split.test: expected a number from 0 to 1, found 'x'",
        "../base.yaml:3: translate.batch: expected a whole number of at least 1, found the number 0",
    ]


def test_places(tmp_path: Path) -> None:
    root = project(tmp_path, BASE + "ingest:\n  sources:\n    - name: a\n      path: x\n", p="train: {name: y}\n")
    places = load_with_places(root, ["p"], ["split.test=0.3"]).places
    assert places["project.language"] == "seshat.yaml:2"
    assert places["ingest.sources[0].path"] == "seshat.yaml:6"
    assert places["train.name"] == "profiles/p.yaml:1"
    assert places["split.test"] == "command line: split.test=0.3"
    assert "split.validation" not in places


class TestContradictions:
    """Single settings are fine, together they cannot be meant."""

    SOURCES = (
        BASE + "ingest:\n  sources:\n    - {name: a, path: train.shp, reader: moses}\n    - {name: a, path: b.txt,\n"
        "       reader: text, language: shq, columns: {es: x}}\n"
        "    - {name: c, path: 'c.{lang}', reader: documents, languages: {spa: spa}}\n"
    )

    def test_sources(self, tmp_path: Path) -> None:
        assert problems(project(tmp_path, self.SOURCES)) == [
            "seshat.yaml:5: ingest.sources[0].path: the reader 'moses' needs {lang} where the language stands in the "
            "name, such as train.{lang}; found 'train.shp'",
            "seshat.yaml:6: ingest.sources[1].name: 'a' is also the name of ingest.sources[0]; every source needs "
            "its own",
            "seshat.yaml:7: ingest.sources[1].columns: the reader 'text' knows no columns; they are for tables",
            "seshat.yaml:7: ingest.sources[1].language: 'shq' is no language of this project (shp, es); "
            "did you mean 'shp'?",
            "seshat.yaml:8: ingest.sources[2].languages.spa: 'spa' is no language of this project (shp, es); "
            "did you mean 'shp'?",
        ]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("project: {language: es, pivot: es}\n", ["seshat.yaml:1: project: language and pivot are both 'es'"]),
            ("split: {validation: 0.5, test: 0.6}\n", ["seshat.yaml:1: split: validation (0.5) and test (0.6)"]),
            (
                BASE + "clean:\n  profiles:\n    qu: {}\n",
                ["seshat.yaml:5: clean.profiles.qu: 'qu' is no language of this project (shp, es); add it to"],
            ),
            (
                BASE + "clean: {filters: {min_characters: 9, max_characters: 3}}\n",
                ["seshat.yaml:3: clean.filters.min_characters: 9 is more than max_characters (3)"],
            ),
            ("evaluate: {reference: neares}\n", ["seshat.yaml:1: evaluate.reference: 'neares' is neither among"]),
            (
                "train: {name: a}\nevaluate:\n  compare:\n    - b\n    - a\n    - copy\n    - b\n",
                [
                    "seshat.yaml:5: evaluate.compare[1]: 'a' is the model itself",
                    "seshat.yaml:6: evaluate.compare[2]: 'copy' is the name of a baseline",
                    "seshat.yaml:7: evaluate.compare[3]: 'b' stands here twice",
                ],
            ),
            ("train: {name: copy}\n", ["seshat.yaml:1: train.name: 'copy' is the name of a baseline"]),
            (
                "train:\n  family: seq2seq\n  name: statistical\n  seq2seq: {heads: 7}\n",
                [
                    "seshat.yaml:3: train.name: a model of the family 'seq2seq' cannot be called 'statistical'",
                    "seshat.yaml:4: train.seq2seq.heads: dim (256) cannot be shared out among 7 heads",
                ],
            ),
            (
                "split:\n  upsample: {nobody: 2}\n",
                ["seshat.yaml:2: split.upsample.nobody: there is no source 'nobody' in ingest.sources"],
            ),
            (
                BASE + "clean:\n  profiles:\n    shp:\n      rules:\n        - {type: digits, name: d, sources: [x]}\n"
                "      tests: [{in: a, out: a, source: y}]\n",
                [
                    "seshat.yaml:7: clean.profiles.shp.rules[0].sources: there is no source 'x'",
                    "seshat.yaml:8: clean.profiles.shp.tests[0].source: there is no source 'y'",
                ],
            ),
            (
                "download: {files: [{path: a, url: 'https://x.org/u'},\n {path: a, url: 'https://x.org/v'}]}\n",
                ["seshat.yaml:2: download.files[1].path: two files would be written to data/raw/a"],
            ),
        ],
    )
    def test_each(self, tmp_path: Path, text: str, expected: list[str]) -> None:
        assert starts(problems(project(tmp_path, text)), expected)

    def test_a_misspelt_section_sets_off_no_false_alarm(self, tmp_path: Path) -> None:
        text = (
            "projct: {language: shp}\nclean: {profiles: {shp: {}}}\n"
            "train: {seq2seq: {heads: 7}}\nsplit: {validation: x}\n"
        )
        assert problems(project(tmp_path, text)) == [
            "seshat.yaml:1: unknown section 'projct'; did you mean 'project'?",
            "seshat.yaml:3: train.seq2seq.heads: dim (256) cannot be shared out among 7 heads; dim must be a multiple "
            "of heads",
            "seshat.yaml:4: split.validation: expected a number from 0 to 1, found 'x'",
        ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nproject:\n\tname: x\n", "seshat.yaml:3: a tab; YAML is indented with spaces"),
        ("project:\n  name: *.csv\n", "seshat.yaml:2: text that starts with '*' must stand in quotes: '*.csv'"),
        ("project:\n  name: a: b\n", "seshat.yaml:2: a second ':' or a wrong indentation"),
        ("project:\n  name: 'a\n", "seshat.yaml:2: a quote is opened here and never closed"),
        ("project:\n  name: [a\n", "seshat.yaml:2: a bracket ([ or {) is opened here and not closed properly"),
        ("project:\n  name: {lang}.txt\n", "seshat.yaml:2: 'name: {lang}.txt' goes on after its value has ended"),
        ('project:\n  name: "\\s"\n', "seshat.yaml:2: a backslash between double quotes must be written twice"),
        ("project:\n  name: @x\n", "seshat.yaml:2: a value cannot start with @"),
        ("project:\n    name: x\n  seed: 1\n", "seshat.yaml:3: 'seed: 1' is indented otherwise"),
        ("project: {}\n---\nproject: {}\n", "seshat.yaml:2: a second '---'"),
        ("project:\n  name: a\x01b\n", "seshat.yaml:2: an invisible control character (U+0001)"),
        ("project:\n  name: !x y\n", "seshat.yaml:2: the tag !x means nothing here"),
        ("project:\n  languages: &a {es: *a}\n", "seshat.yaml:2: an alias (*) that contains itself"),
        ("- a\n", "seshat.yaml:1: the file must be made of sections"),
        ("project:\n  [a]: b\n", "seshat.yaml:2: a list or mapping stands where a key should"),
    ],
)
def test_syntax_errors_in_plain_words(tmp_path: Path, text: str, expected: str) -> None:
    found = problems(project(tmp_path, text))
    assert found[0].startswith(expected) or found[1].startswith(expected), found


def test_files_that_are_not_utf8(tmp_path: Path) -> None:
    path = project(tmp_path) / "seshat.yaml"
    path.write_bytes("project:\n  name: señora\n".encode("latin-1"))
    assert problems(tmp_path) == ["seshat.yaml:2: is not UTF-8 (byte 0xF1); save the file as UTF-8"]
    path.write_bytes(BASE.encode("utf-16"))
    assert problems(tmp_path) == ["seshat.yaml: is written in UTF-16; save it as UTF-8"]
    path.write_bytes(b"\xef\xbb\xbf" + BASE.encode())
    assert load_config(tmp_path).project.language == "shp"


def test_deep_nesting_is_an_error_not_a_crash(tmp_path: Path) -> None:
    assert problems(project(tmp_path, "a: " + "[" * 5000)) == ["seshat.yaml: is nested too deeply"]


class TestMissing:
    def test_project(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="there is no such file") as caught:
            load_config(tmp_path)
        assert caught.value.hint is not None
        assert "seshat init" in caught.value.hint

    def test_profile(self, tmp_path: Path) -> None:
        root = project(tmp_path, cloud="", local="")
        assert problems(root, profiles=("clod",)) == [
            "command line: --profile clod: there is no profile 'clod'; there are 'cloud' and 'local'; "
            "did you mean 'cloud'?"
        ]
        assert problems(root, profiles=("../seshat",))[0].startswith("command line: --profile ../seshat: there is no")

    def test_extends(self, tmp_path: Path) -> None:
        (tmp_path / "base.yaml").write_text("")
        assert problems(project(tmp_path, "extends:\n  - base.yml\n  - 3\n" + BASE)) == [
            "seshat.yaml:2: extends: there is no file 'base.yml'; did you mean 'base.yaml'?",
            "seshat.yaml:3: extends: expected the path of a file, or a list of them",
        ]

    def test_circle(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text("\nextends: b.yaml\n")
        (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
        assert problems(project(tmp_path, "extends: a.yaml\n" + BASE)) == [
            "b.yaml:1: extends: the files extend each other in a circle: a.yaml -> b.yaml -> a.yaml"
        ]


class TestOpenProject:
    def test_from_inside(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        root = project(tmp_path)
        inside = root / "data" / "raw"
        inside.mkdir(parents=True)
        monkeypatch.chdir(inside)
        assert open_project().root == root.resolve()
        assert open_project(root / "seshat.yaml", overrides=["project.seed=7"]).config.project.seed == 7

    def test_nowhere(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="nor in a folder above"):
            open_project(tmp_path)


def test_the_sample_project_loads(root: Path) -> None:
    assert load_config(root / "projects" / "sample").project.language == "qlm"


def test_the_examples_of_the_guide_work(root: Path, tmp_path: Path) -> None:
    text = (root / "docs" / "configuration.md").read_text(encoding="utf-8")
    first, _extends, preset, profile = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    folder = project(tmp_path, first, neural=profile)
    command = re.search(r"seshat run --profile (\w+) (.*)", text)
    assert command is not None
    config = load_config(folder, [command[1]], shlex.split(command[2]))
    assert (config.train.family, config.train.name, config.train.finetune.max_steps) == ("seq2seq", "seq2seq", 8000)
    assert config.evaluate.compare == ("statistical",)
    assert config.ingest.sources[0].access == "public"
    assert load_config(project(tmp_path, preset)).train.name == "byt5-base"


FRAGMENTS = [
    "project:",
    "train:",
    "split:",
    "ingest:",
    "sources:",
    "- ",
    "  ",
    "\n",
    "\n  ",
    "{",
    "}",
    "[",
    "]",
    ",",
    ": ",
    "'",
    '"',
    "&a ",
    "*a",
    "<<: ",
    "!x ",
    "|",
    "> ",
    "?",
    "# ",
    "name",
    "test",
    "1",
    "1e400",
    "no",
    "~",
    "---",
    "\t",
    "%YAML 1.1\n",
    "\x00",
    "2020-01-01",
    "rules",
    "clean: {profiles: {es: {rules: [",
]


@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=14).map("".join), st.text(max_size=12))
@settings(deadline=None, max_examples=300)
def test_nothing_a_file_can_hold_is_a_crash(text: str, override: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "seshat.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
        for overrides in ([], [override], [f"project.name={override}"], [f"split={override}"]):
            with contextlib.suppress(ConfigError):
                load_config(Path(folder), overrides=overrides)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "split:\n  min_segments: 5\n",
            "seshat.yaml:2: split.min_segments: there is no such setting any more: sets of",
        ),
        ("serve: {gather: 0.1}\n", "seshat.yaml:1: serve.gather: there is no such setting any more: requests are"),
        (
            "translate:\n  postprocess:\n    steps:\n      - {type: repetitions, longest: 4}\n",
            "seshat.yaml:4: translate.postprocess.steps[0].longest: there is no such setting any more: loops of up to",
        ),
    ],
)
def test_a_setting_that_is_gone_says_what_holds_now(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "seshat.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load_config(tmp_path)
    (problem,) = error.value.problems
    assert str(problem).startswith(expected)
