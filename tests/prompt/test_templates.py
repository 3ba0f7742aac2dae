"""Chat templates of strangers are tried with limits before they are used."""

from __future__ import annotations

import pytest

from seshat.core.errors import DataError
from seshat.prompt import templates
from seshat.prompt.templates import check_template, portable

SOUND = (
    "{% for message in messages %}<{{ message.role }}>"
    "{% generation %}{{ message.content }}{% endgeneration %}{% endfor %}"
)


def test_sound_templates_pass_and_are_tried_once() -> None:
    check_template(SOUND)
    before = check_template.cache_info().misses
    check_template(SOUND)
    assert check_template.cache_info().misses == before
    check_template("{{ raise_exception('no system turn, please') }}")
    check_template("{% this is no template")  # whoever uses it says what is wrong with it


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% set c = a * b %}{% endfor %}{% endfor %}", "longer"),
        ("{{ 'a' * 4000000000 }}", "memory|MB"),
        ("{{ 'a' * 50000000 }}", "MB"),
        ("a" * (templates.LONGEST + 1), "characters"),
    ],
)
def test_what_has_no_end_is_refused(monkeypatch: pytest.MonkeyPatch, template: str, words: str) -> None:
    monkeypatch.setattr(templates, "SECONDS", 2.0)
    with pytest.raises(DataError, match=words):
        check_template(template)


def test_marks_of_training_become_conditions() -> None:
    assert portable("{%- generation -%}x{% endgeneration %}") == "{%- if true -%}x{% endif %}"
