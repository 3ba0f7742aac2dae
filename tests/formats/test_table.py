from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.reading import Read

from seshat.config import Config
from seshat.config.ingest import Source
from seshat.core.records import Access
from seshat.formats.separated import find_delimiter

PAIRS = {"qlm": "lumeko", "es": "spanish"}


def test_csv_with_newlines_in_cells_keeps_line_numbers(read: Read) -> None:
    text = 'id,lumeko,spanish,note\na,kuno,"uno\r\ndos",x\nb,"say ""taba""",tres,\n'
    found = read({"p.csv": text}, path="p.csv", columns={"id": "id", **PAIRS})
    assert [segment.texts for segment in found.segments] == [
        {"qlm": "kuno", "es": "uno\ndos"},
        {"qlm": 'say "taba"', "es": "tres"},
    ]
    assert [str(segment.meta.origin) for segment in found.segments] == ["p.csv:2", "p.csv:4"]
    assert [segment.id for segment in found.segments] == ["src:a", "src:b"]
    assert found.segments[0].meta.extra == {"note": "x"}
    assert not found.rejects


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_detected_and_reported(read: Read, delimiter: str) -> None:
    rows = [["lumeko", "spanish"], ["kuno, ti", "uno"], ["taba", "dos"]]
    text = "\n".join(delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) for row in rows)
    found = read({"p.csv": text}, path="p.csv", columns=PAIRS)
    assert [segment.texts["qlm"] for segment in found.segments] == ["kuno, ti", "taba"]
    assert found.context.reports["p.csv"].details["delimiter"] == delimiter


def test_the_delimiter_of_long_texts_in_cells(read: Read) -> None:
    prose = "one, two\nthree, four\n" * 60
    found = read({"p.csv": f'lumeko;spanish\nkuno;"{prose}"\ntaba;"dos; {prose}"\n'}, path="p.csv", columns=PAIRS)
    assert [one.texts["qlm"] for one in found.segments] == ["kuno", "taba"]


def test_delimiter_of_one_column_is_a_comma() -> None:
    assert find_delimiter(["word", "kuno", "taba"]) == ","


def test_rows_that_cannot_be_read_are_rejected_with_line_and_reason(read: Read) -> None:
    text = "lumeko,spanish\nkuno,uno\nonly one cell\na, b,c\n,\n \nti\0,tres\n  ,\nsola,\n"
    found = read({"p.csv": text}, path="p.csv", columns=PAIRS)
    assert {reject.line: reject.reason.split(":")[0] for reject in found.rejects} == {
        3: "1 cells where the header has 2",
        4: "3 cells where the header has 2",
        7: "the line holds zero bytes (NUL)",
    }
    assert [segment.texts for segment in found.segments] == [{"qlm": "kuno", "es": "uno"}, {"qlm": "sola"}]
    assert "rows without text in es" in found.warnings


QUOTED = 'ti,"tres, cuatro"\n'
"""A row that makes quotes signs of CSV in its file."""


def test_an_open_quote_costs_nothing_but_itself(read: Read) -> None:
    text = f'lumeko,spanish\n{QUOTED}kuno,"uno\n' + "".join(f"w{n},p{n}\n" for n in range(100))
    found = read({"p.csv": text}, path="p.csv", columns=PAIRS)
    assert len(found.segments) == 102
    assert found.segments[1].texts == {"qlm": "kuno", "es": '"uno'}
    text = f'lumeko,spanish\n{QUOTED}"kuno\n' + "".join(f"w{n},p{n}\n" for n in range(100))
    found = read({"p.csv": text}, path="p.csv", columns=PAIRS)
    assert len(found.segments) == 101
    assert [(reject.line, reject.content) for reject in found.rejects] == [(3, '"kuno')]


def test_rows_that_fit_alone_are_not_swallowed_by_a_quote(read: Read) -> None:
    for more in ("", QUOTED):
        text = f'lumeko,spanish\n{more}kuno,"uno\ntaba,dos\nti,tres"\nka,cuatro\n'
        found = read({"p.csv": text}, path="p.csv", columns=PAIRS)
        assert [tuple(one.texts.values()) for one in found.segments][-4:] == [
            ("kuno", '"uno'),
            ("taba", "dos"),
            ("ti", 'tres"'),
            ("ka", "cuatro"),
        ]
        assert "rows with quotes in the middle of cells, read as they stand" in found.warnings or not more


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_quotes_are_characters_where_no_cell_needs_them(read: Read, delimiter: str) -> None:
    cells = [
        ('"Kuno" ti.', 'Dijo: "uno".'),
        ('"Taba!"', "«dos»"),
        ('"Kuno taba', '"Uno'),
        ('ti ka."', 'dos tres."'),
        ('6" ti', "seis"),
        (r"\"ka\"", '"'),
    ]
    text = "".join(f"{one}{delimiter}{other}\n" for one, other in [("lumeko", "spanish"), *cells])
    found = read({"p.txt": text}, path="p.txt", reader="table", columns=PAIRS)
    assert [tuple(one.texts.values()) for one in found.segments] == cells
    assert not found.rejects


def test_quotes_are_signs_where_a_cell_needs_them(read: Read) -> None:
    lines = ['"kuno, ti",uno', '"say ""taba""",dos', '"di \\"ti\\"",tres', '"ka" ka,"cuatro"', '"seis\nsiete",ocho']
    for chosen in ([0], [1], [2], [4], [0, 1, 2, 3, 4]):
        text = "lumeko,spanish\n" + "".join(f"{lines[place]}\n" for place in chosen)
        found = read({"p.csv": text}, path="p.csv", columns=PAIRS)
        wanted = ["kuno, ti", 'say "taba"', 'di "ti"', '"ka" ka', "seis\nsiete"]
        assert [one.texts["qlm"] for one in found.segments] == [wanted[place] for place in chosen]
    assert found.segments[3].texts["es"] == "cuatro"
    assert [one.id for one in found.segments][-1] == "src:p:6"


def test_a_column_that_stands_in_quotes_throughout(read: Read) -> None:
    found = read({"p.csv": 'lumeko,spanish\n"kuno",uno\n"taba",dos\n'}, path="p.csv", columns=PAIRS)
    assert [one.texts["qlm"] for one in found.segments] == ["kuno", "taba"]
    found = read({"p.csv": '"lumeko","spanish"\n"kuno","uno"\n'}, path="p.csv", columns=PAIRS)
    assert [one.texts["qlm"] for one in found.segments] == ["kuno"]


def test_the_line_of_excel_that_names_the_delimiter(read: Read) -> None:
    for line in ("sep=;", '"sep=;"', "SEP=;;;"):
        found = read({"p.csv": f"{line}\nlumeko;spanish\nkuno, ti;uno, dos\n"}, path="p.csv", columns=PAIRS)
        assert [(one.id, one.texts) for one in found.segments] == [("src:p:3", {"qlm": "kuno, ti", "es": "uno, dos"})]
    found = read({"p.csv": "sep=\t\nlumeko\tspanish\nkuno\tuno\n"}, path="p.csv", columns=PAIRS)
    assert len(found.segments) == 1


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.jsonl", "p.txt"])
def test_byte_order_marks_anywhere_are_no_text(read: Read, name: str) -> None:
    mark, delimiter = "\ufeff", "\t" if name.endswith(".tsv") else ","
    lines = [f"lumeko{delimiter}spanish", f"kuno{delimiter}uno", f"{mark}taba{delimiter}{mark}dos"]
    if name.endswith(".jsonl"):
        lines = [json.dumps({"lumeko": "kuno", "spanish": "uno"}), mark + '{"lumeko": "taba", "spanish": "\\ufeffdos"}']
    found = read({name: mark * 2 + "\n".join(lines)}, path=name, reader="table", columns=PAIRS)
    assert [one.texts for one in found.segments] == [{"qlm": "kuno", "es": "uno"}, {"qlm": "taba", "es": "dos"}]


def test_titles_and_comments_above_the_header(read: Read) -> None:
    table = "Lumeko,es\nkuno,uno\n"
    for above in ("# notes\n", "List of words\n\n", "# a, b, c\n# d\n", "Lumeko\n"):
        found = read({"p.csv": above + table}, path="p.csv")
        assert [one.texts for one in found.segments] == [{"qlm": "kuno", "es": "uno"}], above
        assert "above the header left out" in found.warnings
    configured = {"qlm": "Lumeko", "es": "es"}
    assert len(read({"p.csv": f"List, of words\n{table}"}, path="p.csv", columns=configured).segments) == 1
    found = read({"p.csv": f"Lumeko,es\n{table}"}, path="p.csv", header=2)
    assert [one.id for one in found.segments] == ["src:p:3"]


def test_remarks_to_the_right_of_the_table(read: Read) -> None:
    found = read({"p.csv": "lumeko,spanish\nkuno,uno,see photo\ntaba,dos\n"}, path="p.csv", columns=PAIRS)
    assert [one.meta.extra for one in found.segments] == [{"column 3": "see photo"}, {}]
    assert "rows with a remark to the right of the table, kept in meta.extra: 1 (first: line 2)" in found.warnings
    shifted = "lumeko,spanish\n" + "1,kuno,uno\n" * 5
    assert len(read({"p.csv": shifted}, path="p.csv", columns=PAIRS).rejects) == 5


def test_columns_by_number(read: Read) -> None:
    for header in (True, False):
        first = "a,b\n" if header else ""
        found = read({"p.csv": f"{first}kuno,uno\n"}, path="p.csv", header=header, columns={"qlm": 1, "es": 2})
        assert found.segments[0].texts == {"qlm": "kuno", "es": "uno"}
    found = read({"p.csv": "2,1\nkuno,uno\n"}, path="p.csv", columns={"qlm": 2, "es": "1"})
    assert found.segments[0].texts == {"qlm": "kuno", "es": "uno"}


def test_names_in_two_unicode_forms_are_one_name(read: Read) -> None:
    composed, parted = "espa\u00f1ol", "espan\u0303ol"
    for one, other in ((composed, parted), (parted, composed)):
        table = f"lumeko,{one},tipo\nkuno,uno,{one}\ntaba,dos,x\n"
        objects = json.dumps([{"lumeko": "kuno", one: {"ñ": "uno"}, "tipo": one}], ensure_ascii=False)
        files = {"p.csv": table, "q.json": objects, "r.jsonl": objects[1:-1]}
        for name in files:
            path = other if name.endswith("csv") else f"{other}.n\u0303"
            columns = {"qlm": "lumeko", "es": path}
            found = read(files, path=name, columns=columns, where={"tipo": [other]})
            assert [one.texts for one in found.segments] == [{"qlm": "kuno", "es": "uno"}], name


def test_quotes_can_be_ordinary_characters(read: Read) -> None:
    found = read({"p.csv": 'lumeko,spanish\n"kuno,uno\n'}, path="p.csv", columns=PAIRS, quote="")
    assert found.segments[0].texts["qlm"] == '"kuno'


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)] * 2),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_csv_writes_is_read_back(read: Read, rows: list[tuple[str, str]]) -> None:
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([("lumeko", "spanish"), *rows])
    found = read({"p.csv": out.getvalue()}, path="p.csv", columns=PAIRS, ingest={"unicode": "keep"}, delimiter=",")
    wanted = [{tag: text.strip() for tag, text in zip(("qlm", "es"), row, strict=True) if text.strip()} for row in rows]
    assert [segment.texts for segment in found.segments] == [texts for texts in wanted if texts]


def test_duplicate_ids_name_the_first(read: Read) -> None:
    files = {"a.csv": "id,qlm,es\n1,kuno,uno\n1,taba,dos\n", "b.csv": "id,qlm,es\n2,ti,tres\n1,ka,cuatro\n"}
    found = read(files, path="*.csv")
    assert [segment.id for segment in found.segments] == ["src:1", "src:2"]
    reasons = [(reject.file, reject.line, reject.reason) for reject in found.rejects]
    assert reasons == [
        ("a.csv", 3, "the id '1' is already that of line 2"),
        ("b.csv", 3, "the id '1' is already that of a.csv:2"),
    ]
    assert "taba" in found.rejects[0].content


def test_missing_columns_are_named_with_a_suggestion(read: Read) -> None:
    found = read({"p.csv": "lumeko,espanol\nkuno,uno\n"}, path="p.csv", columns={"qlm": "lumecko", "es": "spanish"})
    (error,) = found.failures
    assert "source 'src'" in error.message
    assert "p.csv" in error.message
    assert "'lumecko' for qlm (did you mean 'lumeko'?)" in error.message
    assert "'spanish' for es" in error.message
    assert error.hint == "The columns found are: 'lumeko', 'espanol'."
    assert [reject.file for reject in found.rejects] == ["p.csv"]


def test_headers_that_say_what_they_are_are_used_and_reported(read: Read) -> None:
    found = read({"p.csv": "ID,Lumeko,es,Speaker\n7,kuno,uno,Ana\n"}, path="p.csv")
    assert found.segments[0].texts == {"qlm": "kuno", "es": "uno"}
    assert (found.segments[0].id, found.segments[0].meta.speaker) == ("src:7", "Ana")
    assert "columns: {id: ID, qlm: Lumeko, es: es, speaker: Speaker}" in found.warnings


def test_headers_that_say_nothing_are_an_error(read: Read) -> None:
    (error,) = read({"p.csv": "left,right\nkuno,uno\n"}, path="p.csv").failures
    assert "the headers do not name a column per language (qlm, es, en)" in error.message
    assert "columns: {qlm: …, es: …}" in (error.hint or "")


def test_a_table_without_header(read: Read) -> None:
    found = read({"p.tsv": "kuno\tuno\n"}, path="p.tsv", header=False, columns={"qlm": "1", "es": "2"})
    assert found.segments[0].texts == {"qlm": "kuno", "es": "uno"}
    assert found.segments[0].id == "src:p:1"


def test_entries_from_csv(read: Read) -> None:
    text = "word,definition,class,variants,type,example_lumeko,example_spanish\n"
    text += "kuno,uno; único | solo,num,kunu;kunó,Word,Kuno ti.,Hay uno.\n,x,,,,,\n"
    found = read({"d.csv": text}, path="d.csv", kind="entries")
    (entry,) = found.entries
    assert (entry.headword, entry.pos, entry.type, entry.forms) == ("kuno", "num", "word", ("kunu", "kunó"))
    assert entry.senses[0].glosses == {"es": ("uno", "único", "solo")}
    assert entry.senses[0].examples[0].texts == {"qlm": "Kuno ti.", "es": "Hay uno."}
    assert entry.id == "src:d:2"
    assert found.rejects[0].reason == "nothing stands in word"
    assert "columns taken by their headers" in found.warnings


NESTED = [
    {
        "lex": {"form": "kuno"},
        "senses": [{"gloss": "uno", "dom": "number"}, {"gloss": "único"}],
        "examples": [{"qlm": "Kuno ti.", "es": "Hay uno."}, {"qlm": "Ti kuno."}, {"qlm": "Ka.", "es": "Va."}],
        "page": 0,
    },
    {"lex": {"form": "taba"}, "senses": [], "tags": ["a", "b"]},
]


@pytest.mark.parametrize("indent", [None, 2])
def test_nested_json(read: Read, indent: int | None) -> None:
    columns = {
        "headword": "lex.form",
        "gloss.es": "senses.*.gloss",
        "example.qlm": "examples.*.qlm",
        "example.es": "examples.*.es",
    }
    text = json.dumps({"made": "2020", "entries": NESTED}, indent=indent)
    found = read({"d.json": text}, path="d.json", kind="entries", columns=columns)
    first, second = found.entries
    assert first.senses[0].glosses == {"es": ("uno", "único")}
    assert [example.texts for example in first.senses[0].examples] == [
        {"qlm": "Kuno ti.", "es": "Hay uno."},
        {"qlm": "Ti kuno."},
        {"qlm": "Ka.", "es": "Va."},
    ]
    assert first.meta.extra == {"senses": '[{"dom": "number"}]', "page": "0"}
    assert second.meta.extra == {"tags": '["a", "b"]'}
    assert [entry.id for entry in found.entries] == ["src:d:1", "src:d:2"]
    lines = text.splitlines()
    assert "lex" in lines[(second.meta.origin.line or 0) - 1 + (1 if indent else 0)] if second.meta.origin else False


def test_json_by_place_and_by_guess(read: Read) -> None:
    text = json.dumps({"words": [{"word": "kuno", "meanings": ["uno"]}], "affixes": [{"word": "-ta"}]})
    (error,) = read({"d.json": text}, path="d.json", kind="entries").failures
    assert "several lists of objects: words, affixes" in error.message
    found = read({"d.json": text}, path="d.json", kind="entries", rows="affixes")
    assert [entry.headword for entry in found.entries] == ["-ta"]
    (error,) = read({"d.json": text}, path="d.json", kind="entries", rows="wordz").failures
    assert "there is no 'wordz'" in error.message


def test_broken_json_keeps_what_stands_before(read: Read) -> None:
    text = '[\n{"qlm": "kuno", "es": "uno"},\n{"qlm": "taba", "es": "dos"},\n{"qlm": "t'
    found = read({"d.json": text}, path="d.json")
    assert [segment.texts["qlm"] for segment in found.segments] == ["kuno", "taba"]
    assert [(reject.line, reject.content) for reject in found.rejects] == [(4, '{"qlm": "t')]
    assert "not read to its end: line 4: no JSON" in found.failures[0].message


ROW, OTHER = '{"qlm": "kuno", "es": "uno"}', '{"qlm": "taba", "es": "dos"}'


@pytest.mark.parametrize(
    "text",
    [
        f"{ROW}\n{OTHER}\n",
        f"\n{ROW}\r\n\r\n{OTHER}",
        f"{ROW} {OTHER}",
        f"[{ROW},\n{OTHER}]\n",
        f"[{ROW}] [{OTHER}]",
        f'{{"words": [{ROW}, {OTHER}]}}',
        f"[{ROW} {OTHER}]",
        json.dumps(json.loads(f"[{ROW}, {OTHER}]"), indent=2),
        "\n".join(json.dumps(json.loads(one), indent=2) for one in (ROW, OTHER)),
    ],
)
@pytest.mark.parametrize("name", ["d.json", "d.jsonl"])
def test_json_under_any_name(read: Read, name: str, text: str) -> None:
    if name == "d.jsonl" and text.startswith('{"words"'):
        return
    found = read({name: text}, path=name)
    if name == "d.jsonl" and text == f"{ROW} {OTHER}":
        assert "Extra data" in found.rejects[0].reason
        return
    assert [one.texts["qlm"] for one in found.segments] == ["kuno", "taba"]
    assert not found.failures


@pytest.mark.parametrize(
    "bad",
    [
        '{"qlm": "a", "es": }',
        '{"qlm": "a" "es": "b"}',
        "{qlm: 'a'}",
        '{"qlm": "a", "es": "b\\q"}',
        '{"qlm": "a", "es": "b',
        '{"qlm": ["a", {"x": 1}, "es": "b"}',
        '{"qlm": "\\ud800", "es": "b"}',
        '["a", "b"]',
        "tru",
        "[" * 50_000 + "]" * 50_000,
    ],
)
@pytest.mark.parametrize("lines", [True, False])
def test_a_bad_element_costs_one_element(read: Read, bad: str, lines: bool) -> None:
    for rows in ([ROW, bad, OTHER], [bad, ROW, OTHER]):
        if lines:
            found = read({"d.jsonl": "\n".join(rows)}, path="d.jsonl")
            if bad.startswith("[") and rows[0] == bad:
                continue  # read as a list: the name says one thing, the beginning another
        else:
            found = read({"d.json": "[\n  " + ",\n  ".join(rows) + "\n]"}, path="d.json")
        assert [one.texts["qlm"] for one in found.segments] == ["kuno", "taba"], rows
        assert len(found.rejects) == 1


def test_values_that_are_no_text(read: Read) -> None:
    values = ["NaN", "Infinity", "null", "1" * 5000, "1e400"]
    text = ",\n".join(f'{{"qlm": {value}, "es": "uno"}}' for value in values)
    for name, content in (("d.json", f"[{text}]"), ("d.jsonl", text.replace(",\n", "\n"))):
        found = read({name: content}, path=name)
        assert [one.texts.get("qlm") for one in found.segments] == [None, None, None, "1" * 5000, "inf"]
    found = read({"d.json": '{"a": {"b": 1}}'}, path="d.json")
    assert "there is no list of objects" in found.failures[0].message


def test_json_lines(read: Read) -> None:
    text = '{"qlm": "kuno", "es": "uno"}\n[1]\n{"qlm": \n\n{"qlm": "\\ud800", "es": "x"}\n{"qlm": "ti", "es": 3}\n'
    found = read({"d.jsonl": text}, path="d.jsonl")
    assert [segment.texts for segment in found.segments] == [{"qlm": "kuno", "es": "uno"}, {"qlm": "ti", "es": "3"}]
    assert [reject.line for reject in found.rejects] == [2, 3, 5]


def test_meta_columns_and_access(read: Read) -> None:
    rows = ["community", "public", "sealed", "friends", ""]
    text = "doc,n,acc,qlm,es\n" + "".join(f"d,{n},{level},kuno,uno\n" for n, level in enumerate(rows))
    columns = {"doc_id": "doc", "order": "n", "access": "acc", "qlm": "qlm", "es": "es"}
    found = read({"p.csv": text}, path="p.csv", columns=columns, access="registered", genre="tale", split="test")
    levels = [segment.meta.access for segment in found.segments]
    assert levels == [Access.COMMUNITY, Access.REGISTERED, Access.SEALED, Access.RESTRICTED, Access.REGISTERED]
    assert [segment.meta.order for segment in found.segments] == [0, 1, 2, 3, 4]
    assert {(segment.meta.doc_id, segment.meta.genre, segment.meta.split) for segment in found.segments} == {
        ("d", "tale", "test")
    }
    assert "access level" in found.warnings


def test_interlinear_gloss(read: Read) -> None:
    text = "qlm,es,m,g\ntaba kuno,uno perro,taba kuno-ta,perro uno-ACC\nti,tres,ti,a b\n"
    columns = {"qlm": "qlm", "es": "es", "gloss.morphemes": "m", "gloss.glosses": "g"}
    found = read({"p.csv": text}, path="p.csv", columns=columns)
    assert found.segments[0].gloss is not None
    assert found.segments[0].gloss[1].morphemes == ("kuno", "ta")
    assert found.segments[0].gloss[1].glosses == ("uno", "ACC")
    assert found.segments[1].gloss is None
    assert found.segments[1].meta.extra == {"gloss.morphemes": "ti", "gloss.glosses": "a b"}
    assert "unequal numbers of words" in found.warnings


def test_doubled_and_nameless_columns(read: Read) -> None:
    found = read({"p.csv": "qlm,es,es,\nkuno,uno,one,z\n"}, path="p.csv")
    assert found.segments[0].meta.extra == {"es (2)": "one", "column 4": "z"}
    assert "several columns are called 'es'" in found.warnings


def test_empty_tables(read: Read) -> None:
    files = {"a.csv": "", "b.json": "", "c.xlsx": "", "d.csv": "qlm,es\n"}
    for name in ("a.csv", "b.json", "c.xlsx"):
        found = read(files, path=name)
        assert [reject.reason for reject in found.rejects] == ["the file is empty"]
    assert not read(files, path="d.csv").segments


def test_wrong_kind_and_unknown_ending(read: Read) -> None:
    (error,) = read({"p.csv": "a\n"}, path="p.csv", kind="documents").failures
    assert "not a document" in error.message
    (error,) = read({"p.doc": "a\n"}, path="p.doc").failures
    assert "'.doc'" in error.message
    (error,) = read({"p.xls": "a\n"}, path="p.xls", reader="table").failures
    assert "Save old .xls" in (error.hint or "")


@pytest.mark.parametrize(
    ("kind", "columns", "message"),
    [
        ("segments", {"gloss": "x", "gloss.es": "y"}, "no field of segments"),
        ("entries", {"headword": "x", "glos.es": "y"}, "no field of entries"),
        ("entries", {"gloss.es": "y"}, "need a column for 'headword'"),
    ],
)
def test_columns_of_the_configuration_are_checked(kind: str, columns: dict[str, str], message: str) -> None:
    source = Source.model_validate({"name": "s", "path": "p.csv", "kind": kind, "columns": columns})
    assert any(message in one.message for one in source.mistakes())


def test_columns_of_other_languages_are_mistakes() -> None:
    source = {"name": "s", "path": "p.csv", "columns": {"es": "spanish", "headword": "word"}}
    with pytest.raises(ValidationError, match="'headword' is no language of this project"):
        Config.model_validate({"project": {"language": "qlm"}, "ingest": {"sources": [source]}})


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.csv", "a/../../x.csv", "C:/x.csv", "a\\b.csv", ""])
def test_paths_stay_below_raw(path: str) -> None:
    with pytest.raises(ValidationError):
        Source.model_validate({"name": "s", "path": path})


@pytest.mark.real_data
def test_a_real_dictionary_and_its_guess(real_data: Path, tmp_path: Path, read: Read) -> None:
    text = (real_data / "amazonian/shipibo_dictionary/entries_with_vocabulary.json").read_bytes()
    found = read({"d.json": text}, path="d.json", kind="entries")
    assert len(found.entries) == 5358
    assert not found.rejects
    glossed = [entry for entry in found.entries if entry.senses and "es" in entry.senses[0].glosses]
    assert len(glossed) > 4000
    assert "gloss.en: definitions_english" in found.warnings


@pytest.mark.real_data
def test_a_real_table_with_newlines_and_quotes(real_data: Path, read: Read) -> None:
    import csv

    path = real_data / "akkadian/kaggle_v3_final_feb2026/train.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        wanted = sum(1 for _ in csv.DictReader(stream))
    columns = {"id": "oare_id", "qlm": "transliteration", "en": "translation"}
    found = read({"t.csv": path.read_bytes()}, path="t.csv", columns=columns)
    assert len(found.segments) == wanted
    assert not found.rejects
