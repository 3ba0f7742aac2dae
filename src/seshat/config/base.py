"""What every section of ``seshat.yaml`` is built from."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
"""A language tag (BCP 47), such as ``shp``, ``es`` or ``pt-BR``."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A part of a whole, 0 to 1."""


class Section(BaseModel):
    """A section of the configuration: frozen, unknown keys refused, every field described.

    The description of a field becomes the comment that ``seshat config init`` writes and the help that editors
    show, so it is written for the person who edits the file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True)
