"""The command `harness cite compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.cite import CiteJudge, FewQueries, Graded, Most, NeedJudge, PassagesFile, Top, cite
from harness.cli.help import Verb
from harness.cli.options import _option
from harness.cli.printing import print_answer, print_json

ComparedFiles = Annotated[
    list[Path] | None,
    typer.Argument(help="Two or more files of answers to the same questions; the first is the baseline."),
]
ComparedRerankers = Annotated[
    list[str] | None,
    _option(
        "reranker", "A stored system whose passages the generator answers from. Repeatable; the first is the baseline."
    ),
]
AnswerGenerator = Annotated[
    str | None,
    _option("generator", "With --reranker: a language model that answers: a folder, a hub name or chat:URL."),
]
GeneratedFolder = Annotated[Path | None, _option("out", "The folder for the answers that are generated.")]


@cite.command(
    "compare",
    cls=Verb,
    epilog="""Examples:

    harness cite compare before.jsonl after.jsonl --judge nli:./model

    harness cite compare --reranker ./one --reranker ./two --generator ./Qwen3-4B --judge nli:./model --out answers""",
)
def cite_compare(
    answers: ComparedFiles = None,
    *,
    judge: CiteJudge,
    rerankers: ComparedRerankers = None,
    generator: AnswerGenerator = None,
    out: GeneratedFolder = None,
    top: Top = 5,
    queries: FewQueries = None,
    collections: options.Collections = None,
    first_stage: options.OnlyFirstStage = None,
    depth: options.OnlyDepth = None,
    need_judge: NeedJudge = None,
    passages: PassagesFile = None,
    most: Most = 3,
    graded: Graded = False,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Compare the citations of answers, or of the rerankers that their passages come from, question by question."""
    from harness import api
    from harness.progress import Terminal

    found = api.cite_compare(
        answers, judge, rerankers, generator, out, top, queries, collections, first_stage, depth, need_judge,
        passages, most, graded, workspace, Terminal(),
    )  # fmt: skip
    if as_json:
        print_json(found.as_dict())
        return
    print_answer(found)
