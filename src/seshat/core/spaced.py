"""Some of many, evenly spaced: the same ones every time, from the beginning to the end, none picked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def evenly(items: Sequence[T], most: int) -> list[T]:
    """At most ``most`` of the items, evenly spaced and in their order; all of them where there are fewer."""
    count = min(most, len(items))
    return [items[number * len(items) // count] for number in range(count)]
