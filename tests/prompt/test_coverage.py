"""Examples that show a text together, beside the nearest ones."""

from __future__ import annotations

import random

from seshat.prompt.coverage import Examples, features, tokens
from seshat.text.similar import TrigramIndex

WORDS = [a + b for a in ("ka", "to", "mi", "ru", "se") for b in ("ra", "lo", "ni", "bu", "pek", "dash")]


def pairs(count: int, seed: int = 3) -> list[tuple[str, str]]:
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        chosen = rng.choices(WORDS, weights=[1 / (n + 1) for n in range(len(WORDS))], k=5)
        made.append((" ".join(chosen), " ".join(word.upper() for word in chosen)))
    return made


def shown(text: str, chosen: list[tuple[str, str]]) -> float:
    wanted = features(text)
    return len(wanted & {one for source, _ in chosen for one in features(source)}) / len(wanted)


def test_more_of_a_text_is_shown_than_by_the_nearest_within_the_same_budget() -> None:
    known = pairs(400)
    examples, index = Examples(known), TrigramIndex([source for source, _ in known])
    texts = [source for source, _ in pairs(40, seed=9)]
    ours = nearest = 0.0
    for text in texts:
        budget, kept, left = 60, [], 60
        for place, _ in index.neighbours(text, 50):
            cost = tokens(*known[place])
            if known[place][0] != text and cost <= left:
                kept.append(known[place])
                left -= cost
        chosen = examples.choose(text, budget)
        assert sum(tokens(*pair) for pair in chosen) <= budget
        ours += shown(text, chosen)
        nearest += shown(text, kept)
    assert ours > 1.02 * nearest


def test_the_text_itself_is_no_example_and_nothing_shows_what_nobody_wrote() -> None:
    examples = Examples([("kara tolo", "A B"), ("Kara  tolo", "A B"), ("tolo mini", "B C")])
    assert examples.choose("kara tolo", 100) == [("tolo mini", "B C")]
    assert examples.choose("zzz", 100) == []
    assert examples.choose("mini", 1) == []
