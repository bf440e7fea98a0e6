"""Pairs of a premise and a claim: their names in messages, and their texts without repeats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adapters.protocols import Integers

_SHOWN = 60
"""Characters of a text in a message."""


def named(premise: str, claim: str) -> str:
    """The beginnings of both texts, as a message names a pair."""
    return f"the claim {claim[:_SHOWN]!r} and the premise {premise[:_SHOWN]!r}"


def distinct(texts: Sequence[str]) -> tuple[list[str], Integers]:
    """The different texts in the order in which they first occur, and the place of every text among them, int64
    [texts]."""
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return list(places), np.array([places[text] for text in texts], np.int64).reshape(-1)
