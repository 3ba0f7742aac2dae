"""Interlinear glosses: segmentation and one gloss per morpheme, in the project's own labels, on a CPU.

:mod:`~seshat.models.glossing.sentences` says what is read, :mod:`~seshat.models.glossing.tagger` labels morphemes by
what stands around them, :mod:`~seshat.models.glossing.stems` finds the meaning of stems (with the translation of the
sentence, where there is one), :mod:`~seshat.models.glossing.segmenter` cuts words that nobody has cut,
:mod:`~seshat.models.glossing.glosser` puts them together, beside the look-up that it has to beat.
"""
