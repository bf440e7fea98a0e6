"""The words of the record of an adaptation: the allowed values of its fields, in the order in which they are shown."""

from __future__ import annotations

from typing import Literal, get_args

FILE = "record.json"
VERSION = 2
"""Version 1 had one p-value for every claim, corrected by Holm's method."""
MACRO = "macro average"
"""The collection of a score that is the macro average over the collections of a tier, if it has several."""
BASE = "base"
"""The arm that the others are compared with."""
FIRST_STAGE, TEACHER, ANCHOR = "first stage", "teacher", "anchor"
"""The arms of scores that are not checkpoints. Several teachers are numbered. The anchor has scores only if it is not
the base."""
UNKNOWN = "unknown"
"""The name of a licence that is not stated."""

State = Literal["running", "accepted", "refused", "inconclusive", "invalid"]
Stage = Literal[
    "stage-1", "synthesize", "clean", "mine", "teach", "validate", "teacher", "fit", "integrity", "merge", "dev",
    "gate", "final",
]  # fmt: skip
EventState = Literal["done", "known", "refused", "pass", "inconclusive", "invalid"]
Tier = Literal["dev", "source", "gate", "final"]
Kind = Literal[
    "base", "stage-1", "single", "given", "union", "bag", "linear", "slerp", "greedy", "bagged", "curve",
]  # fmt: skip
Validity = Literal["usable", "warned", "blocked"]
"""The result of validating a task's queries."""

STAGES: tuple[Stage, ...] = get_args(Stage)
TIERS: tuple[Tier, ...] = get_args(Tier)
KINDS: tuple[Kind, ...] = get_args(Kind)
MERGED: tuple[Kind, ...] = ("linear", "slerp", "greedy", "bagged")
"""Merges of all singles, or of all bags. Merges on a curve are between two."""


def teacher_arms(teachers: int) -> tuple[str, ...]:
    """Return the names of the teachers among the arms, in their order."""
    return (TEACHER,) if teachers == 1 else tuple(f"{TEACHER} {place + 1}" for place in range(teachers))
