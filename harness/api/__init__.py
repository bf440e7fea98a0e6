"""The Python interface: one call for each command.

There is a module for each group of calls and one for each value that they return. Only this package and the command
line import the packages above `harness`, inside the functions that need them.
"""

from harness.api.checkpoints import adapt, merge, merge_search
from harness.api.citing import CitationReport, RefinedReport, cite, cite_refine
from harness.api.citing_systems import ComparedCitations, GeneratedAnswers, cite_compare, cite_generate
from harness.api.comparison import Comparison
from harness.api.judges import JudgeReport, corrected_mean, judge_calibrate
from harness.api.judging import compare, gate, planned_gate, why
from harness.api.labelling import judge_diff, judge_export, judge_import
from harness.api.measuring import check, planned, run
from harness.api.outcome import Outcome, ResultsNotKept
from harness.api.stored import LeftOutWarning, results
from harness.api.targets import collections_of, first_stage_of

__all__ = [
    "CitationReport",
    "ComparedCitations",
    "Comparison",
    "GeneratedAnswers",
    "JudgeReport",
    "LeftOutWarning",
    "Outcome",
    "RefinedReport",
    "ResultsNotKept",
    "adapt",
    "check",
    "cite",
    "cite_compare",
    "cite_generate",
    "cite_refine",
    "collections_of",
    "compare",
    "corrected_mean",
    "first_stage_of",
    "gate",
    "judge_calibrate",
    "judge_diff",
    "judge_export",
    "judge_import",
    "merge",
    "merge_search",
    "planned",
    "planned_gate",
    "results",
    "run",
    "why",
]
