from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.config import Config, Direction
from seshat.core.errors import DataError, PromptMismatch
from seshat.core.jsonl import write_json
from seshat.project.folder import Project
from seshat.prompt.prompt import BREAK, Prompt, fill

NAMES = {"pivot": "es", "languages": {"xx": {"name": "Lumeko"}, "es": {"name": "Spanish"}}}
QWEN3 = (  # the part of Qwen3's template that matters: an empty thought before the answer
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
NO_SYSTEM = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "<{{ m.role }}>{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)


def prompt(**section: Any) -> Prompt:
    return Prompt.of(Project(Path("/nowhere"), Config.model_validate({"project": NAMES, "prompt": section})))


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    made = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), eos_token="<|im_end|>")
    made.chat_template = QWEN3
    return made


def test_the_names_of_the_languages_stand_in_the_system_prompt() -> None:
    assert prompt().system == "You are an expert in Lumeko. Answer exactly, and with the answer alone."
    assert prompt(system="{language}, {pivot}, {{d}}").system == "Lumeko, Spanish, {d}"


def test_a_chat_with_everything() -> None:
    chat = prompt().messages(
        "translate",
        source="xx",
        target="es",
        text="Sino {text} {d}UTU.",
        answer="La fruta.",
        context=("Uno.", "Dos."),
        hints=(("sino", "fruta; pera"),),
        shots=(("Sinota.", "Una fruta."),),
    )
    assert [turn["role"] for turn in chat] == ["system", "user", "assistant"]
    assert chat[1]["content"] == (
        "Similar sentences:\nLumeko: Sinota.\nSpanish: Una fruta.\n\nWords:\n- sino: fruta; pera\n\n"
        "The sentences before:\nUno.\nDos.\n\nTranslate from Lumeko into Spanish:\nSino {text} {d}UTU."
    )
    assert chat[2]["content"] == "La fruta."


def test_what_is_not_given_leaves_no_trace() -> None:
    chat = prompt(system="").messages("translate", source="es", text="Hola.")
    assert chat == [{"role": "user", "content": "Translate from Spanish into Lumeko:\nHola."}]


def test_own_words_for_a_task() -> None:
    asked = prompt(templates={"gloss": "{text} => ?"})
    assert asked.messages("gloss", text="a b")[-1]["content"] == "a b => ?"
    assert asked.messages("segment", text="a b")[-1]["content"].startswith("Divide")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"templates": {"gloss": "Gloss it"}}, "the template of 'gloss' has no {text}"),
        ({"system": "You know {langage}."}, r"'\{langage\}' is no slot here \(\{language\}, \{pivot\}\)"),
        ({"prefix": "to {text}: "}, r"'\{text\}' is no slot here"),
    ],
)
def test_templates_that_cannot_work(section: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prompt(**section)


@given(st.text())
@settings(deadline=None)
def test_braces_in_a_text_stay(text: str) -> None:
    assert fill("<{text}>{{x}}", {"text": text}) == f"<{text}>{{x}}"


def test_encoder_decoders_read_a_prefix() -> None:
    assert prompt(prefix="translate {source} to {target}: ").source("a {b}", Direction("es", "xx")) == (
        "translate Spanish to Lumeko: a {b}"
    )
    assert prompt().source("a", Direction("es", "xx")) == "a"


def test_encoder_decoders_read_the_sentences_before() -> None:
    way = Direction("es", "xx")
    made = prompt(prefix="{target}: ", context=2)
    assert made.source("c", way, ["a", "b"]) == f"Lumeko: a{BREAK} b{BREAK} c"
    assert made.source("c", way) == "Lumeko: c"


def test_the_hash_is_that_of_the_content() -> None:
    assert prompt().hash == prompt().hash
    assert len({prompt().hash, prompt(beams=4).hash, prompt(hints=2).hash, prompt(system="x").hash}) == 4


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    one = prompt(chat_template=None, shots=3, templates={"translate": "{source}>{target}: {text}"})
    one.save(tmp_path)
    assert Prompt.load(tmp_path) == one
    assert Prompt.load(tmp_path).hash == one.hash
    assert Prompt.check(tmp_path, one) == one


def test_another_prompt_is_refused_and_what_differs_is_said(tmp_path: Path) -> None:
    one, other = prompt(), prompt(system="Answer.", max_new_tokens=9)
    one.save(tmp_path)
    with pytest.raises(PromptMismatch) as caught:
        Prompt.check(tmp_path, other)
    assert one.hash in caught.value.message
    assert other.hash in caught.value.message
    assert '  system: "You are an expert in Lumeko.' in caught.value.message
    assert "  decoding.max_new_tokens: 256 there, 9 now" in caught.value.message


def test_a_prompt_file_changed_after_the_training_is_refused(tmp_path: Path) -> None:
    prompt().save(tmp_path)
    write_json(tmp_path / "model.json", {"family": "causal", "prompt": prompt(beams=2).hash})
    with pytest.raises(PromptMismatch, match="was changed after the training"):
        Prompt.check(tmp_path)


@pytest.mark.parametrize("content", [None, "{", '{"version": 1}'])
def test_no_prompt_file(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "prompt.json").write_text(content)
    with pytest.raises(DataError, match="prompt"):
        Prompt.load(tmp_path)


def test_no_thinking_and_the_same_question_in_training(tokenizer: Any) -> None:
    asked = prompt(system="")
    chat = asked.messages("translate", text="Sino.", answer="Fruta.")
    given, trained = asked.parts(tokenizer, chat)
    assert given.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert trained == "Fruta.<|im_end|>\n"


def test_a_template_that_asks_otherwise_in_training_is_refused(tokenizer: Any, tmp_path: Path) -> None:
    (tmp_path / "chat.jinja").write_text(QWEN3.replace("<think>\n\n</think>\n\n{% endif %}{{ m", "{% endif %}{{ m"))
    config = Config.model_validate({"prompt": {"chat_template": "chat.jinja"}})
    asked = Prompt.of(Project(tmp_path, config))
    with pytest.raises(DataError, match="writes the question in another way when the answer follows"):
        asked.parts(tokenizer, asked.messages("translate", text="a", answer="b"))


def test_a_template_without_system_turns(tokenizer: Any) -> None:
    asked = prompt().model_copy(update={"chat_template": NO_SYSTEM})
    chat = asked.messages("gloss", text="a")
    assert asked.render(tokenizer, chat, answer=False) == (
        f"<user>{chat[0]['content']}\n\n{chat[1]['content']}</s><assistant>"
    )


def test_no_template_at_all(tokenizer: Any) -> None:
    class Bare:
        chat_template = None

    with pytest.raises(DataError, match="has no chat template"):
        prompt().render(Bare(), prompt().messages("gloss", text="a"), answer=False)
    broken = prompt(system="").model_copy(update={"chat_template": "{{ raise_exception('no') }}"})
    with pytest.raises(DataError, match="cannot say these messages: no"):
        broken.render(tokenizer, broken.messages("gloss", text="a"), answer=False)


def test_the_file_of_the_template_is_missing(tmp_path: Path) -> None:
    config = Config.model_validate({"prompt": {"chat_template": "chat.jinja"}})
    with pytest.raises(DataError, match=r"chat\.jinja: cannot read the chat template"):
        Prompt.of(Project(tmp_path, config))
