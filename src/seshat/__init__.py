"""Seshat: from a folder of materials in a low-resource language to a measured translator."""

__version__ = "0.1.0"
