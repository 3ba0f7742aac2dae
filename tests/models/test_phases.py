from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seshat.config import Config
from seshat.config.finetune import WhereSection
from seshat.core.errors import DataError
from seshat.core.records import Meta, Method, Segment
from seshat.models.neural.phases import (
    Phase,
    Traits,
    admits,
    choose,
    digest,
    phases,
    read_seen,
    with_replay,
    write_seen,
)

GOLD = Segment(id="g", texts={"xx": "kana", "es": "casa"}, meta=Meta(source="tales"))
NOISY = Segment(
    id="n",
    texts={"xx": "tiro", "es": "perro"},
    meta=Meta(source="web", method=Method.ALIGNED, score=0.4, tags=("clean:short",)),
)
SURE = Segment(id="s", texts={"xx": "suwe", "es": "agua"}, meta=Meta(source="web", method=Method.ALIGNED, score=0.9))
ALL = [GOLD, NOISY, SURE]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, "gns"),
        ({"sources": ["web"]}, "ns"),
        ({"methods": ["gold"]}, "g"),
        ({"methods": ["gold", "aligned"], "min_score": 0.5}, "gs"),
        ({"tags": ["clean:short"]}, "n"),
        ({"without_tags": ["clean:short"]}, "gs"),
        ({"tasks": ["gloss"]}, "gns"),
    ],
)
def test_where_chooses(where: dict[str, object], expected: str) -> None:
    phase = Phase("p", 1, 1e-4, WhereSection.model_validate(where))
    assert "".join(record.id for record in choose(ALL, phase, Traits.of)) == expected


def test_tasks_choose_among_instructions() -> None:
    example = {"id": "1", "task": "gloss", "messages": [], "meta": {"source": "a", "method": "gold", "tags": ["x"]}}
    assert admits(WhereSection(tasks=("gloss",)), Traits.of_example(example))
    assert not admits(WhereSection(tasks=("translate",)), Traits.of_example(example))
    assert admits(WhereSection(tags=("x",)), Traits.of_example(example))


def test_an_empty_phase_says_what_there_is() -> None:
    phase = Phase("best", 1, 1e-4, WhereSection(methods=("synthetic",)))
    with pytest.raises(DataError, match=r"(?s)'best' \(where: methods.*methods: aligned \(2\), gold \(1\)"):
        choose(ALL, phase, Traits.of)
    with pytest.raises(DataError, match="no training records at all"):
        choose([], phase, Traits.of)


def test_settings_of_a_phase_are_filled_in() -> None:
    train = {
        "family": "masked",
        "finetune": {"epochs": 5, "learning_rate": 1e-3},
        "phases": [{"name": "noisy", "epochs": 1}, {"name": "gold", "learning_rate": 1e-4}],
    }
    config = Config.model_validate({"model": {"base": "base"}, "train": train})
    assert [(p.name, p.epochs, p.learning_rate) for p in phases(config)] == [("noisy", 1, 1e-3), ("gold", 5, 1e-4)]
    only = phases(Config())
    assert [p.name for p in only] == ["all"]
    assert only[0].epochs == Config().train.finetune.epochs
    assert not only[0].text


def test_a_language_alone_has_texts_and_no_instructions() -> None:
    def configured(**train: Any) -> Config:
        sections = {"project": {"language": "qsm"}, "model": {"base": "base"}, "train": train}
        return Config.model_validate(sections)

    assert [p.text for p in phases(configured(family="causal"))] == [True]
    assert [p.text for p in phases(configured(family="masked"))] == [False]
    with pytest.raises(ValidationError, match="there are no instructions about a language alone"):
        configured(family="causal", phases=[{"name": "all"}])


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.floats(0, 1), st.integers(0, 5))
def test_replay_takes_all_that_is_new_and_a_share_of_the_old(old: int, new: int, share: float, seed: int) -> None:
    records = [f"r{i}" for i in range(old + new)]
    made, count = with_replay(records, {f"r{i}" for i in range(old)}, share, seed, key=str)
    assert count == round(share * old) == len(made) - new
    assert set(records[old:]) <= set(made)
    assert made == sorted(made, key=records.index)
    # The same old ones, whatever else is there and in whatever order.
    again, _ = with_replay(records[::-1], {f"r{i}" for i in range(old)}, share, seed, key=str)
    assert set(again) == set(made)


def test_what_was_seen_is_noted_beside_the_model(tmp_path: Path) -> None:
    assert read_seen(tmp_path) == frozenset()
    write_seen(tmp_path, map(digest, ALL))
    assert read_seen(tmp_path) == {digest(record) for record in ALL}
    changed = NOISY.model_copy(update={"texts": {**NOISY.texts, "es": "gato"}})
    assert digest(changed) not in read_seen(tmp_path)
    message = {"id": "n", "messages": [{"role": "user", "content": "tiro"}]}
    assert len(digest(message)) == 16
