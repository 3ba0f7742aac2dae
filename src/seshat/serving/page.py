"""The web page: translate, look up, ask, correct, and see how good it is. One Gradio page on the app of the API.

It asks :class:`~seshat.serving.service.Service` and holds no data of its own. Nothing is fetched from elsewhere: the
fonts are those of the reader's machine, and the content security policy lets the browser ask this server only.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from seshat.core.errors import SeshatError, require
from seshat.core.records import Access
from seshat.project.words import page_words
from seshat.serving import show
from seshat.serving.service import Correction, Hit, Service
from seshat.serving.show import Turns
from seshat.serving.worker import told

if TYPE_CHECKING:
    from fastapi import FastAPI

log = structlog.get_logger(__name__)
FONTS = ("system-ui", "Noto Sans", "Noto Sans Cuneiform", "Noto Nastaliq Urdu", "Noto Sans Tamil", "sans-serif")
"""Fonts that a machine may have, never fetched."""
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; "
    "frame-ancestors 'self'; form-action 'self'; base-uri 'self'"
)
"""Gradio's own scripts stand inline in its page; nothing from elsewhere may load."""
CLOSED = ("upload", "upload_progress", "proxy=", "component_server", "stream", "deep_link", "dev")
"""Routes of Gradio that the page does not need: files of users, other servers."""
_JOIN, _ANSWERS = "/gradio_api/queue/join", "/gradio_api/queue/data"
_SETTLED = 0.2
"""Seconds after which a browser knows that its stream was closed."""
_HERE = Path(__file__).parent
_ALTERNATIVES = 4
_LINES = 25


@dataclass(frozen=True)
class Asked:
    """What was translated last in a visitor's page."""

    text: str
    source: str
    target: str
    machine: str


class Page:
    """The page of one service.

    Args:
        service: does the work.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.section = service.project.config.project
        self.language, self.words = page_words(service.project)

    @property
    def directions(self) -> list[tuple[str, str]]:
        """What can be translated: how it is called, and its name."""
        names = {str(way): way for way in self.section.directions}
        offered = dict.fromkeys(way for model in self.service.models for way in model.directions)
        called = self.called
        return [(f"{called(names[way].source)} → {called(names[way].target)}", way) for way in offered]

    def called(self, tag: str) -> str:
        """The name of a language, in the language of the page where CLDR knows it, else as the project calls it."""
        import langcodes

        if langcodes.tag_is_valid(tag) and self.language.partition("-")[0] != "en":
            name = langcodes.get(tag).display_name(self.language)
            # For one that CLDR does not know it gives the English name, or "unknown language [tag]".
            if "[" not in name and name not in (tag, langcodes.get(tag).display_name("en")):
                return name
        return self.section.language_name(tag)

    @property
    def chats(self) -> bool:
        """Whether a model here answers questions."""
        return any(model.chat for model in self.service.models)

    def translate(self, text: str, direction: str) -> tuple[str, Asked | None, str]:
        """The translation as HTML, what was asked (for a correction), and the text to correct."""
        if not text.strip():
            return show.note(self.words["nothing"]), None, ""
        try:
            found = self.service.translate([text], direction, self._alternatives())[0]
        except Exception as error:
            return _said(error), None, ""
        way = next(way for way in self.section.directions if str(way) == direction)
        html = show.answer(found, text, way.source, way.target, self.words)
        if found.echo:
            html = show.note(self.words["echo"].format(language=self.called(way.target))) + html
        return html, Asked(text, way.source, way.target, found.text), found.text

    def _alternatives(self) -> int:
        return min(_ALTERNATIVES, self.service.settings.max_alternatives)

    def correct(self, asked: Asked | None, right: str, by: str, note: str, access: str | None) -> str:
        """Store a correction; says what becomes of it. Who may see it is for the person to say: nothing is assumed."""
        if asked is None:
            return show.note(self.words["nothing_to_correct"], problem=True)
        if access is None:
            return show.note(self.words["choose_access"], problem=True)
        try:
            stored = self.service.correct(
                Correction(
                    source=asked.source,
                    target=asked.target,
                    text=asked.text,
                    translation=right,
                    machine=asked.machine,
                    by=by.strip(),
                    note=note.strip(),
                    access=Access.parse(access),
                )
            )
        except Exception as error:
            return _said(error)
        shown = "saved" if self.service.settings.learn else "saved_later"
        said = self.words[shown if self.service.gate.admits(stored.access) else "saved_hidden"]
        if self.service.measured(stored):
            said = self.words["saved_measured"]
        elif not self.service.project.gate.admits(stored.access):
            said += " " + self.words["not_trained"].format(level=self.words[self.section.max_access])
        return show.note(said)

    def look_up(self, query: str) -> str:
        """Entries of the dictionary."""
        try:
            return show.entries(self.service.lexicon(query), self.words) if query.strip() else ""
        except Exception as error:
            return _said(error)

    def browse(self, letter: str | None) -> str:
        """The dictionary from a letter on."""
        return show.entries(self.service.beginning(letter), self.words) if letter else ""

    def search(
        self, query: str, tier: str | None, regex: bool, before: tuple[list[Hit], int] | None = None
    ) -> tuple[str, tuple[list[Hit], int] | None]:
        """Lines of the corpus, and what is needed for more of them: those shown, and where they end."""
        if not query.strip():
            return "", None
        shown, after = before or ([], 0)
        try:
            found = self.service.concordance(query, regex=regex, tier=tier, limit=_LINES, after=after)
        except Exception as error:
            return _said(error), None
        shown = [*shown, *found.hits]
        rest = None if found.following is None else (shown, found.following)
        return show.lines(shown, found, self.words), rest

    def ask(self, question: str, before: Turns) -> Iterator[tuple[Turns, str | None, str]]:
        """A question and the growing answer.

        Args:
            question: what the visitor asks.
            before: the conversation so far.

        Yields:
            The conversation; what is to stand in the field for the question, None to leave it as it is (the next
            question may be half written); and what went wrong, as HTML. A question without an answer is given back,
            so that neither it nor the reason burdens what is asked later.
        """
        if not question.strip():
            yield before, None, show.note(self.words["no_question"])
            return
        turns = [*before, {"role": "user", "content": question}]
        shown, said = before, ""
        yield turns, "", ""
        try:
            with closing(self.service.chat(turns)) as pieces:
                for piece in pieces:
                    said += piece.text
                    shown = [*turns, {"role": "assistant", "content": said}]
                    yield shown, None, ""
        except Exception as error:
            yield shown, None if said else question, _said(error)

    def about(self) -> str:
        """How good the model is."""
        return show.table(self.service.evaluation(), self.words)

    def card(self) -> str:
        """What there is to read about the model, in Markdown."""
        try:
            return show.card(self.service.card().text)
        except SeshatError as error:
            return str(error)

    def tier_names(self) -> list[tuple[str, str]]:
        """What the concordance can search: how it is called, and its name."""
        called = self.called
        return [(self.words.get(tier, called(tier)), tier) for tier in self.service.tiers]


def _said(error: Exception) -> str:
    """What the page says of an error; Gradio would print others than ours with what was typed into them."""
    if isinstance(error, SeshatError):
        return show.note(str(error), problem=True)
    log.error("the page failed", **told(error))
    return show.note("This is a mistake in Seshat; the log of the server tells more.", problem=True)


def mount(app: FastAPI, service: Service) -> FastAPI:
    """Put the page at ``/`` of the app, behind the same guard: where the API needs a key, the browser asks for it.

    Args:
        app: the API.
        service: what both ask.

    Raises:
        MissingPackage: Gradio is not installed.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    gradio = require("gradio", extra="demo", purpose="seshat demo")
    page = Page(service)
    app.add_middleware(_Closed)
    return gradio.mount_gradio_app(  # type: ignore[no-any-return]
        app,
        blocks(gradio, page),
        path="/",
        server_name=service.settings.host,
        footer_links=[],
        show_error=False,
        ssr_mode=False,
        theme=_theme(gradio),
        css=(_HERE / "page.css").read_text(encoding="utf-8"),
        head=f"<script>{(_HERE / 'page.js').read_text(encoding='utf-8')}</script>",
    )


class _Closed:
    """Refuses routes of Gradio that the page does not need, and sends the content security policy with the rest.

    It also keeps an event from being lost. Gradio closes a browser's stream of answers when none is pending; a browser
    that hears of its new event before it hears of that waits for the answer at the closed stream. So a new event is
    confirmed only some time after a stream was closed.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._ended = -_SETTLED

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith(tuple(f"/gradio_api/{route}" for route in CLOSED)):
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return

        async def with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                policy = (b"content-security-policy", POLICY.encode())
                message = {**message, "headers": [*message.get("headers", ()), policy]}
                if path == _JOIN:
                    await asyncio.sleep(self._ended + _SETTLED - time.monotonic())
            elif path == _ANSWERS and b'"close_stream"' in message.get("body", b""):
                self._ended = time.monotonic()
            await send(message)

        await self._app(scope, receive, with_policy)


def _theme(gradio: Any) -> Any:
    return gradio.themes.Base(
        primary_hue="teal", neutral_hue="stone", font=FONTS, font_mono=("ui-monospace", "monospace"), radius_size="md"
    ).set(
        body_background_fill="*neutral_50",
        block_border_width="0px",
        block_background_fill="transparent",
        block_label_text_color="*neutral_700",
        block_title_text_color="*neutral_700",
        block_info_text_color="*neutral_600",
        input_background_fill="white",
        input_border_width="1px",
        input_border_color="*neutral_400",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_text_color="white",
    )


def blocks(gradio: Any, page: Page) -> Any:
    """The page as Gradio's blocks."""
    words, section = page.words, page.section
    title = " ⇄ ".join(page.called(tag) for tag in section.tags)
    with gradio.Blocks(title=title, analytics_enabled=False) as made:
        gradio.HTML(
            f'<header lang="{escape(page.language)}"><h1>{escape(title)}</h1><p>{escape(words["intro"])}</p></header>'
        )
        with gradio.Tabs():
            with gradio.Tab(words["translate"]):
                _translate_tab(gradio, page)
            with gradio.Tab(words["dictionary"]):
                _dictionary_tab(gradio, page)
            with gradio.Tab(words["corpus"]):
                _corpus_tab(gradio, page)
            if page.chats:
                with gradio.Tab(words["questions"]):
                    _questions_tab(gradio, page)
            with gradio.Tab(words["about"]):
                gradio.HTML(page.about, elem_id="figures")
                english = f'<p class="small">{escape(words["card_english"])}</p>' if page.language != "en" else ""
                gradio.HTML(f"<h2>{escape(words['card'])}</h2>{english}")
                gradio.Markdown(page.card, sanitize_html=True, elem_id="card")
    return made.queue(default_concurrency_limit=16, api_open=False)


_HIDDEN = {"api_visibility": "private", "show_progress": "minimal"}


def _box(gradio: Any, label: str, hint: str | None = None, *, lines: int = 1, **more: Any) -> Any:
    """A field for text in any script: it runs in the direction of what is written."""
    return gradio.Textbox(
        label=label, info=hint, lines=lines, html_attributes=gradio.InputHTMLAttributes(spellcheck=False), **more
    )


def _translate_tab(gradio: Any, page: Page) -> None:
    words, ways = page.words, page.directions
    if not ways:
        gradio.HTML(show.note(page.card() or words["no_model"]))
        return
    asked = gradio.State(None)
    direction = gradio.Radio(ways, value=ways[0][1], label=words["direction"], elem_id="direction")
    limit = page.service.settings.max_length
    text = _box(gradio, words["text"], words["text_hint"], lines=4, elem_id="text", max_length=limit)
    press = gradio.Button(words["translate"], variant="primary", elem_id="translate")
    gradio.HTML(show.keys(page.service.special, words) + show.upload(words, limit))
    result = gradio.HTML(elem_id="result")
    with gradio.Accordion(words["correct"], open=False, elem_id="correct"):
        right = _box(gradio, words["right"], lines=3, elem_id="right", max_length=limit)
        by = _box(gradio, words["by"], elem_id="by", max_length=200)
        note = _box(gradio, words["note"], elem_id="note", max_length=2_000)
        levels = [(words[level.value], level.value) for level in Access]
        access = gradio.Radio(levels, value=None, label=words["access"], elem_id="access")
        save = gradio.Button(words["save"], elem_id="save")
        saved = gradio.HTML(elem_id="saved")
    for trigger in (press.click, text.submit):
        trigger(page.translate, [text, direction], [result, asked, right], **_HIDDEN).then(
            lambda: "", None, saved, **_HIDDEN
        )
    save.click(page.correct, [asked, right, by, note, access], saved, **_HIDDEN)


def _dictionary_tab(gradio: Any, page: Page) -> None:
    words = page.words
    query = _box(gradio, words["word"], words["word_hint"], elem_id="word", max_length=200)
    press = gradio.Button(words["look_up"], elem_id="look-up")
    letters = gradio.Radio(page.service.letters, label=words["letters"], elem_id="letters")
    found = gradio.HTML(elem_id="entries")
    letters.input(page.browse, letters, found, **_HIDDEN)
    for trigger in (press.click, query.submit):
        trigger(page.look_up, query, found, **_HIDDEN)


def _corpus_tab(gradio: Any, page: Page) -> None:
    words, tiers = page.words, page.tier_names()
    rest = gradio.State(None)
    query = _box(gradio, words["search"], words["search_hint"], elem_id="query", max_length=200)
    tier = gradio.Radio(tiers, value=tiers[0][1] if tiers else None, label=words["tier"], elem_id="tier")
    regex = gradio.Checkbox(label=words["regex"], elem_id="regex")
    press = gradio.Button(words["find"], elem_id="find")
    found = gradio.HTML(elem_id="lines")
    more = gradio.Button(words["more"], visible=False, elem_id="more")

    def search(*given: Any) -> tuple[Any, ...]:
        html, following = page.search(*given)
        return html, following, gradio.update(visible=following is not None)

    for trigger in (press.click, query.submit):
        trigger(search, [query, tier, regex], [found, rest, more], **_HIDDEN)
    more.click(search, [query, tier, regex, rest], [found, rest, more], **_HIDDEN)


def _questions_tab(gradio: Any, page: Page) -> None:
    words = page.words
    chat = gradio.HTML(elem_id="chat")  # gradio.Chatbot shows HTML, even where it is told not to read Markdown
    problem = gradio.HTML(elem_id="problem")
    before = gradio.State([])
    question = _box(gradio, words["question"], words["question_hint"], elem_id="question")
    send = gradio.Button(words["send"], variant="primary", elem_id="send")
    new = gradio.Button(words["new_chat"], elem_id="new-chat")

    def ask(asked: str, turns: Turns) -> Iterator[tuple[Any, ...]]:
        for now, left, message in page.ask(asked, turns):
            answered = now and now[-1]["role"] == "assistant"
            field = gradio.skip() if left is None else left
            yield show.turns(now, words), now if answered else gradio.skip(), field, message, waiting

    ready, waiting = gradio.update(interactive=True), gradio.update(interactive=False)
    # One event for both ways of sending: two answers at a time would be written into the same conversation.
    sent = gradio.on(
        [send.click, question.submit],
        ask,
        [question, before],
        [chat, before, question, problem, send],
        trigger_mode="once",
        show_progress_on=chat,
        **_HIDDEN,
    )
    sent.then(lambda: ready, None, send, **_HIDDEN)
    new.click(lambda: ("", [], "", ready), None, [chat, before, problem, send], cancels=sent, **_HIDDEN)
