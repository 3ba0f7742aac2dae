# %% [markdown]
# # A language project, from its data to its translator
#
# This notebook uses nothing but `import seshat`. It is plain Python with cells (`# %%`): VS Code and JupyterLab with
# Jupytext open it as a notebook. `SESHAT_PROJECT` names the project; without it, it is the sample.

# %%
import os
from collections import Counter

import seshat

project = seshat.open(os.environ.get("SESHAT_PROJECT", "projects/sample"))
language, pivot = project.config.project.language, project.config.project.pivot
print(f"{project.config.project.name}: {' and '.join(project.directions)}, in {project.root}")

# %% [markdown]
# ## Bring it up to date
# As `seshat run` does: only what changed since the last run is done.

# %%
for outcome in project.run(until="train"):
    print(f"{outcome.stage:10} {outcome.state:8} {outcome.seconds:6.1f} s")

# %% [markdown]
# ## The data
# What stands in the files, by source and by set; `access` says who may use it, and nothing above the level of the run
# is read here.

# %%
for name in ("train", "validation", "test", "monolingual"):
    records = list(project.read(name))
    sources = Counter(record.meta.source for record in records)
    print(f"{name:12} {len(records):6,}  {dict(sources.most_common(5))}")

# %% [markdown]
# How long are sentences, and how much longer is one side? A median ratio far from the others' points to columns that
# hold something else.

# %%
train = project.read("train").to_pandas()
lengths = train[[f"text.{language}", f"text.{pivot}"]].map(len)
print(lengths.describe().round(1))
print(
    "characters of",
    pivot,
    "for each of",
    language,
    (lengths.iloc[:, 1] / lengths.iloc[:, 0]).describe().round(2),
    sep="\n",
)

# %% [markdown]
# Which letters does the language use, and which stand there once or twice? The rare ones are often slips.

# %%
letters = Counter("".join(train[f"text.{language}"]))
print("most frequent:", letters.most_common(15))
print("rare:", [(letter, f"U+{ord(letter):04X}", count) for letter, count in letters.most_common()[:-16:-1]])

# %% [markdown]
# ## The translator
# On sentences that it has not seen, beside what people wrote.

# %%
test = list(project.read("test"))[:200]
with project.load(f"{language}-{pivot}") as translator:
    translations = translator.translate([segment.texts[language] for segment in test], n_best=3)
references = [segment.texts[pivot] for segment in test]
for translation, reference in list(zip(translations, references, strict=True))[:5]:
    print(translation.source, translation, reference, sep="\n  ", end="\n\n")

# %%
scores = seshat.evaluate([str(translation) for translation in translations], references)
for name in ("chrf2", "bleu"):
    print(name, scores[name], scores[name].signature)

# %% [markdown]
# A score says little by itself: `reports/evaluation.html` (`seshat run`) shows it beside what costs nothing.
