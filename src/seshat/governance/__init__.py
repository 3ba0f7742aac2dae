"""Whose data it is: which models a record is in, taking it back, and whether a model gives away what it must not."""
