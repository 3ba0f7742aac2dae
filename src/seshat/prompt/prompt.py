"""The prompt object: everything that decides how a model is asked, frozen, with a hash.

It is saved beside every model that it trained (``models/NAME/prompt.json``) and used by format, train, evaluate,
translate, serve and export, so that a model is asked as it was taught. :meth:`Prompt.check` refuses another one.

Asking goes in two steps. :meth:`Prompt.messages` makes the chat of one question: a system turn, one user turn (similar
sentences, words, the sentences before, then the task with its text) and, for training, one assistant turn, so that the
loss on "the last assistant turn" and on "all assistant turns" is the same thing. :meth:`Prompt.render` puts a chat into
the words of a chat template; what it gives is tokenised with ``add_special_tokens=False``, or the text would begin
with two BOS tokens. Encoder-decoders know no chats: they read :meth:`Prompt.source`, and those from scratch, which are
trained for one direction each, :func:`after`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seshat.config.project import Direction
from seshat.config.prompt import SLOT, Task
from seshat.config.translate import DecodingSection
from seshat.core.errors import DataError, PromptMismatch
from seshat.core.jsonl import write_json
from seshat.project.manifest import Manifest, is_model
from seshat.prompt.templates import check_template

if TYPE_CHECKING:
    from seshat.project.folder import Project
    from seshat.prompt.request import Request

FILE = "prompt.json"
"""Name of the prompt object in the folder of a model."""
WORDING_FILE = "wording.json"
"""Beside messages: what they were written with."""
BREAK = "</s>"
"""What an encoder-decoder reads behind each sentence before the text: the mark that ends a text.

ByT5, mT5, NLLB, mBART-50 and Marian all call it so, and their tokenizers make one token of it wherever it stands, which
the base knows from its pretraining; other signs become several pieces or an unknown one, and SentencePiece turns line
breaks into spaces. The vocabulary of models from scratch has it as a mark of its own, which no text is ever cut into.
So it cannot be in a text: where these letters stood in one, a tokenizer would take the text to end there.
"""
TEMPLATES: dict[Task, str] = {
    "translate": "Translate from {source} into {target}:\n{text}",
    "word-to-meaning": "What does this {language} word mean in {pivot}?\n{text}",
    "meaning-to-word": "What is the {language} word for this in {pivot}?\n{text}",
    "examples": "Give a {language} sentence with this word, and below it the {pivot} translation:\n{text}",
    "segment": "Divide the words of this {language} sentence into morphemes, with hyphens:\n{text}",
    "gloss": "Gloss this {language} sentence morpheme by morpheme:\n{text}",
    "explain": "Explain the grammar of this {language} sentence in {pivot}, word by word:\n{text}",
    "cloze": "Which word is missing from this {language} sentence?\n{text}",
    "inflect": "Write the {language} word that has this gloss:\n{text}",
}
"""The usual words of the tasks."""
_SHOTS, _HINTS, _CONTEXT = "Similar sentences:", "Words:", "The sentences before:"
_DRAFT = "A draft, which may be wrong:"
_LONGEST_SHOWN = 60
_WORDING = ("languages", "language", "pivot", "system", "templates", "context", "hints", "shots")

Message = dict[str, str]
"""One turn of a chat: ``role`` (``system``, ``user`` or ``assistant``) and ``content``."""


class Decoding(BaseModel):
    """How the answer is searched for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_new_tokens: int = 256
    beams: int = 1
    temperature: float = 0.0
    top_p: float = 1.0

    def changed(self, settings: DecodingSection) -> Decoding:
        """The same but for what ``translate.decoding`` wants otherwise."""
        return self.model_copy(update=settings.model_dump(exclude_none=True))


class Prompt(BaseModel):
    """How a model is asked; complete, so that nothing else is needed to ask it elsewhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 1
    languages: dict[str, str]
    """Tag -> the name that prompts use."""
    language: str
    """Tag of the low-resource language."""
    pivot: str
    """Tag of the other one; of the same one where a language is alone."""
    system: str = ""
    """System turn, slots filled in; empty for none."""
    templates: dict[Task, str] = Field(default_factory=lambda: dict(TEMPLATES))
    """The user turn of each task: complete, slots not filled in."""
    prefix: str = ""
    """What an encoder-decoder reads before the text."""
    language_codes: dict[str, str] = Field(default_factory=dict)
    """What the base model calls the languages."""
    chat_template: str | None = None
    """Jinja text instead of the tokenizer's own template."""
    thinking: bool = False
    context: int = 0
    """Most sentences before the text that stand in the prompt."""
    hints: int = 0
    """Most lexicon entries in the prompt."""
    shots: int = 0
    """Most similar pairs in the prompt."""
    normalisation: dict[str, Any] = Field(default_factory=dict)
    """Orthography profiles and placeholders, as in ``model.json``."""
    decoding: Decoding = Decoding()

    @classmethod
    def of(cls, project: Project) -> Prompt:
        """The prompt object that a project's configuration asks for.

        Raises:
            DataError: the file of ``prompt.chat_template`` cannot be read.
        """
        config, section = project.config, project.config.prompt
        tags = config.project.tags
        names = {tag: config.project.language_name(tag) for tag in tags}
        clean = config.clean.model_dump(mode="json", by_alias=True)
        slots = {"language": names[tags[0]], "pivot": names[tags[-1]]}
        return cls(
            languages=names,
            language=tags[0],
            pivot=tags[-1],
            system=fill(section.system, slots),
            templates={**TEMPLATES, **section.templates},
            prefix=section.prefix,
            language_codes={tag: code for tag, code in config.language_codes.items() if tag in tags},
            chat_template=_read_template(project.root, section.chat_template),
            thinking=section.thinking,
            context=section.context,
            hints=section.hints,
            shots=section.shots,
            normalisation={
                "profiles": {tag: profile for tag, profile in clean["profiles"].items() if tag in tags},
                "placeholders": clean["placeholders"],
            },
            decoding=Decoding(
                max_new_tokens=section.max_new_tokens,
                beams=section.beams,
                temperature=section.temperature,
                top_p=section.top_p,
            ),
        )

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON (sorted keys, no spaces, UTF-8)."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def wording(self) -> dict[str, Any]:
        """The part that the messages of stage ``format`` depend on: names, words, what stands beside the text."""
        return self.model_dump(mode="json", include=set(_WORDING))

    def check_wording(self, folder: Path) -> None:
        """Make sure that messages on disk ask as this prompt does; training changes nothing about them any more.

        Args:
            folder: ``data/training/messages``.

        Raises:
            DataError: there are no messages yet.
            PromptMismatch: they were written with another prompt.
        """
        path = folder / WORDING_FILE
        if not folder.is_dir():
            raise DataError(f"{folder}: no instruction data yet.", "Write it with: seshat format")
        if not path.exists():
            return  # messages of other makes
        written = self.model_copy(update=json.loads(path.read_text(encoding="utf-8")))
        if differences := written.differences(self):
            raise PromptMismatch(
                "\n".join((f"{folder}: written with another prompt than the configuration asks for:", *differences)),
                "Write it again with: seshat format (or `seshat run`, which does it by itself)",
            )

    def save(self, folder: Path) -> None:
        """Write ``prompt.json`` into a folder."""
        write_json(folder / FILE, self.model_dump(mode="json"))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read ``prompt.json`` from a folder.

        Raises:
            DataError: there is none, or it is none that this version reads.
        """
        path = folder / FILE
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise DataError(
                f"{path}: the prompt that the model was trained with is missing.",
                "Copy prompt.json from where the model was trained, or train again: seshat train",
            ) from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise DataError(
                f"{path}: not a prompt object: {place}: {first['msg']}.", "Update Seshat, or train the model again."
            ) from error

    @classmethod
    def check(cls, folder: Path, prompt: Prompt | None = None) -> Self:
        """The prompt of a model, when it may be used.

        Args:
            folder: the folder of the model, with ``prompt.json``, and the manifest with its hash.
            prompt: what the model is about to be asked with; default: its own.

        Raises:
            PromptMismatch: ``prompt.json`` is not the one of the training, or ``prompt`` differs from it.
            DataError: ``prompt.json`` cannot be read.
        """
        saved = cls.load(folder)
        known = Manifest.read(folder).prompt if is_model(folder) else None
        if known is not None and known != saved.hash:
            raise PromptMismatch(
                f"{folder / FILE} was changed after the training: its hash is {saved.hash}, the model was trained "
                f"with {known}.",
                "Bring back the file that was saved with the model, or train again: seshat train",
            )
        if prompt is not None and prompt.hash != saved.hash:
            differences = "\n".join(saved.differences(prompt))
            raise PromptMismatch(
                f"{folder}: this model was trained with another prompt ({saved.hash}) than the configuration asks "
                f"for ({prompt.hash}):\n{differences}",
                "Set these back to what the model knows, or train again: seshat train",
            )
        return saved

    def differences(self, other: Prompt) -> list[str]:
        """What differs from a newer prompt, one line each."""
        here, there = (_flat(one.model_dump(mode="json")) for one in (self, other))
        names = [name for name in dict.fromkeys((*here, *there)) if here.get(name) != there.get(name)]
        return [f"  {name}: {_shown(here.get(name))} there, {_shown(there.get(name))} now" for name in names]

    def messages(
        self,
        task: Task,
        *,
        source: str | None = None,
        target: str | None = None,
        text: str,
        answer: str | None = None,
        context: Sequence[str] = (),
        hints: Sequence[tuple[str, str]] = (),
        shots: Sequence[tuple[str, str]] = (),
        draft: str | None = None,
    ) -> list[Message]:
        """The chat of one question.

        Args:
            task: what is asked.
            source: tag of the language that ``text`` is in; default: the low-resource language.
            target: tag of the language of the answer; default: the one that ``source`` is not.
            text: the text in question.
            answer: the right answer, for training; without it there is no assistant turn.
            context: the sentences before ``text`` in its document, in order, in ``source``.
            hints: words of ``text`` and what they mean in ``target``.
            shots: similar texts and their translations.
            draft: a translation to make better.

        Returns:
            Turns with ``role`` and ``content``: one ``user`` turn, after a ``system`` turn and before an
            ``assistant`` turn where there is one.
        """
        source = source or self.language
        target = target or (self.pivot if source == self.language else self.language)
        slots = self._slots(source, target)
        blocks = []
        if shots:
            pairs = (f"{slots['source']}: {one}\n{slots['target']}: {other}" for one, other in shots)
            blocks.append("\n".join((_SHOTS, *pairs)))
        if hints:
            blocks.append("\n".join((_HINTS, *(f"- {word}: {meaning}" for word, meaning in hints))))
        if context:
            blocks.append("\n".join((_CONTEXT, *context)))
        blocks.append(fill(self.templates[task], {**slots, "text": text}))
        if draft is not None:
            blocks.append("\n".join((_DRAFT, draft)))
        turns = [{"role": "system", "content": self.system}] if self.system else []
        turns.append({"role": "user", "content": "\n\n".join(blocks)})
        if answer is not None:
            turns.append({"role": "assistant", "content": answer})
        return turns

    def question(self, request: Request, direction: Direction) -> list[Message]:
        """The chat that asks for a translation, with what stands before the text and beside it."""
        return self.messages(
            "translate",
            source=direction.source,
            target=direction.target,
            text=request.text,
            context=request.trimmed(self.context).before,
            hints=request.hints,
            shots=request.shots,
            draft=request.draft,
        )

    def render(self, tokenizer: Any, messages: Sequence[Mapping[str, str]], *, answer: bool) -> str:
        """A chat in the words of the chat template, to be tokenised with ``add_special_tokens=False``.

        Args:
            tokenizer: a tokenizer of Transformers.
            messages: what :meth:`messages` gives.
            answer: whether ``messages`` end with the answer; otherwise the text ends where the answer begins.

        Raises:
            DataError: there is no chat template, or it cannot say these messages.
        """
        if not (self.chat_template or getattr(tokenizer, "chat_template", None)):
            raise DataError(
                "The base model has no chat template: it does not know how to be asked.",
                "Take its instruction-tuned version, or give a Jinja file: prompt.chat_template: chat.jinja",
            )
        from jinja2 import TemplateError

        try:
            return self._apply(tokenizer, messages, answer)
        except TemplateError as error:
            merged = _without_system(messages)
            if len(merged) == len(messages):
                raise DataError(f"The chat template cannot say these messages: {error}.") from error
            try:  # Gemma 1 and 2, Mistral and others know no system turn
                return self._apply(tokenizer, merged, answer)
            except TemplateError:
                raise DataError(f"The chat template cannot say these messages: {error}.") from error

    def parts(self, tokenizer: Any, messages: Sequence[Mapping[str, str]]) -> tuple[str, str]:
        """A rendered chat cut where the answer begins: what is given, and what is trained.

        Raises:
            DataError: the template writes the question in another way when the answer follows, so that the model
                would be trained on another question than it is asked.
        """
        given = self.render(tokenizer, messages[:-1], answer=False)
        whole = self.render(tokenizer, messages, answer=True)
        if not whole.startswith(given):
            raise DataError(
                "The chat template writes the question in another way when the answer follows it: "
                f"{_shown(given[-_LONGEST_SHOWN:])} is not how {_shown(whole[: len(given)][-_LONGEST_SHOWN:])} ends.",
                "Give a template of your own that ends the question as it begins the answer: prompt.chat_template.",
            )
        return given, whole[len(given) :]

    def source(self, text: str, direction: Direction, context: Sequence[str] = ()) -> str:
        """What an encoder-decoder reads: prefix, the sentences before, text.

        Args:
            text: the text to translate.
            direction: from what into what.
            context: the sentences before ``text`` in its document, in order, in the same language.
        """
        return fill(self.prefix, self._slots(direction.source, direction.target)) + after(context, text)

    def _slots(self, source: str, target: str) -> dict[str, str]:
        return {
            "source": self.languages.get(source, source),
            "target": self.languages.get(target, target),
            "source_code": self.language_codes.get(source, source),
            "target_code": self.language_codes.get(target, target),
            "language": self.languages[self.language],
            "pivot": self.languages[self.pivot],
        }

    def _apply(self, tokenizer: Any, messages: Sequence[Mapping[str, str]], answer: bool) -> str:
        if isinstance(template := self.chat_template or tokenizer.chat_template, str):
            check_template(template)
        rendered: str = tokenizer.apply_chat_template(
            [dict(message) for message in messages],
            chat_template=self.chat_template,
            tokenize=False,
            add_generation_prompt=not answer,
            enable_thinking=self.thinking,
        )
        return rendered


def after(context: Sequence[str], text: str) -> str:
    """A text behind the sentences before it, each of which ends with :data:`BREAK` (Tiedemann & Scherrer 2017).

    Without any it is the text alone. No space stands before a break, where some tokenizers would make a piece of it;
    one stands behind it, so that every word begins as at the start of a text.
    """
    return " ".join((*(f"{sentence}{BREAK}" for sentence in context), text))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put values into the slots of a template, such as ``{text}``; ``{{`` and ``}}`` are braces.

    One pass: braces inside a value stay as they are.
    """

    def value(match: re.Match[str]) -> str:
        return values[match["slot"]] if match["slot"] else match[0][0]

    return SLOT.sub(value, template)


def _without_system(messages: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The system turn put before the first user turn."""
    if len(messages) < 2 or messages[0]["role"] != "system":
        return list(messages)
    first = {"role": "user", "content": f"{messages[0]['content']}\n\n{messages[1]['content']}"}
    return [first, *messages[2:]]


def _read_template(root: Path, name: str | None) -> str | None:
    if name is None or "{%" in name:
        return name
    try:
        return (root / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{root / name}: cannot read the chat template of prompt.chat_template: {error}.",
            "Name a Jinja file, from the project folder.",
        ) from error


def _flat(value: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, one in value.items():
        flat |= _flat(one, f"{above}{key}.") if isinstance(one, dict) and one else {f"{above}{key}": one}
    return flat


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
