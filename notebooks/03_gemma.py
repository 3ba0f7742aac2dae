# %% [markdown]
# # Gemma 3 goes on with its pretraining on the texts, and writes
#
# Adapters on a base in 4 bits (QLoRA), texts packed. That needs a GPU: `seshat plan --profile causal` says beforehand
# what fits. Where no base in 4 bits runs, `model.quantization=none` trains adapters on one in 16 bits, and with
# `train.lora.enabled=false` the whole model. `SESHAT_PROJECT` names the project (without it Tamil), `SESHAT_SET` more
# settings: `model.download=true` fetches the base, `model.base=FOLDER` takes any small causal model of yours.

# %%
import json
import os

import seshat

settings = os.environ.get("SESHAT_SET", "").split()
project = seshat.open(os.environ.get("SESHAT_PROJECT", "projects/tamil"), ["causal"], settings)
print(f"{project.config.project.name}: {project.config.train.name}, in {project.root}")

# %% [markdown]
# ## From the files to the report

# %%
for outcome in project.run():
    print(f"{outcome.stage:10} {outcome.state:8} {outcome.seconds:6.1f} s")

# %% [markdown]
# ## Does it know the language better than before?
# Bits per byte of test texts: fewer are better. Beside it the base as it was, and runs of bytes counted in the same
# training texts: a model of billions of weights that is no better than these has learned nothing.

# %%
report = json.loads((project.root / "reports" / "evaluation.json").read_text(encoding="utf-8"))
for table in report["likelihood"]:
    for row in table["systems"]:
        score = row["scores"]["bits_per_byte"]
        print(f"{row['name']:28} {row['bits_per_byte']:.3f} bits a byte ({score['low']:.3f} to {score['high']:.3f})")

# %% [markdown]
# ## How does it go on?
# What it finds likeliest to follow the beginnings of test texts, and of your sentences (`evaluate.blanks`).

# %%
for sample in report["continued"][:8]:
    print(sample["before"])
    for system in sample["systems"]:
        print(f"    {system['name']}: {system['text']}")
    if sample["after"]:
        print(f"    (the text: {sample['after']})")

# %% [markdown]
# `seshat export gguf --profile causal` writes it for llama.cpp and Ollama, and proves that it reads there as it does
# here.
#
# Back to the data, for what the model does not know: `01_data_exploration.py`.
