"""Judges that fail in the ways that judges fail."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from adapters.protocols import Prompt

Values = npt.NDArray[np.float32]


class Sometimes:
    """Supports a claim if the premise has it, and gives no number for claims with `NaN`."""

    name, grades = "sometimes", None

    @property
    def identity(self) -> dict[str, object]:
        return {"judge": type(self).__name__}

    def judge(self, premises: Sequence[str], claims: Sequence[str]) -> Values:
        return np.array([self.value(*pair) for pair in zip(premises, claims, strict=True)], np.float32)

    def value(self, premise: str, claim: str) -> float:
        return float("nan") if "NaN" in claim else float(claim.rstrip(".") in premise)


class Silent(Sometimes):
    """Gives no number."""

    def value(self, premise: str, claim: str) -> float:
        return float("nan")


class Hesitant(Sometimes):
    """A judge of need that says no, gives no number for statements with `maybe`, and has a remark."""

    name, remarks = "hesitant", ("hesitant was fitted on news",)

    def value(self, premise: str, claim: str) -> float:
        return float("nan") if "maybe" in claim else 0.0


class Willing(Hesitant):
    """As `Hesitant`, but says yes."""

    def value(self, premise: str, claim: str) -> float:
        return 1.0 - super().value(premise, claim)


class Late(Sometimes):
    """Does not answer in time."""

    def value(self, premise: str, claim: str) -> float:
        raise TimeoutError("no answer within 60 seconds")


class Worded(Sometimes):
    """Has a text in the place of an identity."""

    identity = "version 1"  # type: ignore[assignment]


class Counting(Sometimes):
    """Counts the pairs that it was asked for, and how often it was opened."""

    pairs = opened = 0

    def __init__(self) -> None:
        Counting.opened += 1

    def value(self, premise: str, claim: str) -> float:
        Counting.pairs += 1
        return super().value(premise, claim)


class Quoting:
    """A generator that answers with the first passage and cites it."""

    name = "quoting"

    @property
    def identity(self) -> dict[str, object]:
        return {"generator": "quoting"}

    def generate(self, prompts: Sequence[Prompt]) -> list[str]:
        return [f"{prompt.document.splitlines()[0].rstrip('.')} [1]." for prompt in prompts]
