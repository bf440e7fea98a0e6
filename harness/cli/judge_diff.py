"""The command `harness judge diff`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import label_options, options
from harness.cli.help import Verb
from harness.cli.judge import judge
from harness.cli.printing import print_json, print_tables

_VERSION = (
    "A file of judgments, a target such as ./scifact or './scifact?labels=NAME', or the name of a label version of "
    "--target."
)


@judge.command(
    "diff",
    cls=Verb,
    epilog="""Examples:

    harness judge diff ./scifact './scifact?labels=pool-1'

    harness judge diff qrels.old.txt qrels.new.txt --target ./sustainable-living""",
)
def judge_diff(  # noqa: PLR0917
    first: Annotated[str, typer.Argument(help=_VERSION)],
    second: Annotated[str, typer.Argument(help="The version to compare with the first.")],
    target: label_options.JudgmentsTarget = None,
    measure: label_options.DiffMeasure = None,
    split: options.Split = None,
    rules: options.RulesFile = None,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Compare two versions of judgments: which judgments differ, and which stored systems change places."""
    from harness import api

    found = api.judge_diff(first, second, target, measure, split, rules, workspace)
    if as_json:
        print_json(found.as_dict())
        return
    print_tables(found.tables(), ())
