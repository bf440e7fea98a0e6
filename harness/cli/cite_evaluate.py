"""The command `harness cite ANSWERS`."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import typer

from harness.cli import options
from harness.cli.cite import AnswersFile, CiteJudge, Graded, Most, NeedJudge, PassagesFile, cite
from harness.cli.options import _option
from harness.cli.printing import print_answer

CompatName = Annotated[
    Literal["alce"] | None, _option("compat", "Also compute the values of ALCE's program, and the way to ours.")
]


@cite.command(
    "evaluate",
    epilog="""Examples:

    harness cite answers.jsonl --judge nli:./model

    harness cite asqa-result.json --judge 'reranker:./model?calibration=calibration-1.json' --compat alce""",
)
def cite_evaluate(  # noqa: PLR0917
    answers: AnswersFile,
    judge: CiteJudge,
    compat: CompatName = None,
    need_judge: NeedJudge = None,
    passages: PassagesFile = None,
    most: Most = 3,
    graded: Graded = False,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Evaluate citations: recall, precision and F1 with intervals, causes and controls. The word can be left out."""
    from harness import api
    from harness.progress import Terminal

    report = api.cite(
        answers, judge, compat, need_judge, passages, most, graded, workspace=workspace, reporter=Terminal()
    )
    if as_json:
        typer.echo(json.dumps(report.as_dict(), ensure_ascii=False, indent=1, allow_nan=False))
        return
    print_answer(report)
