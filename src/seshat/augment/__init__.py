"""Ways to more training pairs: found in publications, made from the lexicon, made by models.

Nothing here knows a model: what translates or answers is handed in (see :mod:`seshat.augment.tools`).
"""
