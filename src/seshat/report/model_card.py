"""The model card: what a model is, what it was made of, how good it is, who may use it.

It holds no sentence of the data. The front matter follows the Hugging Face Hub: https://huggingface.co/docs/hub/model-cards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seshat.config import Config
from seshat.core.records import Access
from seshat.project.manifest import Manifest
from seshat.prompt.prompt import Prompt
from seshat.report.markdown import counts_text, front_matter, table
from seshat.report.results import Evaluation
from seshat.scores import Metric
from seshat.scores.table import Score

if TYPE_CHECKING:
    from seshat.export.provenance import Provenance

METRICS: tuple[Metric, ...] = ("chrf2", "bleu", "chrf++")
"""Scores of a card beside the one that the evaluation goes by."""
_LIBRARIES = {"adapter": "peft", "gguf": "gguf", "ctranslate2": "ctranslate2"}
_PURPOSES = {
    True: "It translates the kind of text that it was trained on, sentence by sentence.",
    False: "It knows the kind of text that it was trained on, and is there to be trained further for a task.",
}
_RELATIONS = {"adapter": "adapter", "gguf": "quantized", "ctranslate2": "quantized"}


@dataclass(frozen=True)
class Facts:
    """What a card is written from."""

    config: Config
    manifest: Manifest
    """Of the export."""
    prompt: Prompt
    data: Provenance
    base_licence: str | None
    """What the base's own card says, where there is one."""
    proof: Mapping[str, Any]
    evaluation: Evaluation | None = None
    """The evaluation, when it measured this model."""

    @property
    def form(self) -> str:
        """``merged``, ``adapter``, ``gguf`` or ``ctranslate2``."""
        return str(self.manifest.form)


def model_card(facts: Facts) -> str:
    """The text of ``README.md``, deterministic."""
    parts = [
        front_matter(_header(facts)).rstrip(),
        f"# {facts.manifest.name}",
        _what(facts),
        *_access(facts),
        _use(facts),
        _data(facts),
        *_scores(facts),
        _proof(facts),
    ]
    return "\n\n".join(parts) + "\n"


def _header(facts: Facts) -> dict[str, Any]:
    manifest, project = facts.manifest, facts.config.project
    kinds = ["translation"] if manifest.directions else []
    relation = _RELATIONS.get(facts.form, "finetune")
    base = {"base_model": manifest.base.id, "base_model_relation": relation} if manifest.base else {}
    return {
        "language": list(project.tags),
        "license": "other",
        "license_name": "see-the-sources-below",
        **base,
        "pipeline_tag": manifest.kind.network.hub_task if manifest.kind.network else "translation",
        "library_name": _LIBRARIES.get(facts.form, "transformers"),
        "metrics": ["chrf", "bleu"] if manifest.directions else ["perplexity"],
        "tags": ["seshat", *kinds, "low-resource", f"access-{facts.data.least_open}"],
    }


def _what(facts: Facts) -> str:
    manifest = facts.manifest
    ways = ", ".join(manifest.directions) or (
        "none: it fills gaps" if manifest.kind.fills else "none: it goes on with texts"
    )
    lines = [
        f"A model for {manifest.languages_told}. Project: {facts.config.project.name}.",
        "",
        f"- Base: {_base(facts)}",
        f"- Family: {manifest.family}; form: {_form(manifest)}",
        f"- Directions: {ways}",
        f"- Seed: {manifest.seed}",
    ]
    return "\n".join(lines)


def _base(facts: Facts) -> str:
    base = facts.manifest.base
    if base is None:
        return "none; it was trained from scratch"
    revision = f", revision {base.revision}" if base.revision else ""
    licence = facts.base_licence or "see its own card"
    return f"{base.id}{revision} (licence: {licence}; fingerprint {base.fingerprint[:16]})"


def _form(manifest: Manifest) -> str:
    form = str(manifest.form)
    if form == "gguf":
        return f"GGUF, {(manifest.gguf or {})['type']}"
    return {
        "merged": "full weights, in the arithmetic of the base",
        "adapter": "adapter alone; it needs its base",
        "ctranslate2": "CTranslate2, weights in int8",
    }[form]


def _access(facts: Facts) -> list[str]:
    least = facts.data.least_open
    lines = [
        "## Who may use it",
        "",
        f"Access levels of the records that it was trained on: {counts_text(facts.data.access)} "
        "(public < registered < community < restricted < sealed).",
    ]
    if least is not Access.PUBLIC:
        lines += [
            "",
            f"**This model was trained on records above public: up to `{least}`.** A model can repeat what it was "
            "trained on. Whoever may not see these records may not have this model, nor what it writes, without the "
            "consent of the people whose language it is.",
        ]
    return ["\n".join(lines)]


def _use(facts: Facts) -> str:
    project, prompt = facts.config.project, facts.prompt
    lines = [
        "## What it is for",
        "",
        f"Made for: {project.purpose}. {_PURPOSES[bool(facts.manifest.directions)]} It makes mistakes with "
        "confidence: nothing that it writes should be published, or decided upon, without a speaker who has read it. "
        "It is not for medicine, law or emergencies.",
        "",
        f"Prompt object: `{prompt.hash}`. A model answers as it was taught only when it is asked as it was taught.",
    ]
    if facts.manifest.kind.instructed:
        system = [f"- System prompt: `{prompt.system}`"] if prompt.system else []
        lines += ["", *system, f"- Question: `{prompt.templates['translate']}`".replace("\n", "\\n")]
        if prompt.hints or prompt.shots:
            lines.append(
                f"- With up to {prompt.hints} lexicon entries and {prompt.shots} similar pairs before the question, "
                "looked up in `memory/`."
            )
    elif prompt.prefix or prompt.language_codes:
        codes = ", ".join(f"{tag} {code}" for tag, code in prompt.language_codes.items()) or "none"
        lines += ["", f"- Before the text: `{prompt.prefix}`; language codes: {codes}"]
    decoding = ", ".join(f"{key} {value:g}" for key, value in prompt.decoding.model_dump().items())
    lines.append(f"- Decoding: {decoding}")
    return "\n".join(lines)


def _data(facts: Facts) -> str:
    data = facts.data
    files = sorted({name for counts in data.sources.values() for name in counts})
    rows = [
        (name, *(f"{counts[file]:,}" for file in files), ", ".join(sorted(data.licences[name])))
        for name, counts in sorted(data.sources.items())
    ]
    text = (
        "## What it was trained on\n\n"
        f"{table(('source', *files, 'licence'), rows)}\n\nHow the records were made: {counts_text(data.methods)}."
    )
    if data.changed:
        text += (
            "\n\nThe training files have changed since the training: the figures above are those of today, not of then."
        )
    return text


def _scores(facts: Facts) -> list[str]:
    """The scores on the test set, with intervals, beside the floors."""
    if facts.evaluation is None:
        return []
    name = facts.manifest.exported_from
    if not facts.evaluation.directions:
        return [_surprises(facts.evaluation, name)]
    metrics = tuple(dict.fromkeys((facts.evaluation.headline, *METRICS)))
    parts = [f"## Scores on the test set ({facts.evaluation.test.segments:,} segments)"]
    for result in facts.evaluation.directions:
        rows = [
            (
                f"**{system.name}**" if system.name == name else system.name,
                *(_interval(system.scores[metric]) for metric in metrics),
                f"{system.behaviour.length_ratio:.2f}",
            )
            for system in result.systems
        ]
        parts.append(f"{result.direction}:\n\n{table(('system', *metrics, 'length'), rows)}")
        signatures = result.signatures
    used = "\n".join(f"- {metric}: `{signatures[metric]}`" for metric in metrics)
    return [*parts, f"With 95 % bootstrap intervals. Signatures of sacreBLEU:\n\n{used}"]


def _surprises(evaluation: Evaluation, name: str | None) -> str:
    """Of a language alone: how well the model expects the test texts, beside the floors."""
    parts = [f"## Measured on the test set ({evaluation.test.segments:,} texts)"]
    for found in evaluation.likelihood:
        rows = [
            (
                f"**{system.name}**" if system.name == name else system.name,
                f"{(value := system.scores['bits_per_byte']).score:.3f} ({value.low:.3f}-{value.high:.3f})",
                f"{system.perplexity:,.1f}",
            )
            for system in found.systems
        ]
        header = ("system", "bits per byte", "perplexity per token")
        parts.append(f"{found.measure}, {found.of}:\n\n{table(header, rows)}")
    return "\n\n".join([*parts, "With 95 % bootstrap intervals."])


def _interval(score: Score) -> str:
    return f"{score.score:.1f} ({score.low:.1f}-{score.high:.1f})"


def _proof(facts: Facts) -> str:
    """What the form was proved by, before it was published."""
    proof = facts.proof
    tokens = proof["tokens"]
    first = (
        f"Token ids: equal to those of the model on all {tokens['texts']:,} texts of the validation set, in every "
        f"language ({tokens['tokens']:,} tokens)."
        if tokens
        else "Token ids were not compared: llama-cpp-python was not installed."
    )
    rows: list[Sequence[object]] = []
    for row in proof["scores"]:
        for metric, difference in row["difference"].items():
            before, after = row["before"][metric], row["after"][metric]
            rows.append((row["direction"], metric, f"{before:.2f}", f"{after:.2f}", f"{difference:+.2f}"))
    segments = proof["scores"][0]["segments"] if proof["scores"] else 0
    return (
        f"## Proof of the export\n\n{first}\n\n{segments:,} segments of the validation set, before and after the "
        f"export (`proof.json`):\n\n{table(('direction', 'metric', 'before', 'after', 'difference'), rows)}"
    )
