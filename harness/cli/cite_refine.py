"""The command `harness cite refine`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.cli import options
from harness.cli.cite import AnswersFile, CiteJudge, Graded, Most, NeedJudge, PassagesFile, cite
from harness.cli.help import Verb
from harness.cli.options import _option
from harness.cli.printing import print_answer, print_json

RefinedFile = Annotated[Path, _option("out", "The file to write: the rows of ANSWERS with other marks.")]
OnlyStep = Annotated[
    Literal["complete", "remove"] | None, _option("only", "Only add citations, or only remove them. Default: both.")
]
Documents = Annotated[
    int,
    _option(
        "documents", "Choose from this number of documents, the first ones and those that the answer cites.", min=1
    ),
]


@cite.command(
    "refine",
    cls=Verb,
    epilog="""Examples:

    harness cite refine answers.jsonl --judge nli:./model --out refined.jsonl

    harness cite refine answers.jsonl --judge lexical --only remove --out refined.jsonl""",
)
def cite_refine(  # noqa: PLR0917
    answers: AnswersFile,
    judge: CiteJudge,
    out: RefinedFile,
    only: OnlyStep = None,
    need_judge: NeedJudge = None,
    passages: PassagesFile = None,
    documents: Documents = 10,
    most: Most = 3,
    graded: Graded = False,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Complete missing citations and remove irrelevant ones. The text of the answers stays as it is.

    Evaluate the result with another judge: by the judge that refined them, the citations are as good as they can be.
    """
    from harness import api
    from harness.progress import Terminal

    report = api.cite_refine(
        answers, judge, out, only, need_judge, passages, documents, most, graded, workspace=workspace,
        reporter=Terminal(),
    )  # fmt: skip
    if as_json:
        print_json(report.as_dict())
        return
    print_answer(report)
    typer.echo(f"written: {out}")
