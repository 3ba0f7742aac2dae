"""A corpus: measures of documents, limits fitted from trusted text, duplicates, and what is drawn."""
