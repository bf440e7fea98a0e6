"""Evaluate rerankers: collections, runs, measures, the ledger of scored pairs, results and their audit.

This package decides what a number means and where it comes from. It never draws tables or trains models.

The calls have the names of the commands: `run`, `compare`, `gate`, `check`, `why`, `merge`, `merge_search`,
`judge_calibrate`, `judge_export`, `judge_import`, `judge_diff`, `cite`, `cite_refine`, `cite_generate`,
`cite_compare`. `results` reads everything that the workspace holds. A call that fails raises `HarnessError` with one
line that says what to do. See docs/python.md.
"""

import warnings
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.errors import DataError, EnvironmentFailure, HarnessError, MissingExtra, ModelError, UsageError
    from harness.api import (
        LeftOutWarning,
        ResultsNotKept,
        adapt,
        check,
        cite,
        cite_compare,
        cite_generate,
        cite_refine,
        compare,
        corrected_mean,
        gate,
        judge_calibrate,
        judge_diff,
        judge_export,
        judge_import,
        merge,
        merge_search,
        results,
        run,
        why,
    )
    from harness.api.checked import CheckReport
    from harness.api.citing import CitationReport, RefinedReport
    from harness.api.citing_systems import ComparedCitations, GeneratedAnswers
    from harness.api.comparison import Comparison
    from harness.api.decision import Decision
    from harness.api.explanation import Explanation
    from harness.api.judges import JudgeReport
    from harness.api.outcome import Outcome
    from harness.judging.compare.to_label import LabelSheet
    from harness.judging.gate.policy import Policy
    from harness.labelling.imports import ImportedLabels
    from harness.measuring.statistics.corrected import CorrectedMean
    from harness.measuring.statistics.difference import Difference
    from harness.progress import Reporter
    from harness.result.adaptation.record import AdaptationRecord
    from harness.result.figure import Figure
    from reports.tables.labels import LabelComparison
    from training.adapting.config import AdaptConfig
    from training.merging.merge import Merged

__all__ = [
    "AdaptConfig",
    "AdaptationRecord",
    "CheckReport",
    "CitationReport",
    "ComparedCitations",
    "Comparison",
    "CorrectedMean",
    "DataError",
    "Decision",
    "Difference",
    "EnvironmentFailure",
    "Explanation",
    "Figure",
    "GeneratedAnswers",
    "HarnessError",
    "ImportedLabels",
    "JudgeReport",
    "LabelComparison",
    "LabelSheet",
    "LeftOutWarning",
    "Merged",
    "MissingExtra",
    "ModelError",
    "Outcome",
    "Policy",
    "RefinedReport",
    "Reporter",
    "ResultsNotKept",
    "UsageError",
    "adapt",
    "check",
    "cite",
    "cite_compare",
    "cite_generate",
    "cite_refine",
    "compare",
    "corrected_mean",
    "gate",
    "judge_calibrate",
    "judge_diff",
    "judge_export",
    "judge_import",
    "merge",
    "merge_search",
    "results",
    "run",
    "why",
]
_MODULES = {
    "AdaptConfig": "training.adapting.config",
    "AdaptationRecord": "harness.result.adaptation.record",
    "CorrectedMean": "harness.measuring.statistics.corrected",
    "JudgeReport": "harness.api.judges",
    "ImportedLabels": "harness.labelling.imports",
    "LabelComparison": "reports.tables.labels",
    "LabelSheet": "harness.judging.compare.to_label",
    "CheckReport": "harness.api.checked",
    "CitationReport": "harness.api.citing",
    "ComparedCitations": "harness.api.citing_systems",
    "GeneratedAnswers": "harness.api.citing_systems",
    "RefinedReport": "harness.api.citing",
    "Decision": "harness.api.decision",
    "Difference": "harness.measuring.statistics.difference",
    "Explanation": "harness.api.explanation",
    "Figure": "harness.result.figure",
    "HarnessError": "adapters.errors",
    "DataError": "adapters.errors",
    "EnvironmentFailure": "adapters.errors",
    "MissingExtra": "adapters.errors",
    "ModelError": "adapters.errors",
    "UsageError": "adapters.errors",
    "Merged": "training.merging.merge",
    "Policy": "harness.judging.gate.policy",
    "Reporter": "harness.progress",
}
"""The module of each name; the other names are in `harness.api`."""
_FORMER = {"compared": "compare", "gated": "gate"}


def __getattr__(name: str) -> object:
    # Lazy, so that `harness --help` and plug-ins that need one name do not import everything.
    if name in _FORMER:
        new = _FORMER[name]
        warnings.warn(f"harness.{name} is called harness.{new} now", DeprecationWarning, stacklevel=2)
        name = new
    if name in __all__:
        return getattr(_imported(_MODULES.get(name, "harness.api")), name)
    raise AttributeError(f"module 'harness' has no attribute '{name}'")


def _imported(module: str) -> ModuleType:
    """Import a module of ours. If another program's package has taken the place of one of ours, the error says so."""
    import importlib

    try:
        return importlib.import_module(module)
    except Exception as error:
        from harness.installation import problem

        wrong = problem()
        if wrong is None:
            raise
        raise ImportError(wrong) from error


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
