"""What a language model writes beside a translation: thoughts, tokens of its template, roles, labels, quotation marks.

Everything here is left alone when the source has the like of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import regex

# Thoughts of Qwen, DeepSeek, GLM (<think>), Mistral ([THINK]), Claude-like distillates (<thinking>, <reasoning>).
_THOUGHT = r"think|thinking|thought|reasoning|reflection"
_THOUGHTS = regex.compile(rf"(?is)<({_THOUGHT})>.*?(?:</\1>|\Z)|\[(think)\].*?(?:\[/\2\]|\Z)")
_THOUGHT_BEFORE = regex.compile(rf"(?is)\A.*(?:</(?:{_THOUGHT})>|\[/think\])")
_HARMONY = regex.compile(r"(?s)\A.*<\|channel\|>\s*final\s*<\|message\|>")
"""What stands before the answer in the format of gpt-oss."""

_TURN_ENDS = regex.compile(
    r"<\|(?:im_end|endoftext|eot_id|end_of_text|end|return|eom_id|im_start|start|start_header_id)\|>"
    r"|<end_of_turn>|<start_of_turn>|<[｜|]end[▁_]of[▁_]sentence[｜|]>|</s>|<eos>|\[/?INST\]"
)
_ROLE = r"(?:assistant|model|user|system)"
_OPENING = regex.compile(
    rf"\A(?:\s|<\|im_start\|>{_ROLE}?|<\|start_header_id\|>{_ROLE}?<\|end_header_id\|>|<\|start\|>{_ROLE}?"
    rf"|<start_of_turn>{_ROLE}?|<s>|<bos>|<pad>|<\|begin_of_text\|>|\[/INST\]|<[｜|]Assistant[｜|]>)+"
)
"""Tokens that may stand before an answer, with the role they name."""
_TOKENS = regex.compile(
    r"<\|[\p{L}\p{N}_ -]{1,40}\|>|<[｜|][^<>｜|]{1,40}[｜|]>|</?s>|<(?:pad|eos|bos|unk|mask)>|<extra_id_\d+>"
    r"|<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>"
)
_ROLE_LINE = regex.compile(rf"(?i)\A\s*{_ROLE}\s*\n+")
_FENCE = regex.compile(r"(?s)\A\s*```[\w-]*\n(.*?)\n?\s*```\s*\Z")
_BOLD = regex.compile(r"(?s)\A\s*(\*\*|__)((?:(?!\1).)+)\1\s*\Z")
_PAIRS = {'"': '"', "'": "'", "“": "”", "«": "»", "‘": "’", "„": "“", "`": "`", "「": "」", "»": "«", "‹": "›"}
_QUOTES = frozenset(_PAIRS) | frozenset(_PAIRS.values())


class Residue:
    """Takes residue out.

    Args:
        labels: what may stand before a colon in front of a translation.
        notes: what begins a remark below a translation.
    """

    def __init__(self, labels: Iterable[str], notes: Iterable[str]) -> None:
        named = _alternatives(labels)
        # "Translation:", "**Spanish**:", "Here is the translation (in Spanish):" - a label with a few words around it.
        self._label = regex.compile(rf"(?i)\A[\s*_#>]*(?:[^\n:]{{0,40}}\b)?(?:{named})\b[^\n:]{{0,40}}[*_]*:[\s*_]*")
        self._short = regex.compile(rf"(?i)\A[\s*_#>]*(?:the\s+)?(?:{named})\s*(?:\([^()\n]*\))?[*_]*:[*_]*\s*")
        self._note = regex.compile(rf"(?is)(?:\n\s*|\s*\()[*_]*(?:{_alternatives(notes)})[*_]*:.*\Z")

    def clean(self, text: str, source: str) -> tuple[str, list[str]]:
        """The text without residue, and what was taken out, in words."""
        reasons: list[str] = []
        for step in (self._thoughts, self._turns, self._labelled, self._noted, self._wrapped):
            text = step(text, source, reasons)
        return text, reasons

    def _thoughts(self, text: str, source: str, reasons: list[str]) -> str:
        for pattern in (_HARMONY, _THOUGHTS, _THOUGHT_BEFORE):
            if pattern.search(text) and not pattern.search(source):
                text = _told(text, pattern.sub("", text), reasons, "the model's thoughts")
        return text

    def _turns(self, text: str, source: str, reasons: list[str]) -> str:
        """Tokens and role names of chat templates; what follows the end of the answer is another turn."""
        own = set(_TOKENS.findall(source)) | set(_TURN_ENDS.findall(source))
        before = text
        if not own:
            text = _OPENING.sub("", text) if _OPENING.search(text) else text
            if (end := _TURN_ENDS.search(text)) and text[: end.start()].strip():
                text = text[: end.start()]
            text = _TOKENS.sub("", text)
        if not _ROLE_LINE.search(source):
            text = _ROLE_LINE.sub("", text)
        return _told(before, text, reasons, "tokens of a chat template")

    def _labelled(self, text: str, source: str, reasons: list[str]) -> str:
        if ":" in source:
            return text
        label = self._short.search(text) or self._label.search(text)
        # A sentence may hold the word before a colon of its own: the longer form needs a line or quotation after it.
        if label is None or not text[label.end() :].strip():
            return text
        rest = text[label.end() :]
        if self._short.search(text) is None and not ("\n" in label[0] or rest[:1] in _QUOTES):
            return text
        return _told(text, rest, reasons, f"the label '{label[0].strip()}'")

    def _noted(self, text: str, source: str, reasons: list[str]) -> str:
        if self._note.search(source):
            return text
        rest = self._note.sub("", text)
        return _told(text, rest, reasons, "a remark below the translation") if rest.strip() else text

    def _wrapped(self, text: str, source: str, reasons: list[str]) -> str:
        if "```" not in source and (fenced := _FENCE.search(text)):
            text = _told(text, fenced[1], reasons, "marks of code around it")
        if not source.lstrip().startswith(("**", "__")) and (bold := _BOLD.search(text)):
            text = _told(text, bold[2], reasons, "marks of bold type")
        bare = text.strip()
        first, last = bare[:1], bare[-1:]
        if len(bare) > 2 and _PAIRS.get(first) == last and source.strip()[:1] not in _QUOTES:
            inside = bare[1:-1]
            if first not in inside and last not in inside:
                return _told(text, inside, reasons, "quotation marks around the whole")
        return text


def _alternatives(words: Iterable[str]) -> str:
    wanted: Sequence[str] = sorted(
        {word.strip() for word in words if word.strip()}, key=lambda word: (-len(word), word)
    )
    return "|".join(regex.escape(word) for word in wanted) or r"(?!)"


def _told(before: str, after: str, reasons: list[str], what: str) -> str:
    if before.strip() != after.strip():
        reasons.append(what)
        return after
    return before
