# %% [markdown]
# # A masked model goes on with its pretraining on the texts
#
# 15 % of the tokens are hidden, and the model learns to fill them. Look at the data first: `01_data_exploration.py`.
# `SESHAT_PROJECT` names the project (without it Tamil), `SESHAT_SET` more settings: `model.download=true` fetches the
# base once, `model.base=FOLDER` takes any small model of yours.

# %%
import json
import os

import seshat

settings = os.environ.get("SESHAT_SET", "").split()
project = seshat.open(os.environ.get("SESHAT_PROJECT", "projects/tamil"), ["masked"], settings)
print(f"{project.config.project.name}: {project.config.train.name}, in {project.root}")

# %% [markdown]
# ## From the files to the report
# Killed or stopped, it goes on where it was.

# %%
for outcome in project.run():
    print(f"{outcome.stage:10} {outcome.state:8} {outcome.seconds:6.1f} s")

# %% [markdown]
# ## The learning curve
# The loss on validation, which the model does not learn from. If it rises while the other falls, it learns by heart.

# %%
model = project.root / "models" / project.config.train.name
rows = [json.loads(line) for line in (model / "log.jsonl").read_text(encoding="utf-8").splitlines()]
curve = [(row["step"], row["eval_loss"]) for row in rows if "eval_loss" in row]
highest = max(loss for _, loss in curve)
for step, loss in curve:
    print(f"step {step:>6}  {'█' * round(50 * loss / highest):50} {loss:.3f}")

# %% [markdown]
# ## Does it know the language better than before?
# Bits per byte of test texts, which can be compared between models: fewer are better. Beside it the base as it was, and
# how often each token stands in the training texts, which knows nothing of what is around it.

# %%
report = json.loads((project.root / "reports" / "evaluation.json").read_text(encoding="utf-8"))
for table in report["likelihood"]:
    for row in table["systems"]:
        bits = row["bits_per_byte"]
        print(f"{table['measure']:12} {row['name']:28} {bits:.3f} bits a byte, perplexity {row['perplexity']:,.1f}")

# %% [markdown]
# ## Which word is hidden?
# With the model's own mask. `evaluate.blanks` takes sentences of yours.

# %%
for sample in report["fill"]["samples"][:8]:
    print(f"{sample['before']}[{sample['word'] or '___'}]{sample['after']}")
    for system in sample["systems"]:
        offers = ", ".join(f"{one['word']} {100 * one['probability']:.0f} %" for one in system["offers"])
        print(f"    {system['name']}: {offers}")

# %% [markdown]
# The same with intervals, and as a page: `reports/evaluation.html`.
#
# Next, a model that writes: `03_gemma.py`.
