"""Ways to more training pairs: found in publications, made from the lexicon, made by models; and the pairs to doubt."""
