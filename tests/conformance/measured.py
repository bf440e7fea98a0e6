"""The scores of a published family by the harness, compared with its reference in every way that a batch is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adapters.models import ModelFolder
from adapters.protocols import Floats, StreamingReranker
from adapters.spec import open_ranker
from tests.conformance import published_embedders, shapes
from tests.conformance.published import Published
from tests.conformance.shapes import DOCUMENTS, PAIRS, QUERIES

SIDES = ("left", "right")
BATCH = {"batch_tokens": 100_000}


def of_reranker(case: Published, folder: Path, sides: Sequence[str] = SIDES, every: int = 1) -> dict[str, Any]:
    """Build a folder and compare its scores with the reference: padded on both sides, cut and whole, in batches and
    alone.

    Args:
        folder: the new folder.
        sides: on which its tokenizer pads, for each length in turn if there is one for each.
        every: pair that is also scored alone.

    Returns:
        `largest`: the largest difference; `differences`: by padding, length and batch; `cut`: pairs that are cut at
        each length; `spread`: of the reference, over the pairs.
    """
    case.build(folder)
    lengths = case.lengths(folder)

    def compared() -> Iterator[tuple[str, int, Floats, Any]]:
        for length in lengths:
            expected = case.reference(folder, length)
            for side in sides:
                _pad(folder, side)
                yield side, length, expected, open_ranker(_spec(case, folder, length))

    return _differences(compared(), every)


def of_embedder(family: str, folder: Path, every: int = 1) -> dict[str, Any]:
    """The same for a family of embedders; differences are relative to the largest similarity, at least 1."""
    published_embedders.build(folder, family)
    whole = 1024 if published_embedders.USES[family][2] == "lasttoken" else 128

    def compared() -> Iterator[tuple[str, int, Floats, Any]]:
        for length in (whole, 40):
            expected = published_embedders.reference(folder, family, length)
            for side in SIDES:
                _pad(folder, side)
                spec = published_embedders.spec(folder, family, max_length=length, **BATCH)
                yield side, length, expected, open_ranker(spec)

    return _differences(compared(), every, relative=True)


def _differences(
    compared: Iterator[tuple[str, int, Floats, Any]], every: int, *, relative: bool = False
) -> dict[str, Any]:
    found: dict[str, float] = {}
    cut: dict[str, int] = {}
    spread = 0.0
    for side, length, expected, reranker in compared:
        size = max(1.0, float(np.abs(expected).max())) if relative else 1.0
        spread = max(spread, float(np.ptp(expected)))
        together, alone, cut[str(length)] = _scores(reranker, every)
        where = f"padded {side}, {length} tokens"
        found[f"{where}, in batches"] = _largest(together, expected) / size
        if alone is not None:
            found[f"{where}, alone"] = _largest(alone, expected[::every]) / size
    return {"largest": max(found.values()), "differences": found, "cut": cut, "spread": spread}


def _spec(case: Published, folder: Path, length: int) -> str:
    """The spec with large batches; a model of lists takes neither batches nor lengths."""
    return case.spec(folder) if case.lists else case.spec(folder, max_length=length, **BATCH)


def _pad(folder: Path, side: str) -> None:
    """Set the side in the settings of the tokenizer, which an adapter has from its base."""
    shapes.edit(ModelFolder("model", folder).tokenizer.path / "tokenizer_config.json", padding_side=side)


def _scores(reranker: Any, every: int) -> tuple[Floats, Floats | None, int]:
    """Scores of all pairs together and of some alone, and how many documents are cut; for a model of lists the places
    in its orders."""
    if not isinstance(reranker, StreamingReranker):
        orders = [reranker.order(query, DOCUMENTS) for query in QUERIES]
        return np.concatenate([np.argsort(order).astype(np.float32) for order in orders]), None, 0
    together = np.zeros(len(PAIRS), np.float32)
    cut = 0
    for part in reranker.stream(QUERIES, DOCUMENTS, PAIRS):
        together[part.rows] = part.scores
        cut += int((part.kept < part.tokens).sum())
    alone = [reranker.score([QUERIES[q]], [DOCUMENTS[d]], np.array([[0, 0]]))[0] for q, d in PAIRS[::every].tolist()]
    return together, np.array(alone, np.float32), cut


def _largest(one: Floats, other: Floats) -> float:
    return float(np.abs(one.astype(np.float64) - other).max())
