# %% [markdown]
# # A language project, looked at: what is in the data, and what is odd in them
#
# This notebook uses nothing but `import seshat`. It is plain Python with cells (`# %%`): VS Code and JupyterLab with
# Jupytext open it as a notebook. `SESHAT_PROJECT` names the project; without it, it is the sample. It fits every
# project, with translations or of a language alone.

# %%
import json
import os
import unicodedata
from collections import Counter

import seshat

project = seshat.open(os.environ.get("SESHAT_PROJECT", "projects/sample"))
language, pivot = project.config.project.language, project.config.project.pivot
languages = [language, pivot] if pivot else [language]
print(f"{project.config.project.name}: {' and '.join(project.directions) or 'a language alone'}, in {project.root}")


def bars(shares, unit):
    """A chart of text: a bar a line, the longest 40 signs."""
    most = max(shares.values(), default=0) or 1
    for label, value in shares.items():
        print(f"{label!s:>14} {'█' * round(40 * value / most):40} {value:,g} {unit}")


# %% [markdown]
# ## Bring it up to date
# As `seshat run` does: only what changed since the last run is done. A language alone stops before its training, which
# notebook 02 is about.

# %%
for outcome in project.run(until="train" if pivot else "format"):
    print(f"{outcome.stage:10} {outcome.state:8} {outcome.seconds:6.1f} s")

# %% [markdown]
# ## The data
# What stands in the files, by source and by set; `access` says who may use it, and nothing above the level of the run
# is read here.

# %%
records = {name: list(project.read(name)) for name in ("train", "validation", "test", "monolingual")}
for name, found in records.items():
    print(f"{name:12} {len(found):6,}  {dict(Counter(record.meta.source for record in found).most_common(5))}")
train = records["train"]

# %% [markdown]
# ## An example of each task
# What a model is asked, and what it should answer: instructions where the project writes some (the causal family),
# else a pair, or a text.

# %%
messages = project.root / "data" / "training" / "messages" / "train.jsonl"
if messages.exists():
    shown = {}
    for line in messages.read_text(encoding="utf-8").splitlines():
        example = json.loads(line)
        shown.setdefault(example.get("meta", {}).get("task", "translation"), example["messages"])
    for task, said in shown.items():
        print(f"[{task}]", *(f"{one['role']}: {one['content']}" for one in said), sep="\n  ", end="\n\n")
elif train:
    print(*(f"{tag}: {text}" for tag, text in train[0].texts.items()), sep="\n")

# %% [markdown]
# ## How long are the texts?

# %%
for tag in languages:
    lengths = [len(record.texts[tag]) for record in train if tag in record.texts]
    step = max(10, max(lengths, default=0) // 10)
    counted = Counter(length // step * step for length in lengths)
    print(f"characters of a text in {tag}")
    bars({f"{start}-{start + step - 1}": counted[start] for start in sorted(counted)}, "texts")

# %% [markdown]
# ## Letters
# Which letters does the language use, and which stand there once or twice? The rare ones are often slips.

# %%
letters = Counter("".join(record.texts.get(language, "") for record in train))
bars(dict(letters.most_common(12)), "times")
print("rare:", [(letter, f"U+{ord(letter):04X}", count) for letter, count in letters.most_common()[:-16:-1]])

# %% [markdown]
# ## Slips of encoding
# Signs that stand for what could not be read, invisible ones, letters taken apart, letters of other scripts in a word.

# %%
slips = Counter()
places = {}
for record in (one for found in records.values() for one in found):
    for text in record.texts.values():
        kinds = {
            "cannot be read (U+FFFD)": "\ufffd" in text,
            "invisible or unassigned signs": any(unicodedata.category(sign) in ("Cc", "Co", "Cn") for sign in text),
            "not in the form NFC": not unicodedata.is_normalized("NFC", text),
            "read as Latin-1 (Ã, â€)": "Ã" in text or "â€" in text,
        }
        for kind in (kind for kind, found in kinds.items() if found):
            slips[kind] += 1
            places.setdefault(kind, record.id)
print({kind: (count, f"first: {places[kind]}") for kind, count in slips.items()} or "none")

# %% [markdown]
# ## Pairs that may not belong together
# How much longer is one side? What lies far from the others points to columns that hold something else, or to an
# alignment that has slipped; equal sides were never translated. `seshat check` and `seshat audit` look closer.

# %%
if pivot:
    pairs = [one for one in train if all(one.texts.get(tag) for tag in languages)]
    ratios = sorted((len(one.texts[pivot]) / len(one.texts[language]), one.id) for one in pairs)
    print(f"characters of {pivot} for each of {language}: median {ratios[len(ratios) // 2][0]:.2f}")
    bars(dict(sorted(Counter(f"{round(ratio * 2) / 2:.1f}" for ratio, _ in ratios).items())), "pairs")
    print("shortest:", ratios[:3], "longest:", ratios[-3:], sep="\n  ")
    print("equal sides:", sum(one.texts[pivot] == one.texts[language] for one in pairs))
    print("aligned with doubt:", sum(one.meta.score is not None and one.meta.score < 0.5 for one in pairs))

# %% [markdown]
# ## Sample translations
# Sentences that the model has not seen, beside what people wrote.

# %%
if pivot:
    test = records["test"][:200]
    with project.load(f"{language}-{pivot}") as translator:
        translations = translator.translate([segment.texts[language] for segment in test], n_best=3)
    references = [segment.texts[pivot] for segment in test]
    for translation, reference in list(zip(translations, references, strict=True))[:5]:
        print(translation.source, translation, reference, sep="\n  ", end="\n\n")
    scores = seshat.evaluate([str(translation) for translation in translations], references)
    for name in ("chrf2", "bleu"):
        print(name, scores[name], scores[name].signature)

# %% [markdown]
# A score says little by itself: `reports/evaluation.html` (`seshat run`) shows it beside what costs nothing.
#
# Next, for a language alone: `02_masked_pretraining.py`.
