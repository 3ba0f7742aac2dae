"""Questions to the lexicon: what a word means, which word means something, a sentence with a word.

Entries are brought together first. A word has several meanings, in several entries and sources, and a meaning several
words: asked one by one, the same question would have different answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from seshat.config import Direction
from seshat.config.prompt import Task
from seshat.core.records import Entry, Meta
from seshat.data.instruct.tasks import Question
from seshat.prompt.retrieval import dictionary_pairs

TASKS: tuple[Task, ...] = ("word-to-meaning", "meaning-to-word", "examples")


@dataclass
class _Group:
    """What all entries say about one word or one meaning."""

    text: str
    record: str
    meta: Meta
    answers: dict[str, str] = field(default_factory=dict)
    """Folded -> as it was first written."""
    examples: dict[tuple[str, str], None] = field(default_factory=dict)

    def add(self, answer: str, meta: Meta) -> None:
        self.answers.setdefault(answer.casefold(), answer)
        self.bind(meta)

    def bind(self, meta: Meta) -> None:
        """Whoever may not see one of the entries may not see what they say together."""
        if meta.access.level > self.meta.access.level:
            self.meta = self.meta.model_copy(update={"access": meta.access})


def questions_to(entries: Iterable[Entry], languages: Direction, wanted: Collection[Task]) -> Iterator[Question]:
    """All that can be asked about a lexicon.

    Args:
        entries: entries of the low-resource language or of the pivot.
        languages: the low-resource language and the pivot.
        wanted: the tasks to ask.
    """
    if not set(wanted) & set(TASKS):
        return
    by_word, by_meaning = _grouped(entries, languages)
    for group in by_word.values():
        if "word-to-meaning" in wanted and group.answers:
            yield _question("word-to-meaning", group, languages)
        if "examples" in wanted and group.examples:
            variants = tuple((group.text, f"{one}\n{other}") for one, other in group.examples)
            yield Question("examples", group.record, variants, group.meta)
    if "meaning-to-word" in wanted:
        for group in by_meaning.values():
            yield _question("meaning-to-word", group, languages.reverse)


def _grouped(entries: Iterable[Entry], languages: Direction) -> tuple[dict[str, _Group], dict[str, _Group]]:
    by_word: dict[str, _Group] = {}
    by_meaning: dict[str, _Group] = {}
    for entry in entries:
        for number, (word, meaning) in enumerate(dictionary_pairs(entry, *languages), start=1):
            # A meaning is a question of its own: its id tells which gloss of the entry it is.
            asked = f"{entry.id}:{number}" if number > 1 else entry.id
            for groups, text, answer, record in (
                (by_word, word, meaning, entry.id if entry.lang == languages.source else asked),
                (by_meaning, meaning, word, asked if entry.lang == languages.source else entry.id),
            ):
                groups.setdefault(text.casefold(), _Group(text, record, entry.meta)).add(answer, entry.meta)
        if entry.lang == languages.source and entry.headword.strip():
            _add_examples(by_word, entry, languages)
    return by_word, by_meaning


def _add_examples(by_word: dict[str, _Group], entry: Entry, languages: Direction) -> None:
    for sense in entry.senses:
        for example in sense.examples:
            one, other = (example.texts.get(tag, "").strip() for tag in languages)
            if one and other:
                word = entry.headword.strip()
                group = by_word.setdefault(word.casefold(), _Group(word, entry.id, entry.meta))
                group.examples[one, other] = None
                group.bind(entry.meta)


def _question(task: Task, group: _Group, way: Direction) -> Question:
    return Question(task, group.record, ((group.text, "; ".join(group.answers.values())),), group.meta, way)
