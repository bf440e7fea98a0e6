"""The options that measure robustness."""

from __future__ import annotations

from typing import Annotated

from harness.cli.options import _option

Perturbations = Annotated[
    list[str] | None,
    _option(
        "robustness",
        "Also measure rerankers under attacks and changes: all, attacks, invariances, or a name such as stuffing or "
        "typos. Default: none. Repeatable.",
    ),
]
PerturbedQueries = Annotated[
    int, _option("robustness-queries", "Perturb at most this number of queries of each collection.", min=1)
]
