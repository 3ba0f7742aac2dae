"""Pages as other programs read and write them: hOCR, ALTO and PAGE (eScriptorium, Transkribus, kraken)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from seshat.core.errors import DataError, require
from seshat.media.pages import Box, Line, Page, Word, around, paragraphs

ENDINGS = frozenset({".hocr", ".html", ".htm", ".xml"})


def read(path: Path, name: str) -> list[Page]:
    """The pages of a file.

    Args:
        path: the file.
        name: what it is called in the pages.

    Raises:
        DataError: it is none of the three kinds, or broken.
        MissingPackage: lxml is not installed.
    """
    etree = require("lxml.etree", extra="field", purpose="Reading hOCR, ALTO and PAGE")
    html = path.suffix.lower() != ".xml"
    options: dict[str, Any] = {"no_network": True, "huge_tree": False}
    parser = etree.HTMLParser(**options) if html else etree.XMLParser(resolve_entities=False, load_dtd=False, **options)
    try:
        root = etree.parse(str(path), parser).getroot()
    except (etree.XMLSyntaxError, OSError) as error:
        raise DataError(f"{path}: cannot be read: {error}.") from error
    kinds: dict[str, Callable[[Any], Iterator[tuple[Box, list[Line]]]]] = {"alto": _alto, "PcGts": _page, "html": _hocr}
    kind = "" if root is None else _local(root)
    if kind not in kinds:
        raise DataError(f"{path}: neither hOCR nor ALTO nor PAGE.", "Export it from its program in one of these forms.")
    pages = list(kinds[kind](root))
    if not pages:
        raise DataError(f"{path}: there is no page in it.", "Export it from its program as hOCR, ALTO or PAGE.")
    by = {"alto": "ALTO", "PcGts": "PAGE", "html": "hOCR"}[kind]
    return [
        Page(file=name, number=number, width=box[2], height=box[3], lines=tuple(lines), by=by)
        for number, (box, lines) in enumerate(pages, start=1)
    ]


def _local(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _all(root: Any, name: str) -> Iterator[Any]:
    return (one for one in root.iter() if _local(one) == name)


def _hocr(root: Any) -> Iterator[tuple[Box, list[Line]]]:
    def titled(element: Any) -> tuple[Box, float]:
        title = element.get("title") or ""
        corners = re.search(r"\bbbox (-?\d+) (-?\d+) (-?\d+) (-?\d+)", title)
        x, y, right, bottom = map(int, corners.groups()) if corners else (0, 0, 0, 0)
        sure = re.search(r"\bx_wconf (\d+)", title)
        return (x, y, right - x, bottom - y), int(sure[1]) / 100 if sure else 1.0

    def marked(parent: Any, *classes: str) -> list[Any]:
        return [one for one in parent.iter() if (one.get("class") or "") in classes]

    for page in marked(root, "ocr_page"):
        lines = []
        for paragraph, part in enumerate(marked(page, "ocr_par") or [page]):
            for line in marked(part, "ocr_line", "ocr_header", "ocr_caption", "ocr_textfloat"):
                words = []
                for one in marked(line, "ocrx_word") or [line]:
                    box, sure = titled(one)
                    text = "".join(one.itertext()).strip()
                    bold = any(_local(part) in ("strong", "b") for part in one.iter())
                    words += [Word(text=text, confidence=sure, box=box, stroke=2.0 if bold else 1.0)] if text else []
                if words:
                    lines.append(Line(words=tuple(words), box=titled(line)[0], paragraph=paragraph))
        yield titled(page)[0], lines


def _alto(root: Any) -> Iterator[tuple[Box, list[Line]]]:
    def box(element: Any) -> Box:
        left, top, width, height = (
            round(float(element.get(name) or 0)) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")
        )
        return left, top, width, height

    bold = {one.get("ID") for one in _all(root, "TextStyle") if "bold" in (one.get("FONTSTYLE") or "")}
    for page in _all(root, "Page"):
        lines = []
        for paragraph, block in enumerate(_all(page, "TextBlock")):
            for line in _all(block, "TextLine"):
                words = [
                    Word(
                        text=one.get("CONTENT") or "",
                        confidence=float(one.get("WC") or 1),
                        box=box(one),
                        stroke=2.0 if bold & set((one.get("STYLEREFS") or "").split()) else 1.0,
                    )
                    for one in _all(line, "String")
                ]
                if words:
                    lines.append(Line(words=tuple(words), box=box(line), paragraph=paragraph))
        yield box(page), lines


def _page(root: Any) -> Iterator[tuple[Box, list[Line]]]:
    def told(element: Any) -> str:
        for equiv in element:
            if _local(equiv) == "TextEquiv":
                return next(("".join(one.itertext()).strip() for one in _all(equiv, "Unicode")), "")
        return ""

    def box(element: Any) -> Box:
        points = next((one.get("points") or "" for one in element if _local(one) == "Coords"), "")
        corners = [tuple(map(int, point.split(","))) for point in re.findall(r"-?\d+,-?\d+", points)]
        return around((x, y, 0, 0) for x, y in corners) if corners else (0, 0, 0, 0)

    for page in _all(root, "Page"):
        lines = []
        for paragraph, region in enumerate(_all(page, "TextRegion")):
            for line in (one for one in region if _local(one) == "TextLine"):
                words = [Word(text=told(one), box=box(one)) for one in line if _local(one) == "Word" and told(one)]
                words = words or [Word(text=one, box=box(line)) for one in told(line).split()]
                if words:
                    lines.append(Line(words=tuple(words), box=box(line), paragraph=paragraph))
        yield (0, 0, int(page.get("imageWidth") or 0), int(page.get("imageHeight") or 0)), lines


def written(page: Page, image: str, form: str) -> str:
    """A page in one of :data:`FORMS`.

    Args:
        page: the page.
        image: the name of its image, as it stands in the file.
        form: the end of the name of the file.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("seshat.media"), autoescape=True, undefined=StrictUndefined)
    values = {"page": page, "image": image, "parts": paragraphs(page.lines)}
    return environment.get_template(f"{form}.j2").render(
        **values, around=lambda lines: around(line.box for line in lines)
    )


FORMS = ("page.xml", "alto.xml", "hocr")
"""PAGE 2019, which eScriptorium, Transkribus and kraken train on; ALTO 4; hOCR 1.2."""
