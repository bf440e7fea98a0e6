"""What stands in a figure, asked of the figure itself."""

from __future__ import annotations

from typing import Any


def with_gid(axis: Any, gid: str) -> list[Any]:
    return [artist for artist in axis.get_children() if artist.get_gid() == gid]


def texts(axis: Any) -> list[str]:
    return [artist.get_text() for artist in axis.texts]


def numbers(axis: Any) -> list[float]:
    """The signed figures, in the order in which they were written."""
    return [float(text.replace("−", "-")) for text in texts(axis) if text != "–"]
