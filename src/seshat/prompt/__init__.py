"""How a model is asked: the prompt, similar pairs, the sentences before."""
