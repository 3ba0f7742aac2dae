"""The statistical family: phrase-based translation on Thot, with what low-resource text needs around it."""
