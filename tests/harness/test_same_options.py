"""Python and the command line cannot drift apart: an option of a command is a parameter of the call, or its reason is
written here."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

import harness
from harness.cli import app
from harness.cli.cite import cite
from harness.cli.judge import judge
from harness.cli.merge import merging

PRINTS = {"as_json": "`as_dict()` of the answer gives the same"}
VIEW = {
    "columns": "a view, which `Outcome.tables` and `Comparison.tables` take",
    "names": "the same view",
}
REASONS: dict[str, dict[str, str]] = {
    "run": {
        **PRINTS,
        **VIEW,
        "plan": "`harness.api.planned` gives the plan; a run and a plan are different answers",
        "out": "`Outcome.write`",
        "mteb_results": "`Outcome.write_mteb`",
        "audit": "`Outcome.tables(audit=True)`",
        "config": "a file of options; Python has dictionaries",
        "columns": "`Outcome.tables(view)`",
        "names": "`Outcome.tables(view)`",
    },
    "compare": {**PRINTS, "columns": "`Comparison.tables(view)`", "names": "`Comparison.tables(view)`"},
    "gate": {
        **PRINTS,
        "junit": "`Decision.junit`",
        "summary": "`Decision.summary`",
        "plan": "`harness.api.planned_gate`",
    },
    "check": PRINTS,
    "why": {**PRINTS, "out": "`Explanation.write`", "queries": "`Explanation.write`"},
    "merge": {"as_json": "`Merged.report`", "paths": "`out` and `recipe`"},
    "judge_calibrate": {**PRINTS, "out": "`JudgeReport.write`"},
    "judge_export": PRINTS,
    "judge_import": PRINTS,
    "judge_diff": PRINTS,
    "cite": {**PRINTS, "out": "`CitationReport.write`"},
    "cite_refine": PRINTS,
    "cite_generate": PRINTS,
    "cite_compare": PRINTS,
}
"""Options of a command that are no parameter of the call, and where their answer is."""
ONLY_PYTHON = {"reporter": "a command prints its progress", "out": "`paths`", "recipe": "`paths`"}


def command(verb: str) -> Callable[..., None]:
    groups = (app, judge, cite, merging)
    commands = [one for group in groups for one in group.registered_commands]
    names = {verb, {"cite": "cite_evaluate"}.get(verb, verb)}
    (found,) = [one.callback for one in commands if one.callback and one.callback.__name__ in names]
    return found


def parameters(call: Callable[..., object]) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(call).parameters)


@pytest.mark.parametrize("verb", REASONS)
def test_every_option_of_a_command_is_a_parameter_or_has_a_reason(verb: str) -> None:
    options, arguments = parameters(command(verb)), parameters(getattr(harness, verb))
    assert {name for name in options if name not in arguments} == set(REASONS[verb])


@pytest.mark.parametrize("verb", REASONS)
def test_every_parameter_of_a_call_is_an_option(verb: str) -> None:
    options, arguments = parameters(command(verb)), parameters(getattr(harness, verb))
    assert {name for name in arguments if name not in options} <= set(ONLY_PYTHON)


@pytest.mark.parametrize("verb", REASONS)
def test_what_is_left_out_means_the_same(verb: str) -> None:
    options, arguments = parameters(command(verb)), parameters(getattr(harness, verb))
    shared = [name for name, one in arguments.items() if name in options and one.default is not inspect.Parameter.empty]
    assert {name: options[name].default for name in shared} == {name: arguments[name].default for name in shared}


def test_every_place_that_a_reason_names_is_there() -> None:
    named = [word for own in REASONS.values() for reason in own.values() for word in reason.split("`")[1::2]]
    for path in (word.partition("(")[0].removeprefix("harness.") for word in named if "." in word):
        found: object = harness
        for part in path.split("."):
            if (found, part) == (harness.Merged, "report"):
                break
            found = getattr(found, part)
