"""The words of the record of an adaptation: each list stands here once, in the order in which it is shown."""

from __future__ import annotations

from typing import Literal, get_args

FILE = "record.json"
VERSION = 2
"""Version 1 had one p-value of every claim, after Holm."""
MACRO = "macro average"
"""The collection of a score that is the macro average over all collections of a tier; only where there are several."""
BASE = "base"
"""The arm that the others are compared with."""
FIRST_STAGE, TEACHER, ANCHOR = "first stage", "teacher", "anchor"
"""The arms of scores that are no checkpoints. Several teachers are numbered; the anchor has scores only where it is not
the base."""
UNKNOWN = "unknown"
"""What a licence is called that nobody stated."""

State = Literal["running", "accepted", "refused", "inconclusive", "invalid"]
Stage = Literal[
    "stage-1", "synthesize", "clean", "mine", "teach", "validate", "teacher", "fit", "integrity", "merge", "dev",
    "gate", "final",
]  # fmt: skip
EventState = Literal["done", "known", "refused", "pass", "inconclusive", "invalid"]
Tier = Literal["dev", "source", "gate", "final"]
Kind = Literal["base", "stage-1", "single", "given", "union", "linear", "slerp", "greedy", "curve"]
Validity = Literal["usable", "warned", "blocked"]
"""What the validation of a task's queries found."""

STAGES: tuple[Stage, ...] = get_args(Stage)
TIERS: tuple[Tier, ...] = get_args(Tier)
KINDS: tuple[Kind, ...] = get_args(Kind)
MERGED: tuple[Kind, ...] = ("linear", "slerp", "greedy")
"""Merges of all checkpoints; those of a curve are between two."""


def teacher_arms(teachers: int) -> tuple[str, ...]:
    """What the teachers are called among the arms, in their order."""
    return (TEACHER,) if teachers == 1 else tuple(f"{TEACHER} {place + 1}" for place in range(teachers))
