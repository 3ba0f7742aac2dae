"""Wikis: the running text of their pages, out of dumps and out of what seshat crawl fetched."""

from __future__ import annotations

import pytest
from tests.reading import Read

from seshat.core.errors import DataError

pytest.importorskip("mwparserfromhell")
pytest.importorskip("lxml")

DUMP = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="qlm">
  <siteinfo><sitename>W</sitename></siteinfo>
  <page><title>Kuno</title><ns>0</ns><id>1</id><revision><id>2</id><text>Mira '''talo''' [[pesi|veta]].

== Sala ==
{{Infobox|name=x|image=[[File:a.jpg|thumb|left]]}}
* tiru &lt;ref name="a"&gt;meno&lt;/ref&gt; pako
[[File:b.jpg|thumb|A [[caption]] here]]
[[Category:Words]]</text></revision></page>
  <page><title>Talk:Kuno</title><ns>1</ns><id>3</id><revision><text>Not this.</text></revision></page>
  <page><title>Old</title><ns>0</ns><id>4</id><redirect title="Kuno"/>
    <revision><text>#REDIRECT [[Kuno]]</text></revision></page>
</mediawiki>
"""


def test_articles_of_a_dump(read: Read) -> None:
    result = read({"wiki.xml": DUMP}, path="wiki.xml", language="qlm")
    assert [one.texts["qlm"] for one in result.segments] == ["Mira talo veta.", "Sala", "tiru pako"]
    assert {one.meta.extra["title"] for one in result.segments} == {"Kuno"}
    assert len({one.meta.doc_id for one in result.segments}) == 1
    assert [one.reason for one in result.rejects] == ["Old: no text, or a redirection"]
    assert "no articles" in result.warnings


def test_wikitext_that_is_wrong_does_no_harm() -> None:
    from seshat.formats.mediawiki import wikitext_lines

    with pytest.raises(DataError, match="without end"):
        wikitext_lines("{{" * 3_000 + "kuno" + "}}" * 3_000)
    with pytest.raises(DataError, match="longer than"):
        wikitext_lines("kuno " * 1_000_000)
    assert wikitext_lines("{| {| kuno\n|} mira [[ '''talo") != []
