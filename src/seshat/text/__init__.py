"""Text of any script: words and graphemes, normalisation, the word-translation model."""
