"""Evaluate rerankers: collections, runs, measures, the ledger of scored pairs, results and their audit.

This package decides what a number means and where it comes from. It never draws tables or trains models.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.api import Comparison, Outcome, compared, gated, results, run

__all__ = ["Comparison", "Outcome", "compared", "gated", "results", "run"]


def __getattr__(name: str) -> object:
    # Lazy, so that `harness --help` and plug-ins that need one value do not pay for all of it.
    if name in __all__:
        from harness import api

        return getattr(api, name)
    raise AttributeError(f"module 'harness' has no attribute '{name}'")
