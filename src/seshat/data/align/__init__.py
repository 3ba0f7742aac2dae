"""Parallel documents to beads, without any pretrained model.

``anchors`` pins the two sides together, ``length`` and ``lexical`` score beads, ``dynamic`` finds the best path and
the posterior of every bead, ``aligner`` puts them together over all documents of a project, ``review`` lets people
correct the result. The modules import numpy: import them inside the function that needs them.
"""
