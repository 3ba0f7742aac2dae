from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from seshat.config import Config, Direction
from seshat.config.postprocess import PostprocessSection
from seshat.core.errors import ConfigError
from seshat.core.records import Entry, Sense
from seshat.inference.chain import Chain
from seshat.inference.lexicon import Lexicon
from seshat.inference.postprocess import Postprocessor, build, is_filled, tally
from seshat.inference.translator import Candidate, Hypothesis, Translator
from seshat.prompt.request import Request, requests
from seshat.text.words import words

WAY = Direction("xx", "es")
STEPS = PostprocessSection().steps


def entry(word: str, meaning: str, kind: str = "word") -> Entry:
    return Entry(
        id=f"{word}:{meaning}", lang="xx", headword=word, type=kind, senses=(Sense(glosses={"es": (meaning,)}),)
    )


LEXICON = Lexicon(
    [
        entry("Miti", "María", "person"),
        entry("Tolomu", "Tarapoto", "place"),
        entry("kuna noi", "Río Grande", "place"),
        entry("resa", "carta"),
        entry("Resa", "Marta", "person"),
    ],
    "xx",
    "es",
)


class Scripted(Translator):
    """Says what the script says; gives candidates only when asked for several."""

    name, direction = "scripted", WAY

    def __init__(self, script: dict[str, list[str]]) -> None:
        self.script = script
        self.asked: list[tuple[tuple[str, ...], int]] = []

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        texts, n_best = [one.text for one in requests], max(one.n_best for one in requests)
        self.asked.append((tuple(texts), n_best))
        found = [
            [Candidate(text, -1.0 * min(n, 2)) for n, text in enumerate(self.script[one][:n_best])] for one in texts
        ]
        return [Hypothesis(one[0].text, -1.0, tuple(one[1:])) for one in found]


def steps(*names: str) -> Postprocessor:
    wanted = [one for one in STEPS if one.type in names]
    return build(wanted, WAY, lexicon=LEXICON, languages=["Spanish", "es"])


def mended(text: str, source: str = "kuna", *names: str) -> str:
    return steps(*(names or tuple(one.type for one in STEPS))).mend(text, source)[0]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("<think>\n\n</think>\n\nEl perro corre.", "El perro corre."),
        ("It means dog… so\n</think>\nEl perro corre.", "El perro corre."),
        ("<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>El perro.", "El perro."),
        ("El perro corre.<|im_end|>\n<|im_start|>user\nAnd this?", "El perro corre."),
        ("<start_of_turn>model\nEl perro corre.<end_of_turn>", "El perro corre."),
        ("<|im_start|>assistant\nEl perro corre.", "El perro corre."),
        ("<s> El perro corre.</s>", "El perro corre."),
        ("Assistant: El perro corre.", "El perro corre."),
        ("Translation: El perro corre.", "El perro corre."),
        ("**Translation (Spanish):** El perro corre.", "El perro corre."),
        ("Here is the translation:\n\n“El perro corre.”", "El perro corre."),
        ("Spanish: El perro corre.", "El perro corre."),
        ("El perro corre.\n\nNote: 'kuna' is a dog.", "El perro corre."),
        ("```\nEl perro corre.\n```", "El perro corre."),
        ("«El perro corre.»", "El perro corre."),
        ("El hijo dijo: vamos.", "El hijo dijo: vamos."),
        ("La respuesta es model: sí.", "La respuesta es model: sí."),
        ("Dijo «vamos» y se fue.", "Dijo «vamos» y se fue."),
        ("<gap> el <big_gap> perro {NAME}", "<gap> el <big_gap> perro {NAME}"),
    ],
)
def test_residue_goes_and_the_rest_stays(said: str, meant: str) -> None:
    assert mended(said, "kuna") == meant


def test_residue_that_the_source_has_too_stays() -> None:
    assert mended("Respuesta: «no»", "Answer: «ma»") == "Respuesta: «no»"
    assert mended("«no»", "«ma»") == "«no»"
    assert mended("El signo <s> abre.", "<s> noi") == "El signo <s> abre."


@pytest.mark.parametrize(
    ("said", "source", "meant"),
    [
        ("el perro el perro el perro el perro corre", "kuna noi", "el perro corre"),
        ("La casa, la casa, la casa, la", "kuna", "La casa"),
        ("no, no, no, no.", "ma", "no."),
        ("sí, sí", "ma", "sí, sí"),
        ("no, no, no, no.", "ma ma", "no, no."),
        ("no, no, no.", "ma, ma, ma", "no, no, no."),
        ("y <gap> y <gap> y", "ma", "y <gap> y <gap> y"),
        ("Se rió: jajaja", "ma", "Se rió: jajaja"),
        ("takakakakakakaka noi", "ma", "taka noi"),
        ("我们去我们去我们去学校", "kuna", "我们去学校"),
        ("ไปบ้านไปบ้านไปบ้านไปบ้าน", "kuna", "ไปบ้าน"),
        ("คนคน", "kuna", "คนคน"),
        ("कमल कमल कमल घर", "kuna", "कमल घर"),
    ],
)
def test_loops_are_said_as_often_as_the_source_says_such_things(said: str, source: str, meant: str) -> None:
    assert mended(said, source, "repetitions") == meant


@hypothesis_settings(deadline=None)
@given(
    st.lists(st.sampled_from(["a", "bo", "ce", ",", "<gap>"]), max_size=24),
    st.sampled_from(["x", "x x", "x y x y x y"]),
)
def test_after_collapsing_no_loop_is_left(said: list[str], source: str) -> None:
    text = " ".join(said)
    once = mended(text, source, "repetitions")
    assert mended(once, source, "repetitions") == once
    assert set(words(once)) == set(words(text))
    if source == "x":
        assert "a a a" not in once and "bo ce bo ce bo ce" not in once


@pytest.mark.parametrize(
    ("said", "source", "meant"),
    [
        ("Maira corre.", "Miti kuna", "María corre."),
        ("Maria corre.", "Mitita kuna", "María corre."),
        ("María corre.", "Miti kuna", "María corre."),
        ("Maira corre.", "kuna", "Maira corre."),
        ("Con Maríakan.", "Miti kuna", "Con Maríakan."),
        ("Voy a Terapoto con Maira.", "Miti Tolomu", "Voy a Tarapoto con María."),
        ("En el Rio Grande.", "kuna noi", "En el Río Grande."),
        ("En el rio grande.", "kuna noi", "En el rio grande."),
        ("Vino maría.", "Miti", "Vino María."),
        ("La carta llegó.", "Resa", "La carta llegó."),
        ("Carta llegó.", "Resa", "Carta llegó."),
    ],
)
def test_names_of_the_source_are_written_as_the_lexicon_does(said: str, source: str, meant: str) -> None:
    assert mended(said, source, "names") == meant


def test_each_change_has_its_step_and_reason() -> None:
    text, changes = steps("residue", "repetitions", "names", "whitespace").mend(
        "Translation: Maira  va va va va ", "Miti noi"
    )
    assert text == "María va"
    assert changes == (
        "residue: the label 'Translation:'",
        "repetitions: 'va' 4 times",
        "names: Maira → María",
        "whitespace: spaces, line breaks or invisible characters",
    )
    assert tally([Hypothesis(text, 0.0, changes=changes), Hypothesis("", 0.0)]) == dict.fromkeys(
        ("residue", "repetitions", "names", "whitespace"), 1
    )


def test_an_empty_translation_gives_the_next_candidate_then_word_by_word_then_a_copy() -> None:
    script = {
        "kuna": ["<think>dog", " ", "El perro."],
        "noi": ["", "…"],
        "resa": ["Sí.", "No."],
        "": [""],
        "?": ["?"],
    }
    inner = Scripted(script)
    word_by_word = Scripted({"noi": ["gato"]})
    opened: list[Translator] = []

    def opens() -> Translator:
        opened.append(word_by_word)
        return word_by_word

    translator = Chain(inner, mend=build(STEPS, WAY, lexicon=LEXICON, word_by_word=opens))
    found = translator.translate(requests(script))
    assert [one.text for one in found] == ["El perro.", "gato", "Sí.", "", "?"]
    assert found[0].changes[-1] == "empty: nothing was said; the next candidate"
    assert found[1].changes[-1] == "empty: nothing was said; word by word"
    assert [one.alternatives for one in found] == [(), (), (), (), ()]
    assert [is_filled(one.changes) for one in found] == [False, True, False, False, False]
    assert found[0].score == -2.0, "that of the candidate, not of the empty translation"
    assert inner.asked == [(tuple(script), 1), (("kuna", "noi"), 4)]
    assert translator.mended(requests(script), Scripted(script).translate(requests(script))) == found
    assert inner.asked[2:] == [(("kuna", "noi"), 4)], "asked for candidates again, not for what was said already"
    translator.translate(requests(["noi"]))
    assert len(opened) == 1, "learned once"

    nothing = Chain(Scripted(script), mend=build(STEPS, WAY))
    assert nothing.translate(requests(["noi"]))[0].text == "noi"


def test_alternatives_are_mended_too_and_never_empty() -> None:
    inner = Scripted({"kuna": ["Translation: El perro.", "<think>hm", "Un perro.</s>", "Un perro."]})
    found = Chain(inner, mend=build(STEPS, WAY)).translate(requests(["kuna"], n_best=4))[0]
    assert (found.text, [one.text for one in found.alternatives]) == ("El perro.", ["Un perro."])


def test_steps_are_named_and_typed_in_the_configuration(tmp_path: Path) -> None:
    from seshat.config.load import load_config

    config = Config.model_validate(
        {"translate": {"postprocess": {"steps": [{"type": "repetitions", "times": 5}, {"type": "empty"}]}}}
    )
    built = build(config.translate.postprocess.steps, WAY)
    assert [step.name for step in built.steps] == ["repetitions", "empty"]
    assert built.mend("va va va va", "noi")[0] == "va va va va"
    (tmp_path / "seshat.yaml").write_text(
        "translate: {postprocess: {steps: [{type: repetitions}, {type: repetitions}, {type: repetition}]}}", "utf-8"
    )
    with pytest.raises(ConfigError, match="repetition"):
        load_config(tmp_path)
