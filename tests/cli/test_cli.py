"""The command line: what people type, what they see, and the exit codes."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog
from rich.console import Console
from tests.stand_ins import raw_files, stand_in
from typer.testing import CliRunner, Result

from seshat.cli.app import app
from seshat.cli.translate import _batches
from seshat.config import Config, Direction
from seshat.core import logs
from seshat.core.errors import DataError
from seshat.core.jsonl import write_jsonl
from seshat.core.records import Access, Meta, Segment
from seshat.inference.chain import Chain
from seshat.inference.translator import Candidate, Hypothesis, Translator
from seshat.pipeline.stages import DETAILS, STAGES, stages_of
from seshat.project.machine import Finding
from seshat.prompt.request import Request
from seshat.report import terminal

YAML = """\
project: {language: qlm, pivot: es}
ingest:
  sources:
    - {name: a, path: translations/a.csv}
    - {name: b, path: monolingual/*.txt, reader: text}
"""


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Any:
    yield
    structlog.reset_defaults()


def seshat(*arguments: str | Path, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments], input=stdin)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose stages are stand-ins."""
    stand_in(monkeypatch)
    raw_files(tmp_path)
    (tmp_path / "seshat.yaml").write_text(YAML)
    return tmp_path


def stage(monkeypatch: pytest.MonkeyPatch, name: str, run: Callable[..., dict[str, Any]]) -> None:
    monkeypatch.setattr(sys.modules[next(s.module for s in STAGES if s.name == name)], "run", run)


class TestHelp:
    def test_every_verb_is_there(self) -> None:
        shown = seshat("--help")
        assert shown.exit_code == 0
        verbs = [s.name for s in STAGES] + [
            "init",
            "run",
            "status",
            "download",
            "translate",
            "check",
            "doctor",
            "config",
        ]
        for name in verbs:
            assert f"│ {name} " in shown.stdout

    @pytest.mark.parametrize("name", [s.name for s in STAGES])
    def test_a_stage_is_explained_with_its_settings(self, name: str) -> None:
        shown = " ".join(seshat(name, "--help").stdout.split())
        assert DETAILS[name].split("\n\n")[1].split()[0] in shown
        section = Config.model_fields[name].annotation
        assert section is not None
        for key in section.model_fields:
            assert f" {key} " in shown
        assert f"{name}.{next(iter(section.model_fields))}=VALUE" in shown

    def test_nothing_heavy_is_imported(self) -> None:
        code = "import sys; from seshat.cli.app import app; print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        heavy = {"torch", "transformers", "numpy", "dvc", "thot", "sacrebleu", "openpyxl", "jinja2", "pydantic"}
        assert not heavy & set(done.stdout.split())

    def test_version(self) -> None:
        assert seshat("--version").stdout.startswith("seshat ")

    def test_a_mistyped_verb(self) -> None:
        shown = seshat("statsu")
        assert shown.exit_code == 2
        assert "status" in shown.stderr


class TestFailures:
    def test_no_project(self, tmp_path: Path) -> None:
        shown = seshat("run", "--project", tmp_path)
        assert shown.exit_code == 2
        assert "seshat.yaml" in shown.stderr
        assert "seshat init" in shown.stderr

    def test_a_mistake_in_the_configuration(self, root: Path) -> None:
        (root / "seshat.yaml").write_text(YAML + "clena: {}\n")
        shown = seshat("status", "-p", root)
        assert shown.exit_code == 2
        assert "seshat.yaml:6" in shown.stderr
        assert "clean" in shown.stderr

    def test_an_override_that_is_wrong(self, root: Path) -> None:
        shown = seshat("status", "-p", root, "train.family=statistik")
        assert shown.exit_code == 2
        assert "statistik" in shown.stderr

    def test_an_error_of_a_stage(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_project: object) -> dict[str, Any]:
            raise DataError("a.csv:3: no such thing", "Mend it.")

        stage(monkeypatch, "ingest", fail)
        shown = seshat("run", "-p", root)
        assert shown.exit_code == 1
        assert shown.stderr == "seshat: a.csv:3: no such thing\nMend it.\n"

    def test_ctrl_c(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def stop(_project: object) -> dict[str, Any]:
            raise KeyboardInterrupt

        stage(monkeypatch, "clean", stop)
        shown = seshat("run", "-p", root)
        assert shown.exit_code == 130
        assert "run the same command again to go on" in shown.stderr

    def test_a_mistake_of_ours(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def crash(_project: object) -> dict[str, Any]:
            raise ZeroDivisionError("how odd")

        stage(monkeypatch, "ingest", crash)
        shown = seshat("ingest", "-p", root)
        assert shown.exit_code == 1
        assert "Traceback" not in shown.stderr
        assert "how odd" in shown.stderr
        (saved,) = (root / ".seshat").glob("crash-*.txt")
        assert str(saved) in shown.stderr
        assert "Traceback" in saved.read_text()
        assert "Traceback" in seshat("ingest", "-p", root, "--debug").stderr

    def test_the_reader_goes_away(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "seshat", "config", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()
        assert process.wait() == 141
        assert errors == b""


def _genres(shown: str) -> list[list[str]]:
    """The lines of the table by genre, in words."""
    table = shown[shown.index("geomean by genre, with 95 % intervals") :].split("\n\n")[0]
    return [line.split()[1:] for line in table.splitlines() if line.split()[:1] == ["qlm-es"]]


class TestRun:
    def test_ends_with_table_samples_and_report(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from tests.stand_ins import work

        evaluate = next(s for s in STAGES if s.name == "evaluate")
        by_genre = [
            {"direction": "qlm-es", "genre": genre, "segments": size, "system": system}
            | {"geomean": score, "geomean low": score - 1, "geomean high": score + 2}
            for genre, size in (("tale [oral]", 4), ("talk", 9))
            for system, score in (("m", 30.0 + size), ("copy", 5.25))
        ]

        def run(project: Any) -> dict[str, Any]:
            work(evaluate, project)
            return {
                "table": [
                    {
                        "direction": "qlm-es",
                        "system": "copy",
                        "geomean": 21.37,
                        "geomean low": 20.1,
                        "geomean high": 22.5,
                    }
                ],
                "by_genre": by_genre,
                "samples": [{"source": "ka", "translation": "[casa]", "reference": "casa"}],
                "report": "reports/evaluation.html",
            }

        stage(monkeypatch, "evaluate", run)
        for _ in range(2):  # the second time out of what is remembered
            shown = seshat("run", "-p", root)
            assert shown.exit_code == 0, shown.stderr
            for expected in ("21.4", "20.1-22.5", "[casa]", "Report: reports/evaluation.html"):
                assert expected in shown.stdout
            assert _genres(shown.stdout) == [
                ["tale", "[oral]", "4", "34.0", "33.0-36.0", "5.2", "4.2-7.2"],
                ["talk", "9", "39.0", "38.0-41.0", "5.2", "4.2-7.2"],
            ]
        assert "up to date" in shown.stdout
        assert len(list((root / "reports/runs").glob("*.json"))) == 2
        alone = seshat("evaluate", "-p", root).stdout
        assert "20.1-22.5" in alone and len(_genres(alone)) == 2
        assert json.loads(seshat("evaluate", "-p", root, "--json").stdout)["by_genre"] == by_genre

    def test_json(self, root: Path) -> None:
        values = json.loads(seshat("run", "-p", root, "--json").stdout)
        assert [value["stage"] for value in values] == [s.name for s in stages_of(Config())]
        assert {value["state"] for value in values} == {"ran"}

    def test_from_a_folder_inside_the_project(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(root / "data/raw")
        assert seshat("status").exit_code == 0

    def test_profiles_and_overrides(self, root: Path) -> None:
        (root / "profiles").mkdir()
        (root / "profiles/big.yaml").write_text("evaluate: {samples: 7}\n")
        shown = seshat("config", "show", "-p", root, "--profile", "big", "evaluate.bootstrap=200", "--json")
        values = json.loads(shown.stdout)
        assert values["evaluate"]["samples"] == 7
        assert values["evaluate"]["bootstrap"] == 200

    def test_a_stage_prints_its_summary(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        normal = sys.modules["seshat.data.ingest"].run
        stage(monkeypatch, "ingest", lambda project: normal(project) | {"rows": 1234, "warnings": ["a [b] c"]})
        shown = seshat("ingest", "-p", root).stdout
        assert "1,234" in shown
        assert "- a [b] c" in shown
        assert json.loads(seshat("ingest", "-p", root, "--json").stdout)["rows"] == 1234

    def test_quiet_leaves_the_result(self, root: Path) -> None:
        assert seshat("run", "-p", root, "--quiet").stdout == ""

    def test_what_dvc_yaml_runs(self, root: Path) -> None:
        seshat("status", "-p", root, "train.name=other")
        for name in ("ingest", "clean", "align", "split", "format", "tokenizer", "train"):
            assert seshat(name, "-p", root, "--resolved").exit_code == 0
        assert (root / "models/other").exists()
        assert not (root / "dvc.lock").exists()


class TestStatus:
    def test_says_why(self, root: Path) -> None:
        seshat("run", "-p", root)
        shown = seshat("status", "-p", root, "align.min_confidence=0.9")
        assert "align.min_confidence: 0.5 -> 0.9" in shown.stdout
        values = json.loads(seshat("status", "-p", root, "--json").stdout)
        assert {value["state"] for value in values} == {"current"}


class Fake(Translator):
    """Translates into capitals."""

    name = "fake"
    batches: list[int]
    options: dict[str, Any]

    def __init__(self, folder: Path, direction: Direction) -> None:
        self.folder, self.direction, self.batches = folder, direction, []

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        texts, n_best = [one.text for one in requests], max(one.n_best for one in requests)
        self.batches.append(len(texts))
        others = tuple(Candidate(f"{n}", -float(n)) for n in range(1, n_best))
        return [Hypothesis(text.upper(), -0.5, (Candidate(text.upper(), -0.5), *others)) for text in texts]


class TestTranslate:
    @pytest.fixture(autouse=True)
    def loaded(self, monkeypatch: pytest.MonkeyPatch) -> list[Fake]:
        """The translators that were loaded."""
        made: list[Fake] = []

        def load_translator(folder: Path, direction: Direction, **options: Any) -> Chain:
            made.append(Fake(folder, direction))
            made[-1].options = options
            return Chain(made[-1])

        monkeypatch.setattr("seshat.inference.opening.load_translator", load_translator)
        return made

    def test_arguments(self, root: Path, loaded: list[Fake]) -> None:
        assert seshat("translate", "-p", root, "uma ka", "ñuk").stdout == "UMA KA\nÑUK\n"
        assert loaded[0].folder == root / "models/statistical"
        assert loaded[0].direction == Direction("qlm", "es")

    def test_the_model_of_the_configuration_is_held_to_its_prompt(self, root: Path, loaded: list[Fake]) -> None:
        fine_tuned = ["--set", "train.family=seq2seq", "--set", "model.base=b", "--set", "prompt.prefix={target}: "]
        seshat("translate", "-p", root, "uma", *fine_tuned)
        seshat("translate", "-p", root, "uma", *fine_tuned, "--allow-other-prompt")
        seshat("translate", "-p", root, "uma", *fine_tuned, "--model", "another")
        seshat("translate", "-p", root, "uma")
        prompts = [one.options["prompt"] for one in loaded]
        assert [prompt and prompt.prefix for prompt in prompts] == ["{target}: ", "{target}: ", None, None]
        assert [one.options["allow_other_prompt"] for one in loaded] == [False, True, False, False]

    def test_standard_input_keeps_empty_lines(self, root: Path) -> None:
        assert seshat("translate", "-p", root, stdin="a\n\nb").stdout == "A\n\nB\n"
        assert seshat("translate", "-p", root, "-f", "-", stdin="a\n").stdout == "A\n"

    def test_a_file_in_order_and_in_batches(self, root: Path, loaded: list[Fake]) -> None:
        texts = [f"line {number}" for number in range(200)]
        (root / "in.txt").write_text("\ufeff" + "\n".join(texts) + "\n", encoding="utf-8")
        shown = seshat(
            "translate", "-p", root, "-f", root / "in.txt", "-o", root / "out.txt", "--set", "translate.batch=8"
        )
        assert shown.exit_code == 0, shown.stderr
        assert (root / "out.txt").read_text().splitlines() == [text.upper() for text in texts]
        assert max(loaded[0].batches) <= 8

    def test_json_and_n_best(self, root: Path) -> None:
        line = json.loads(seshat("translate", "-p", root, "a", "--json", "--n-best", "2").stdout)
        assert line == {"source": "a", "text": "A", "score": -0.5, "alternatives": [{"text": "1", "score": -1.0}]}
        shown = seshat("translate", "-p", root, "a", "b", "--n-best", "2").stdout
        assert shown.splitlines() == [
            "0 ||| A ||| -0.5000",
            "0 ||| 1 ||| -1.0000",
            "1 ||| B ||| -0.5000",
            "1 ||| 1 ||| -1.0000",
        ]

    def test_json_marks_invented_words_and_says_what_was_mended(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def looping(_self: Fake, texts: Sequence[str], _n_best: int = 1) -> list[Hypothesis]:
            return [Hypothesis("el gatoo gatoo gatoo gatoo perro uma", -1.0) for _ in texts]

        monkeypatch.setattr(Fake, "translate", looping)
        texts = {"qlm": "uma", "es": "el perro"}
        write_jsonl(root / "data/training/train.jsonl", [Segment(id="1", texts=texts, meta=Meta(access=Access.PUBLIC))])
        shown = seshat("translate", "-p", root, "uma", "--json", "--set", "project.max_access=public")
        line = json.loads(shown.stdout)
        assert line["text"] == "el gatoo perro uma"
        assert line["changes"] == ["repetitions: 'gatoo' 4 times"]
        assert line["invented"] == ["gatoo"], "neither what the corpus has nor what stands in the source"
        assert "translations that post-processing changed" in shown.stderr
        assert "repetitions=1" in shown.stderr

    def test_direction(self, root: Path, loaded: list[Fake]) -> None:
        seshat("translate", "-p", root, "a", "--direction", "es-qlm", "--model", "other")
        assert loaded[0].direction == Direction("es", "qlm")
        assert loaded[0].folder == root / "models/other"
        shown = seshat("translate", "-p", root, "a", "--direction", "fr-de")
        assert shown.exit_code == 2
        assert "qlm-es and es-qlm" in shown.stderr

    def test_text_that_is_not_utf8(self, root: Path) -> None:
        (root / "out.txt").write_text("before")
        shown = seshat("translate", "-p", root, "-o", root / "out.txt", stdin=b"a\n\xf1\n")
        assert shown.exit_code == 1
        assert "standard input:2: not UTF-8" in shown.stderr
        assert (root / "out.txt").read_text() == "before"

    def test_file_and_arguments(self, root: Path) -> None:
        assert seshat("translate", "-p", root, "a", "-f", "b").exit_code == 2

    def test_a_text_that_comes_back_as_it_is_is_noticed(self, root: Path) -> None:
        shown = seshat("translate", "-p", root, "uma ka Lima", "uma ka ta")
        assert "texts=1" in shown.stderr
        assert "--direction es-qlm" in shown.stderr
        assert shown.stdout == "UMA KA LIMA\nUMA KA TA\n"

    def test_a_missing_file(self, root: Path) -> None:
        shown = seshat("translate", "-p", root, "-f", root / "nothing")
        assert shown.exit_code == 1
        assert "cannot be read" in shown.stderr

    def test_a_person_typing_gets_each_line_at_once(self) -> None:
        answered = threading.Event()

        def typing() -> Any:
            yield Request("first")
            assert answered.wait(60)
            yield Request("second")

        batches = _batches(typing(), 64)
        assert next(batches) == [Request("first")]
        answered.set()
        assert list(batches) == [[Request("second")]]


class TestTools:
    def test_init_makes_a_project(self, tmp_path: Path) -> None:
        made = seshat("init", tmp_path / "mine", "--name", "Mine", "--language", "shp")
        assert made.exit_code == 0, made.stderr
        assert seshat("config", "show", "-p", tmp_path / "mine").exit_code == 0
        assert seshat("init", tmp_path / "mine").exit_code == 2

    def test_config_init_and_schema(self, tmp_path: Path) -> None:
        assert "project:" in seshat("config", "init").stdout
        assert seshat("config", "schema", "--output", tmp_path / "schema.json").exit_code == 0
        assert "properties" in json.loads((tmp_path / "schema.json").read_text())

    def test_check(self, tmp_path: Path) -> None:
        (tmp_path / "seshat.yaml").write_text(
            "project: {language: qlm, pivot: es}\ningest: {sources: [{name: a, path: a.csv, access: public}]}\n"
        )
        raw = tmp_path / "data/raw/a.csv"
        raw.parent.mkdir(parents=True)
        raw.write_text("qlm,es\n" + "".join(f"ka{n},casa {n}\n" for n in range(50)))
        shown = seshat("check", "-p", tmp_path)
        assert "errors," in shown.stdout
        assert shown.stderr == ""
        values = json.loads(seshat("check", "-p", tmp_path, "--json").stdout)
        assert shown.exit_code == int(values["failed"])
        assert not (tmp_path / "reports").exists()
        assert seshat("check", "-p", tmp_path, "--html").exit_code == shown.exit_code
        page = (tmp_path / "reports" / "check.html").read_text(encoding="utf-8")
        assert all(one["message"].split("'")[0] in page for one in values["findings"])

    @pytest.mark.parametrize(("status", "code"), [("warn", 0), ("fail", 1)])
    def test_doctor(self, monkeypatch: pytest.MonkeyPatch, status: Any, code: int) -> None:
        from seshat.project import doctor

        monkeypatch.setattr(doctor, "examine", lambda: [Finding("disk", status, "3 GB [free]", "Make room.")])
        shown = seshat("doctor")
        assert (shown.exit_code, shown.stderr) == (code, "")
        assert "3 GB [free]" in shown.stdout
        assert "- disk: Make room." in shown.stdout
        assert json.loads(seshat("doctor", "--json").stdout)[0]["status"] == status

    def test_check_without_sources(self, tmp_path: Path) -> None:
        (tmp_path / "seshat.yaml").write_text("project: {language: qlm, pivot: es}\n")
        assert seshat("check", "-p", tmp_path).exit_code == 1


class TestLogs:
    def test_json_lines(self, capsys: pytest.CaptureFixture[str]) -> None:
        logs.configure(json=True)
        structlog.get_logger("seshat.test").info("ready", rows=3)
        shown = capsys.readouterr()
        line = json.loads(shown.err)
        assert (line["event"], line["rows"], line["level"], line["logger"]) == ("ready", 3, "info", "seshat.test")
        assert shown.out == ""

    def test_for_people_and_the_level(self, capsys: pytest.CaptureFixture[str]) -> None:
        logs.configure(level=logging.WARNING)
        log = structlog.get_logger("seshat.test")
        log.info("not shown")
        log.warning("shown", file="a.csv")
        shown = capsys.readouterr().err
        assert "shown" in shown
        assert "file=a.csv" in shown
        assert "not shown" not in shown


class TestTerminal:
    def test_figures_that_have_a_space_are_broken_there_rather_than_cut_off(self) -> None:
        stream = io.StringIO()
        row = {"genre": "tale", "one": "31.2 30.1-33.3", "another": "29.7 28.8-30.9", "segments": 12345}
        Console(file=stream, width=40).print(terminal.table([row]))
        for whole in ("tale", "31.2", "30.1-33.3", "29.7", "28.8-30.9", "12,345"):
            assert whole in stream.getvalue().split()

    def test_a_table_too_wide_is_parted_with_its_first_columns_repeated(self) -> None:
        stream = io.StringIO()
        rows = [
            {"direction": "qlm-es", "system": name, **{f"score {n}": f"{n}.5" for n in range(12)}}
            for name in ("statistical", "copy")
        ]
        drawn = terminal.table(rows, title="Scores")
        for _ in range(2):  # drawn twice, it is the same
            Console(file=stream, width=80).print(drawn)
        shown = stream.getvalue()
        assert max(map(len, shown.splitlines())) <= 80
        assert "…" not in shown
        assert shown.count("Scores") == 2
        assert shown.count("statistical") == shown.count("copy") == 6
        for figure in range(12):
            assert shown.split().count(f"{figure}.5") == 4

    def test_a_bar_ends_where_its_work_does(self) -> None:
        bars = terminal.Bars()
        with bars, bars.task("hash raw files", 5) as advance:
            for _ in range(5):
                advance(1)
            (task,) = bars._progress.tasks
            assert task.completed == 5

    def test_no_bars_off_a_terminal(self, capsys: pytest.CaptureFixture[str]) -> None:
        with terminal.Bars() as bars, bars.task("training", 10) as advance:
            advance(1)
        shown = capsys.readouterr()
        assert (shown.out, shown.err) == ("", "")

    def test_what_was_advanced_is_drawn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(terminal, "REFRESH", 0.0)
        bars = terminal.Bars()
        with bars, bars.task("training [1]", 10) as advance:
            advance(3)
            advance(4)
            (task,) = bars._progress.tasks
            assert (task.completed, task.total) == (7, 10)
        assert not bars._progress.tasks

    def test_values_as_people_write_them(self) -> None:
        assert terminal.text(1234567) == "1,234,567"
        assert terminal.text(0.123456) == "0.1235"
        assert terminal.text({"a": 1, "b": None}) == "a 1, b "
        assert terminal.text([True, "x"]) == "yes, x"

    def test_a_summary(self) -> None:
        stream = io.StringIO()
        console = Console(file=stream, width=80)
        for one in terminal.summary(
            {"rows": 3, "sources": [{"name": "a", "rows": 3}], "warnings": ["mind this"]}, "clean"
        ):
            console.print(one)
        for expected in ("clean", "rows", "sources", "- mind this"):
            assert expected in stream.getvalue()


@pytest.mark.parametrize(("command", "package"), [("demo", "gradio"), ("serve", "uvicorn")])
def test_a_missing_package_is_named_before_anything_is_opened(
    command: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == package else known(name, *more)
    )
    result = CliRunner().invoke(app, [command, "--project", "nowhere"])
    assert result.exit_code == 1
    shown = " ".join(result.output.split())
    assert f"seshat {command} needs the package '{package}', which is not installed." in shown
    assert f"[{command}]" in shown.replace(" ", "")


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of Unix")
def test_what_is_printed_beside_bars_stays_on_a_terminal_and_reaches_a_file(tmp_path: Path) -> None:
    import pty

    code = """if True:
        import time
        from seshat.cli.common import Context
        from seshat.core.progress import track
        context = Context()
        with context.progress():
            for number in track(range(3), "working"):
                time.sleep(0.15)
                context.note(f"[bold]line {number}[/bold]")
        context.note("the end")
    """
    for into_file in (False, True):
        main, other = pty.openpty()
        with (tmp_path / "out").open("wb") as out:
            process = subprocess.Popen([sys.executable, "-c", code], stdout=out if into_file else other, stderr=other)
        os.close(other)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a pseudo-terminal
            while piece := os.read(main, 4096):
                shown += piece
        os.close(main)
        assert process.wait() == 0
        assert b"working" in shown
        printed = (tmp_path / "out").read_bytes() if into_file else shown
        plain = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]|\r", b"", printed.replace(b"\x1b[2K", b"\n"))  # an erased line is none
        lines = [line for line in plain.decode().split("\n") if line.startswith(("line", "the end"))]
        assert lines == ["line 0", "line 1", "line 2", "the end"]
        if not into_file:
            assert shown.rstrip().endswith(b"the end")
            # Nothing is erased after the last line was printed.
            assert b"\x1b[2K" not in shown[shown.rindex(b"line 2") :].partition(b"the end")[2]
