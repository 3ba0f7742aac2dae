"""Section ``serve``: the API and the web page."""

from __future__ import annotations

from pydantic import Field

from seshat.config.base import Section
from seshat.records import Access


class ServeSection(Section):
    """The API and the web page."""

    host: str = "127.0.0.1"
    """Address to listen on; anything but this machine itself requires an API key."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    access: Access = Access.PUBLIC
    """The least open records that a viewer may see."""
