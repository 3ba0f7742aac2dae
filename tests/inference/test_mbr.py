"""Consensus decoding: the choices of the plain loop, candidates from several sources, and a time budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from seshat.config import Direction
from seshat.config.mbr import MbrSection
from seshat.core.errors import UsageError
from seshat.inference.budget import Budget, Measurement, fit, parse_duration
from seshat.inference.mbr import Consensus, rank, sources, utility_of
from seshat.inference.translator import Candidate, Hypothesis, Translator
from seshat.prompt.request import Request, requests
from seshat.scores.utility import WEIGHTS, Utility

WAY = Direction("xx", "en")
CHRF_PP, SENTENCE_BLEU = CHRF(word_order=2), BLEU(effective_order=True)


def _plain(texts: Sequence[str], score: Callable[[str, str], float]) -> tuple[int, float]:
    """The double loop, as one would write it."""
    means = [sum(score(one, other) for other in texts) / len(texts) for one in texts]
    best = max(range(len(texts)), key=lambda place: means[place])
    return best, means[best] / 100


def _chrf(one: str, other: str) -> float:
    return float(CHRF_PP.sentence_score(one, [other]).score)


def _bleu(one: str, other: str) -> float:
    return float(SENTENCE_BLEU.sentence_score(one, [other]).score)


def _mixture(one: str, other: str) -> float:
    first, second = set(one.split()), set(other.split())
    either = first | second
    sizes = len(one.strip()), len(other.strip())
    weights = WEIGHTS["mixture"]
    total = weights["chrf"] * _chrf(one, other) + weights["bleu"] * _bleu(one, other)
    total += weights["jaccard"] * (100 * len(first & second) / len(either) if either else 0.0)
    total += weights["length"] * (100 * min(sizes) / max(sizes) if max(sizes) else 0.0)
    return total / sum(weights.values())


WORDS = st.sampled_from(["la", "casa", "grande,", "(de)", "«Ñuñoa»", "a", "aaaa", "río.", "𒀀𒀭", "...", "é", "é", "12"])
TEXTS = st.one_of(st.lists(WORDS, max_size=9).map(" ".join), st.text(max_size=12))


@pytest.mark.parametrize("name", ["chrf++", "bleu", "mixture"])
@settings(deadline=None, max_examples=120)
@given(candidates=st.lists(TEXTS, min_size=1, max_size=7))
def test_choices_are_those_of_the_double_loop_over_sacrebleu(name: str, candidates: list[str]) -> None:
    score = {"chrf++": _chrf, "bleu": _bleu, "mixture": _mixture}[name]
    places, means = rank(candidates, utility_of(MbrSection.model_validate({"utility": name})))
    assert places[0] == _plain(candidates, score)[0]
    assert means[0] == pytest.approx(_plain(candidates, score)[1], abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(texts=st.lists(TEXTS, min_size=1, max_size=6, unique=True))
def test_every_pair_has_the_very_number_of_sacrebleu(texts: list[str]) -> None:
    assert Utility({"chrf": 1}).pairwise(texts).tolist() == [[_chrf(one, other) for other in texts] for one in texts]
    assert Utility({"bleu": 1}).pairwise(texts).tolist() == [[_bleu(one, other) for other in texts] for one in texts]


def test_many_different_characters_do_not_collide() -> None:
    texts = ["".join(chr(0x4E00 + 7 * n * k % 19_000) for n in range(3_000)) for k in (1, 3, 5)]
    texts.append(texts[0][:2_000] + texts[1][1_000:])
    assert Utility({"chrf": 1}).pairwise(texts).tolist() == [[_chrf(one, other) for other in texts] for one in texts]


class _Beams(Translator):
    """Gives the text, and variants of it, as a beam would."""

    name, direction = "beams", WAY

    def __init__(self, clock: list[float] | None = None, first: float = 0.0, further: float = 0.0) -> None:
        self.asked: list[int] = []
        self.texts: Counter[int] = Counter()
        self._clock = clock or [0.0]
        self._costs = first, further

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        texts, n_best = [one.text for one in requests], max(one.n_best for one in requests)
        self.asked.append(n_best)
        self.texts[n_best] += len(texts)
        self._clock[0] += sum(len(text) + 1 for text in texts) * (self._costs[0] + self._costs[1] * (n_best - 1))
        out = []
        for text in texts:
            found = [Candidate(f"{text} {'x' * (n > 0) * n}".strip(), -float(n)) for n in range(n_best)]
            out.append(Hypothesis(found[0].text, 0.0, tuple(found) if n_best > 1 else ()))
        return out


class _Sampling(_Beams):
    """Also samples: one good translation most of the time."""

    name, samples = "sampling", True

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[tuple[int, float, int]] = []

    def sample(
        self, requests: Sequence[Request], count: int, *, temperature: float, top_p: float = 1.0, seed: int
    ) -> list[list[Candidate]]:
        assert top_p == 0.9
        self.drawn.append((count, temperature, seed))
        return [[Candidate(f"{one.text} all agree", -5.0)] * count for one in requests]


def test_candidates_come_from_beams_temperatures_and_models_and_counts_weigh() -> None:
    sampling, beams = _Sampling(), _Beams()
    settings = MbrSection(candidates=21, n_best=2, temperatures=(0.6, 1.0), top_p=0.9)
    translator = Consensus([sampling, beams], settings, seed=3)
    found = translator.translate(requests(["uno dos", " ", "tres"], n_best=3))
    assert sampling.asked == [2]
    assert sampling.drawn == [(5, 0.6, 3), (4, 1.0, 4)]
    assert beams.asked == [10]
    assert [one.text for one in found] == ["uno dos all agree", "", "tres all agree"]
    assert found[0].score == -5.0
    assert found[0].alternatives[0].text == found[0].text
    assert len({one.text for one in found[0].alternatives}) == 3
    assert 0.4 < (found[0].agreement or 0) < 1
    assert found[1].agreement is None


class _Fixed(Translator):
    """A beam with these scores."""

    name, direction = "fixed", WAY

    def __init__(self, scores: dict[str, float]) -> None:
        self.found = tuple(Candidate(text, score) for text, score in scores.items())

    def translate(self, requests: Sequence[Request]) -> list[Hypothesis]:
        texts, n_best = [one.text for one in requests], max(one.n_best for one in requests)
        return [Hypothesis(self.found[0].text, self.found[0].score, self.found[1:n_best])] * len(texts)


def test_candidates_of_a_beam_count_by_their_scores() -> None:
    beam = _Fixed({"a dog barks": 0.0, "the cat sat": -3.0, "the cat sits": -3.1, "the cats sit": -3.2})
    chosen = {scale: Consensus([beam], MbrSection(scale=scale)).translate(requests(["x"]))[0] for scale in (0.0, 1.0)}
    assert chosen[0.0].text == "the cat sits"
    assert chosen[1.0].text == "a dog barks"
    assert (chosen[1.0].agreement or 0) > (chosen[0.0].agreement or 0)


def test_one_candidate_is_the_translation_itself() -> None:
    translator = Consensus([_Sampling(), _Beams()], MbrSection(candidates=1))
    assert translator.translate(requests(["uno"])) == [Hypothesis("uno", 0.0)]


def test_further_models_must_give_the_same_language() -> None:
    found = sources(MbrSection(models=("other", "sister@yy-en")), WAY)
    assert found == [("other", WAY), ("sister", Direction("yy", "en"))]
    with pytest.raises(UsageError, match="sister@yy-fr does not translate into en"):
        sources(MbrSection(models=("sister@yy-fr",)), WAY)


@pytest.mark.parametrize(
    ("text", "seconds"), [("9h", 32_400), ("1h30m", 5_400), ("45min", 2_700), ("1.5 h", 5_400), ("90s", 90), ("7", 7)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "9x", "-3h", "0s", "1h30", "h"])
def test_what_is_no_duration_says_how_one_is_written(text: str) -> None:
    with pytest.raises(UsageError, match="no duration"):
        parse_duration(text)


def test_fit_by_hand() -> None:
    # 1 s for the first candidate, 0.5 s for each further one.
    measured = [Measurement(10, 1, 10.0), Measurement(10, 9, 50.0)]
    assert fit(1_000, 100, measured, 32) == 17  # 9 s each: 1 + 16 * 0.5
    assert fit(100_000, 100, measured, 32) == 32
    assert fit(10, 100, measured, 32) == 1
    assert fit(1_000, 100, [], 32) == 1
    assert fit(1_000, 100, [*measured, *[Measurement(10, 9, 100.0)] * 3], 32) < 9  # twice as slow now


@settings(deadline=None, max_examples=30)
@given(
    lengths=st.lists(st.integers(5, 80), min_size=30, max_size=60),
    first=st.floats(0.001, 1),
    dearer=st.floats(0, 1.5),
    spare=st.floats(1.3, 60),
)
def test_a_budget_is_never_overrun_and_not_wasted(
    lengths: list[int], first: float, dearer: float, spare: float
) -> None:
    clock, further = [0.0], first * dearer
    texts = ["a" * length for length in lengths]
    size = sum(length + 1 for length in lengths)
    seconds = size * first * spare
    beams = _Beams(clock, first, further)
    translator = Consensus([beams], MbrSection(candidates=16), budget=Budget(seconds, lambda: clock[0]))
    translator.expect(requests(texts))
    found = [
        one for start in range(0, len(texts), 8) for one in translator.translate(requests(texts[start : start + 8]))
    ]
    assert [one.text[: len(text)] for one, text in zip(found, texts, strict=True)] == texts
    assert clock[0] <= seconds
    if seconds > 1.5 * size * (first + 15 * further):
        assert beams.texts[16] >= 0.6 * len(texts)
