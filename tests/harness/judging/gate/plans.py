"""Collections as a plan of blocks takes them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.judging.gate.blocks import Blocks, plan
from harness.measuring.statistics.design import Design, Floats64, Questions


def questions(name: str, size: int, drawn_from: str | None = None) -> Questions:
    """Questions of a collection; with equal ids in every one of a set."""
    return Questions(drawn_from or name, tuple(f"q{place}" for place in range(size)))


def planned(sizes: Sequence[int], weights: Sequence[float] | Floats64 | None = None) -> Blocks:
    """The plan for collections that are sets of their own."""
    return plan(Design(tuple(questions(f"c{place}", size) for place, size in enumerate(sizes)), weights))


def parallel(languages: int, size: int) -> Blocks:
    """The plan for one set whose questions are asked in all languages."""
    return plan(Design(tuple(questions(f"l{place}", size, "set") for place in range(languages))))
