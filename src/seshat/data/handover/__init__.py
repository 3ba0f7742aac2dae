"""Hands the instruction data over to axolotl, LLaMA-Factory or MLX-LM: a dataset and a configuration, ready to run.

Names of settings were checked against the sources of the projects (axolotl ``utils/schemas``, LLaMA-Factory
``hparams`` and ``data/converter.py``, MLX-LM ``lora.py`` and ``tuner``, 2025); a test keeps to those names. The
configurations train on the answers alone and take the chat template of the base, or the one of the prompt object, as
Seshat's own training does.
"""

from seshat.data.handover.write import TOOLS, Tool, run

__all__ = ["TOOLS", "Tool", "run"]
