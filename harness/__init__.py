"""Evaluate rerankers: collections, runs, measures, the ledger of scored pairs, results and their audit.

This package decides what a number means and where it comes from. It never draws tables or trains models.
"""

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.errors import HarnessError
    from harness.api import Comparison, Outcome, adapt, compare, gate, results, run
    from harness.judging.gate.policy import Policy

__all__ = ["Comparison", "HarnessError", "Outcome", "Policy", "adapt", "compare", "gate", "results", "run"]
_ELSEWHERE = {"HarnessError": "adapters.errors", "Policy": "harness.judging.gate.policy"}
_FORMER = {"compared": "compare", "gated": "gate"}


def __getattr__(name: str) -> object:
    # Lazy, so that `harness --help` and plug-ins that need one value do not pay for all of it.
    import importlib

    if name in _FORMER:
        new = _FORMER[name]
        warnings.warn(f"harness.{name} is called harness.{new} now", DeprecationWarning, stacklevel=2)
        name = new
    if name in __all__:
        return getattr(importlib.import_module(_ELSEWHERE.get(name, "harness.api")), name)
    raise AttributeError(f"module 'harness' has no attribute '{name}'")
