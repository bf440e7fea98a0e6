"""The command `harness cite ANSWERS`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.cli import options
from harness.cli.cite import AnswersFile, CiteJudge, Graded, Most, NeedJudge, PassagesFile, cite
from harness.cli.help import Verb
from harness.cli.options import _option
from harness.cli.printing import make_folder, print_answer, print_json, write_page

CompatName = Annotated[
    Literal["alce"] | None, _option("compat", "Also compute the values of ALCE's program, and the way to ours.")
]


SystemName = Annotated[
    str | None, _option("name", "The name under which the results are stored. Default: the name of the file.")
]
QuestionsName = Annotated[
    str | None, _option("questions", "The name of the set of questions in tables. Default: made of its digest.")
]


PageFolder = Annotated[
    Path | None,
    _option("out", "Write index.html, the answers with their marks as judged, and a plot into this folder."),
]


@cite.command(
    "evaluate",
    cls=Verb,
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
    name: SystemName = None,
    questions: QuestionsName = None,
    out: PageFolder = None,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Evaluate citations: recall, precision and F1 with intervals, causes and controls. The word can be left out."""
    from harness import api
    from harness.progress import Terminal

    make_folder(out)
    report = api.cite(
        answers, judge, compat, need_judge, passages, most, graded, name, questions, workspace, Terminal()
    )
    write_page(report, out)
    if as_json:
        print_json(report.as_dict())
        return
    print_answer(report)
    if out is not None:
        typer.echo(f"written: {out}/index.html")
    typer.echo(f"stored: {report.id}" if report.id else "stored: nothing, because no answer has a value")
