"""Instruction data for the causal family: questions of several kinds, mixed from one corpus and lexicon.

``tasks`` makes questions of segments, ``dictionary`` of the lexicon, ``inflection`` of glossed words; ``mixture`` says
how many of each are taken; ``context`` and ``guard`` know the sentences before a text and those of the test set;
``write`` puts it all into ``data/training/messages``.
"""
