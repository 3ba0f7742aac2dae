"""BLEU, chrF, pairwise scores, intervals."""
