"""XML as files really hold it: read by what the bytes are, with what no parser takes put right before one sees it.

What is put right changes no text: control characters and references to them go, ``&`` that begins no reference is
escaped, names of characters (``&nbsp;``, ``&oacute;``, and those that the file declares for one character) become the
characters. All other entities stay unknown, so that they can neither grow nor read other files; document type
declarations, comments and external references are never looked at. Undecodable bytes become :data:`DAMAGE`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from html.entities import html5
from pathlib import Path
from typing import IO, Any, cast
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers.expat import ParserCreate

from seshat.core.jsonl import cannot_read
from seshat.formats.context import Context

DAMAGE = "\udcff"
"""Stands for bytes that cannot be decoded; no parser takes it, so that what holds it is not read."""
BLOCK = 1 << 18
"""Bytes that are decoded at a time."""
_LONGEST = 1 << 23
"""Characters in which a comment, a section or a declaration must end."""
_DECLARED = re.compile(rb"^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._:-]+)[\"']")
_SKIPPED = re.compile(r"<!--.*?-->|<!DOCTYPE\b[^\[>]*(?:\[(?P<subset>[^\]]*)\]\s*)?>|<\?[^<]*?\?>", re.DOTALL)
_OPENING = re.compile(r"<(?:!--|!DOCTYPE\b|!\[CDATA\[|\?)")
_CLOSING = {"<!--": "-->", "<!DOCTYPE": ">", "<![CDATA[": "]]>", "<?": "?>"}
_ENTITY = re.compile(r"<!ENTITY\s+([\w.-]+)\s+(?:\"([^\"]*)\"|'([^']*)')\s*>")
_SECTION_OR_SIGN = re.compile(r"<!\[CDATA\[.*?\]\]>|&(?:#(\d{1,9}|[xX][0-9A-Fa-f]{1,8})|([\w.-]{1,64}));|&", re.DOTALL)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ufeff]")
_OWN = frozenset({"amp", "lt", "gt", "quot", "apos"})
codecs.register_error("seshat.damage", lambda error: (DAMAGE, error.end))  # type: ignore[attr-defined]


class Markup:
    """The text of one XML file, in blocks that part no comment, section or declaration, without them.

    Args:
        path: the file.
        context: for the encoding that the source states, and the report.

    Raises:
        DataError: the file cannot be opened, or its encoding is doubtful.
    """

    def __init__(self, path: Path, context: Context) -> None:
        self.path, self.context, self.report = path, context, context.report(path)
        declared = _declared(path)
        self.encoding = context.encoding(path, declared)
        if declared and not _same(declared, self.encoding.name) and self.encoding.how != "configured":
            self.report.remarks.append(f"the XML says that it is {declared}, but it is {self.encoding.name}: read so")
        self.characters: dict[str, str] = {}
        """Entities that the file declares for one character."""

    def blocks(self) -> Iterator[str]:
        """The text, in order."""
        kept = ""
        for block in self._decoded():
            text = kept + block
            cut = _whole(text)
            yield _SKIPPED.sub(self._skip, text[:cut])
            kept = text[cut:]
            if len(kept) > _LONGEST:
                yield _without_openings(kept)
                kept = ""
        yield _without_openings(kept)

    def _decoded(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(self.encoding.name)("seshat.damage")
        try:
            with self.path.open("rb") as stream:
                stream.seek(self.encoding.bom)
                while block := stream.read(BLOCK):
                    yield decoder.decode(block)
            yield decoder.decode(b"", final=True)
        except OSError as error:
            raise cannot_read(self.path, error) from error

    def _skip(self, found: re.Match[str]) -> str:
        for name, one, other in _ENTITY.findall(found["subset"] or ""):
            if len(character := unescape(one or other)) == 1:
                self.characters[name] = character
        return "\n" * found[0].count("\n")

    def stream(self) -> IO[bytes]:
        """The text as UTF-8, for a parser that reads from a file. Bytes that are no characters stop it."""
        return cast("IO[bytes]", _Stream(self.mended(block) for block in self.blocks()))

    def mended(self, text: str) -> str:
        """A piece of the text, which must hold whole references and sections, as a parser can take it."""
        if _FORBIDDEN.search(text):
            self.report.note("control characters, left out", None)
            text = _FORBIDDEN.sub("", text)
        return _SECTION_OR_SIGN.sub(self._mended_sign, text) if "&" in text else text

    def _mended_sign(self, found: re.Match[str]) -> str:
        number, name = found[1], found[2]
        if number is not None:
            code = int(number[1:], 16) if number[0] in "xX" else int(number)
            if code > 0x10FFFF or 0xD800 <= code < 0xE000 or _FORBIDDEN.match(chr(code)):
                self.report.note("control characters, left out", None)
                return ""
            return found[0]
        if name is not None and name not in _OWN:
            character = self.characters.get(name) or html5.get(f"{name};", "")
            return "".join(f"&#{ord(one)};" for one in character) or found[0]
        if found[0] == "&":
            self.report.note("signs & that should have been written &amp;, read as they stand", None)
            return "&amp;"
        return found[0]


class _Stream:
    """Pieces of text as a file that can be read once."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes, none at the end."""
        while size < 0 or len(self._left) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._left += piece.encode(errors="surrogatepass")
        end = len(self._left) if size < 0 else size
        found, self._left = self._left[:end], self._left[end:]
        return found


def _declared(path: Path) -> str | None:
    """The encoding that the XML declaration names; it is looked for in ASCII, and in UTF-16."""
    try:
        with path.open("rb") as stream:
            found = _DECLARED.match(stream.read(1024).replace(b"\0", b"").removeprefix(b"\xff\xfe").lstrip(b"\xfe\xff"))
    except OSError as error:
        raise cannot_read(path, error) from error
    return found[1].decode("ascii") if found else None


def _same(one: str, other: str) -> bool:
    try:
        names = [codecs.lookup(name).name.removesuffix("-le").removesuffix("-be") for name in (one, other)]
    except LookupError:
        return False
    return names[0] == names[1] or (names[0] == "ascii" and names[1] == "utf-8")


def _without_openings(text: str) -> str:
    """Text in which a comment or section begins that has no end, without the mark of its beginning."""
    return text.replace("<![CDATA[", "").replace("<!--", "")


def _whole(text: str) -> int:
    """Up to where a text parts no tag, comment, section or declaration."""
    end = text.rfind(">") + 1
    position = 0
    while (opening := _OPENING.search(text, position, end)) is not None:
        closing = _CLOSING[opening[0]]
        if opening[0] == "<!DOCTYPE":
            declared = _SKIPPED.match(text, opening.start())
            closed = declared.end() if declared else -1
        else:
            found = text.find(closing, opening.end())
            closed = found + len(closing) if found >= 0 else -1
        if closed < 0:
            return opening.start()
        position = closed
    return max(end, position)


def xml_parser(
    start: Callable[[str, Mapping[str, str]], Any],
    end: Callable[[str], Any] | None = None,
    text: Callable[[str], Any] | None = None,
) -> Any:
    """A parser of XML that tells local names, and refuses entities: they can grow, or read other files."""
    parser = ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
    if end is not None:
        parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    if text is not None:
        parser.CharacterDataHandler = text

    def refuse(name: str, *_: Any) -> None:
        raise ValueError(f"it declares the XML entity '{name}', which can be an attack")

    parser.EntityDeclHandler = refuse
    return parser


def element(text: str) -> Element:
    """The element that a text holds, with local names and attributes as they are written (``xml:lang``).

    Raises:
        ExpatError: the text is no well-formed element.
        ValueError: it declares an entity, or holds :data:`DAMAGE`.
    """
    builder = TreeBuilder()
    parser = xml_parser(lambda name, attributes: builder.start(name, dict(attributes)), builder.end, builder.data)
    parser.Parse(text.encode(), True)
    return builder.close()
