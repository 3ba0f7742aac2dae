"""What is written from the schema loads back, and says what the schema says."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from ruamel.yaml import YAML

from seshat.config import Config
from seshat.config.load import load_config, load_with_places
from seshat.config.render import commented_yaml, json_schema, scalar, show_yaml

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
AWKWARD = st.sampled_from(
    ["no", "", " x", "x ", "a: b", "# c", "1", "1e3", "~", "*.csv", "{lang}", "- a", "'", '"\\', "a\nb", "\ufeff"]
)
STRINGS = TEXT | AWKWARD
TAGS = st.sampled_from(["shp", "es", "no", "on", "pt-BR"])
SHARES = st.floats(0, 0.45)


def sections(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping in which every field may be missing."""
    return st.fixed_dictionaries({}, optional=fields)


RULES = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("regex"), "name": STRINGS, "pattern": st.sampled_from([r"\p{M}+", "[#:]", "a  b'"])}
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("map"),
            "name": STRINGS,
            "map": st.dictionaries(STRINGS.filter(bool), STRINGS, min_size=1, max_size=3),
        }
    ),
    st.fixed_dictionaries({"type": st.just("unicode"), "name": STRINGS, "form": st.sampled_from(["NFC", "NFKD"])}),
)
CONFIGS = sections(
    project=sections(
        name=STRINGS,
        purpose=STRINGS,
        seed=st.integers(-(10**12), 10**12),
        languages=st.fixed_dictionaries(
            {"no": st.fixed_dictionaries({"name": STRINGS, "script": st.none() | STRINGS})}
        ),
        max_access=st.sampled_from(["public", "sealed"]),
    ),
    ingest=sections(
        sources=st.lists(
            st.fixed_dictionaries(
                {
                    "name": st.from_regex(r"[a-z0-9.-]{1,6}", fullmatch=True),
                    "path": st.sampled_from(["*.csv", "a b.txt", "x/{lang}"]),
                },
                optional={"genre": st.none() | STRINGS, "method": st.sampled_from(["gold", "machine"])},
            ),
            max_size=3,
            unique_by=lambda source: source["name"],
        )
    ),
    clean=sections(
        profiles=st.dictionaries(
            st.just("es"),
            sections(
                rules=st.lists(RULES, max_size=3),
                tests=st.lists(st.fixed_dictionaries({"in": STRINGS, "out": STRINGS}), max_size=2),
            ),
        ),
        placeholders=st.lists(st.sampled_from([r"<[a-z]>", r"\{x\}"]), max_size=2),
    ),
    split=sections(validation=SHARES, test=SHARES, exclude_tags=st.lists(STRINGS, max_size=4)),
    train=sections(
        family=st.sampled_from(["statistical", "seq2seq"]),
        seq2seq=sections(dropout=SHARES),
        finetune=sections(learning_rate=st.floats(1e-12, 1e12), continue_from=st.none() | st.just("first")),
    ),
)


def loads_to(config: Config, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "seshat.yaml").write_text(text, encoding="utf-8", newline="")
        assert load_config(Path(folder)) == config


@given(CONFIGS)
@settings(deadline=None, max_examples=60)
def test_a_configuration_survives_being_written_and_read(values: dict[str, Any]) -> None:
    config = Config.model_validate({**values, "project": {"pivot": "es", **values.get("project", {})}})
    loads_to(config, show_yaml(config))
    loads_to(config, commented_yaml(config))


@given(STRINGS)
@settings(deadline=None)
def test_text_stays_text_for_readers_of_yaml_1_1_too(text: str) -> None:
    assert "\n" not in scalar(text)
    for version in ("1.1", "1.2"):
        head = f"%YAML {version}\n---\n"
        read = YAML(typ="safe", pure=True).load
        assert read(f"{head}a: [{scalar(text)}, {scalar(text)}]  # x") == {"a": [text, text]}
        assert read(f"{head}{scalar(text)}: {scalar(text)}  # x") == {text: text}


def test_defaults_are_written_with_every_setting_explained() -> None:
    text = commented_yaml()
    loads_to(Config(), text)
    lines = text.splitlines()
    assert (
        lines[lines.index("  max_phrase: 6".rjust(17)) - 1]
        == "    # Longest phrase, in tokens (pieces of words count, see `segmentation`). (a whole number from 1 to 8)"
    )
    assert "# reader: one of" not in text.split("\nclean:")[1], "sources are explained where they belong"
    assert "#     path: text or a list (of text); required." in text
    assert max(map(len, lines)) <= 120


def test_places_are_shown(tmp_path: Path) -> None:
    (tmp_path / "seshat.yaml").write_text("split:\n  test: 0.2\ningest:\n  sources:\n    - {name: a, path: b}\n")
    loaded = load_with_places(tmp_path, overrides=["project.seed=5"])
    lines = show_yaml(loaded.config, loaded.places).splitlines()
    assert "  test: 0.2  # seshat.yaml:2" in lines
    assert "    - name: a  # seshat.yaml:5" in lines
    assert "  seed: 5  # command line: project.seed=5" in lines
    assert "  validation: 0.05" in lines
    (tmp_path / "seshat.yaml").write_text("\n".join(lines))
    assert load_config(tmp_path) == loaded.config


def test_json_schema_describes_every_setting() -> None:
    schema = json_schema()
    json.dumps(schema)
    assert set(schema["properties"]) == {"extends", *Config.model_fields}
    for definition in [schema, *schema["$defs"].values()]:
        for name, field in definition.get("properties", {}).items():
            described = field.get("description") or "$ref" in field or "const" in field or "oneOf" in field
            assert described, f"{definition['title']}.{name} has no description"
    assert schema["$defs"]["Seq2SeqSection"]["properties"]["layers"]["minimum"] == 1


def test_every_setting_has_a_description() -> None:
    missing = []

    def look(kind: type[BaseModel]) -> None:
        for name, field in kind.model_fields.items():
            if not field.description and name != "type":
                missing.append(f"{kind.__name__}.{name}")
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                look(field.annotation)

    look(Config)
    assert not missing
