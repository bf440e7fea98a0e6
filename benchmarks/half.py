"""Half precision in the benchmarks: where it is measured, and whether documents keep their order."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import harness
from adapters.precision_probe import resolve
from adapters.processor import instruction_set

FORMATS = ("float32", "bfloat16", "auto")
NO_AMX = "not measured: this processor has no AMX"
NOT_JUDGED = "not measured: name a judged target of at least 1,190 questions with --judged"
TOP = 10


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of half precision to a benchmark."""
    parser.add_argument(
        "--dtype", choices=FORMATS, default="float32", help="number format of ours; the peer is float32"
    )
    parser.add_argument("--judged", help="a target with judgments, for the test that the model stays the same")
    parser.add_argument("--any-processor", action="store_true", help="measure half precision without AMX too")


def skipped(dtype: str, *, anyway: bool) -> dict[str, object] | None:
    """What the result says where half precision is not measured; None where it is."""
    if dtype == "float32" or anyway or "amx_bf16" in instruction_set().split("+"):
        return None
    return {"dtype": dtype, "processor": instruction_set(), "result": NO_AMX}


def format_of(model: str, dtype: str) -> tuple[str, str]:
    """The number format that an option becomes, and how `auto` was decided."""
    if dtype != "auto":
        return dtype, dtype
    found = resolve(f"{model}?device=cpu", None)
    return found.dtype, str(found)


def same_tops(ours: np.ndarray, peer: np.ndarray) -> float:
    """The share of queries with the same set of ten best documents.

    Args:
        ours, peer: scores, float [queries, documents].
    """
    tops = (np.sort(np.argsort(-scores, axis=1, kind="stable")[:, :TOP], axis=1) for scores in (ours, peer))
    first, second = tops
    return float((first == second).all(axis=1).mean())


def same_model(model: str, dtype: str, judged: str | None) -> str:
    """The answer of `harness check --dtype` on a judged target, with its figures."""
    if dtype == "float32":
        return "the same number format"
    if judged is None:
        return NOT_JUDGED
    with tempfile.TemporaryDirectory() as workspace:
        found = harness.check(model, judged, dtype=dtype, pairs=1, workspace=Path(workspace))  # type: ignore[arg-type]
    return found.trial("same model").detail
