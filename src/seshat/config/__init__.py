"""The configuration of a project: its schema, reading it, and writing a commented one.

``base`` holds what sections are built from, one module per stage holds its section, ``schema`` puts them
together, ``load`` reads files, profiles and overrides, ``render`` writes the commented file and the JSON schema.
"""

from seshat.config.project import Direction
from seshat.config.schema import Config

__all__ = ["Config", "Direction"]
