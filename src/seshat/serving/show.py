"""What the page shows, as HTML: pure functions; every text of people and models is escaped.

Nothing is told by colour alone, and every text carries ``dir="auto"``, so that scripts from right to left read well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import regex

from seshat.inference.corrections import REMEMBERED
from seshat.serving.answers import Answer, Concordance, Example, Hit, LexiconEntry, Used
from seshat.text.words import words as words_of

Words = Mapping[str, str]
Turns = list[dict[str, str]]
"""A conversation: each turn has ``role`` (``user``, ``assistant``) and ``content``."""


def text_of(text: str, language: str | None = None) -> str:
    """A text, escaped, with its language and its own direction of writing."""
    lang = f' lang="{escape(language)}"' if language else ""
    return f'<bdi dir="auto"{lang}>{escape(text)}</bdi>'


def note(message: str, *, problem: bool = False) -> str:
    """A message to the reader; screen readers say it at once."""
    return f'<p class="note" role="{"alert" if problem else "status"}">{escape(message)}</p>'


def answer(found: Answer, text: str, source: str, target: str, words: Words) -> str:
    """A translation with everything that helps to judge it."""
    by_hand = REMEMBERED in found.changes  # people do not invent words
    marks = (
        {}
        if by_hand
        else {**dict.fromkeys(found.copied, "copied_mark"), **dict.fromkeys(found.invented, "invented_mark")}
    )
    parts = [
        f'<section aria-live="polite" class="answer"><h2>{escape(words["translation"])}</h2>',
        f'<p class="translation" lang="{escape(target)}" dir="auto">{_marked(found.text, marks, words)}</p>',
        f'<button type="button" class="copy" data-text="{escape(found.text)}" data-done="{escape(words["copied"])}">'
        f"{escape(words['copy'])}</button>",
        _confidence(found, words),
        f'<p class="small">{escape(words["invented"])}</p>' if marks else "",
        _alternatives(found, target, words),
        "</section>",
        f'<details class="why"><summary>{escape(words["why"])}</summary>',
        _examples(found, source, target, words),
        _entries(found.entries, text, source, target, words),
        _changes(found, words),
        "</details>",
    ]
    return "".join(parts)


def _marked(text: str, marks: Mapping[str, str], words: Words) -> str:
    """The translation with a question mark behind each word that stands nowhere, by what is to be said of it."""
    if not marks:
        return escape(text)
    strange = {word.casefold(): name for word, name in marks.items()}
    result, end = [], 0
    for word in words_of(text):
        start = text.find(word, end)
        if start < 0 or word.casefold() not in strange:
            continue
        title = escape(words[strange[word.casefold()]])
        result += [escape(text[end:start]), f'<span class="invented" title="{title}">{escape(word)}<sup>?</sup></span>']
        end = start + len(word)
    return "".join([*result, escape(text[end:])])


def _confidence(found: Answer, words: Words) -> str:
    if REMEMBERED in found.changes:
        said = next(
            (_who(one) for one in found.examples if (one.origin, one.target) == ("corrections", found.text)), ""
        )
        return f'<p class="sure"><strong>{escape(words["remembered"])}</strong>{escape(said)}</p>'
    level = found.confidence.level if found.confidence else "unknown"
    steps = {"low": 1, "medium": 2, "high": 3}.get(level, 0)
    bar = f'<span class="bar" aria-hidden="true">{"●" * steps}{"○" * (3 - steps)}</span> ' if steps else ""
    return f'<p class="sure">{bar}{escape(words["confidence"])}: <strong>{escape(words[level])}</strong></p>'


def _alternatives(found: Answer, target: str, words: Words) -> str:
    others = [one.text for one in found.alternatives if one.text.strip()]
    if not others:
        return ""
    items = "".join(f"<li>{text_of(text, target)}</li>" for text in dict.fromkeys(others))
    return f'<h3>{escape(words["alternatives"])}</h3><ol class="alternatives">{items}</ol>'


def _examples(found: Answer, source: str, target: str, words: Words) -> str:
    rows = []
    for one in found.examples:
        kind = words["corrected"] if one.origin == "corrections" else one.origin or ""
        about = f"{round(100 * one.similarity)} % {words['likeness']}" + (f" · {kind}" if kind else "") + _who(one)
        rows.append(
            f"<li>{text_of(one.source, source)}<br>{text_of(one.target, target)}"
            f'<br><span class="small">{escape(about)}</span></li>'
        )
    body = f'<ul class="pairs">{"".join(rows)}</ul>' if rows else f"<p>{escape(words['no_examples'])}</p>"
    return f"<h3>{escape(words['examples'])}</h3>{body}"


def _who(one: Example) -> str:
    """Who made a correction, and on which day."""
    return "".join(f" · {part}" for part in (one.by, one.at[:10]) if part)


def _entries(entries: Sequence[Used], text: str, source: str, target: str, words: Words) -> str:
    if not entries:
        return f"<h3>{escape(words['entries'])}</h3><p>{escape(words['no_entries'])}</p>"
    spans = [(one.start, one.end) for one in entries]
    items = []
    for one in entries:
        inexact = "" if one.exact else f' <span class="small">({escape(words["inexact"])})</span>'
        meanings = text_of("; ".join(one.meanings), target)
        head = "" if one.headword == one.surface else f" → {text_of(one.headword, source)}"
        items.append(f"<dt>{text_of(one.surface, source)}{head}{inexact}</dt><dd>{meanings}</dd>")
    marked = f'<p lang="{escape(source)}" dir="auto">{highlighted(text, spans)}</p>'
    return f"<h3>{escape(words['entries'])}</h3>{marked}<dl>{''.join(items)}</dl>"


def highlighted(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """A text with marks around some parts; of parts that overlap the first."""
    result, end = [], 0
    for start, stop in sorted(spans):
        if start < end or stop <= start:
            continue
        result += [escape(text[end:start]), f"<mark>{escape(text[start:stop])}</mark>"]
        end = stop
    return "".join([*result, escape(text[end:])])


def _changes(found: Answer, words: Words) -> str:
    steps = [step for step in found.changes if step != REMEMBERED]
    return f"<h3>{escape(words['changes'])}</h3><p>{escape(', '.join(steps))}</p>" if steps else ""


def entries(found: Sequence[LexiconEntry], words: Words) -> str:
    """Entries of the dictionary."""
    if not found:
        return note(words["no_entry"])
    return f'<div aria-live="polite">{"".join(_entry(one, words) for one in found)}</div>'


def keys(letters: Iterable[str], words: Words) -> str:
    """Keys that write the letters few keyboards have into the field that was written in last."""
    buttons = "".join(f'<button type="button">{escape(letter)}</button>' for letter in letters)
    return f'<div class="keys" role="group" aria-label="{escape(words["keys"])}">{buttons}</div>' if buttons else ""


def upload(words: Words, limit: int) -> str:
    """A field for a text file, which the browser reads itself: nothing is sent before the text is translated."""
    return (
        f'<label class="small upload">{escape(words["upload"])} <input type="file" accept=".txt,text/plain" '
        f'data-limit="{limit}" data-long="{escape(words["upload_long"])}"><span role="status"></span></label>'
    )


def _entry(one: LexiconEntry, words: Words) -> str:
    forms = f' <span class="small">{text_of(", ".join(one.forms), one.language)}</span>' if one.forms else ""
    kind = " · ".join(part for part in (one.pos, one.type if one.type != "word" else None) if part)
    kind = f' <span class="small">{escape(kind)}</span>' if kind else ""
    senses = "".join(
        "<li>" + "; ".join(text_of(", ".join(meanings), tag) for tag, meanings in sense.items() if meanings) + "</li>"
        for sense in one.glosses
    )
    examples = "".join(
        f'<li class="small">{escape(words["example"])}: '
        + " — ".join(text_of(text, tag) for tag, text in example.items())
        + "</li>"
        for example in one.examples
    )
    head = f"<h3>{text_of(one.headword, one.language)}{forms}{kind}</h3>"
    return f'<article class="entry">{head}<ol>{senses}</ol>{f"<ul>{examples}</ul>" if examples else ""}</article>'


def lines(hits: Sequence[Hit], found: Concordance, words: Words) -> str:
    """Lines of the concordance: all that were fetched so far, and what is known about the last page."""
    if not hits:
        return note(words["no_line"] if found.complete else words["cut"])
    shown = words["lines"].format(count=len(hits))
    if found.total is not None and found.total > len(hits):
        shown = words["lines_of"].format(count=len(hits), total=found.total)
    cut = "" if found.complete else note(words["cut"])
    return f'<p class="small" role="status">{escape(shown)}</p>{cut}<ol class="lines">{"".join(map(_line, hits))}</ol>'


def _line(hit: Hit) -> str:
    whole = hit.before + hit.match + hit.after
    others = "".join(
        f"<br>{text_of(text, tier if tier not in ('gloss', 'morphemes') else None)}"
        for tier, text in hit.others.items()
        if text
    )
    place = " · ".join(part for part in (hit.source, hit.document) if part)
    tier = hit.tier if hit.tier not in ("gloss", "morphemes") else ""
    lang = f' lang="{escape(tier)}"' if tier else ""
    line = f'<span dir="auto"{lang} class="line">{highlighted(whole, hit.spans)}</span>'
    return f'<li>{line}<span class="small">{others}<br>{escape(place)}</span></li>'


def turns(conversation: Turns, words: Words) -> str:
    """A conversation as it was written: Markdown would take the asterisks of reconstructed forms away."""
    if not conversation:
        return ""
    items = "".join(
        f'<li class="{"asked" if one["role"] == "user" else "said"}">'
        f'<span class="small">{escape(words["you" if one["role"] == "user" else "model"])}</span>'
        f'<p dir="auto">{escape(one["content"]) or "…"}</p></li>'
        for one in conversation
    )
    return f'<ol class="turns" role="log" tabindex="0" aria-label="{escape(words["questions"])}">{items}</ol>'


def table(evaluation: Mapping[str, Any] | None, words: Words) -> str:
    """The figures of the evaluation, a table per kind of measure."""
    head = f"<h2>{escape(words['measured'])}</h2>"
    if not evaluation:
        return head + note(words["not_measured"])
    tables = [_rows(rows, words) for name, rows in evaluation.items() if name != "samples" and rows]
    return f'{head}<p class="small">{escape(words["measured_hint"])}</p>{"".join(tables)}'


def _rows(rows: Sequence[Mapping[str, Any]], words: Words) -> str:
    """A table; on a phone its rows become lists, each cell with the name of its column."""
    columns = [key for key in dict.fromkeys(key for row in rows for key in row) if not key.endswith(" high")]
    names = {key: words.get(f"column_{key.replace(' ', '_')}", key).replace(" low", " 95 %") for key in columns}
    top = "".join(f'<th scope="col">{escape(names[column])}</th>' for column in columns)
    body = "".join(
        "<tr>"
        + "".join(f'<td data-name="{escape(names[one])}">{escape(_limits(row, one, words))}</td>' for one in columns)
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide" tabindex="0"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _limits(row: Mapping[str, Any], column: str, words: Words) -> str:
    low, high = row.get(column), row.get(column.removesuffix("low") + "high")
    if column.endswith(" low") and low is not None and high is not None:
        return f"{_cell(low)}–{_cell(high)}"
    return words.get(f"system_{low}", _cell(low)) if isinstance(low, str) else _cell(low)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) and abs(value) < 1 else str(value)


_LINK = regex.compile(r"!?\[([^\]]*)\]\([^)]*\)")


def card(markdown: str) -> str:
    """A model card without its front matter and without links to elsewhere, which the page would not reach offline."""
    text = regex.sub(r"\A---\n.*?\n---\n", "", markdown, flags=regex.DOTALL)
    return _LINK.sub(r"\1", text)
