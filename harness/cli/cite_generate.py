"""The command `harness cite generate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.cite import FewQueries, GeneratorSpec, Top, cite
from harness.cli.help import Verb
from harness.cli.options import _option
from harness.cli.printing import print_answer, print_json

AnswersOut = Annotated[Path, _option("out", "The file of answers to write.")]


@cite.command(
    "generate",
    cls=Verb,
    epilog="""Examples:

    harness cite generate BAAI/bge-reranker-v2-m3 --generator ./Qwen3-4B --collection scifact --out answers.jsonl

    harness cite generate bm25 --generator 'chat:http://localhost:8000/v1?model=qwen' --out answers.jsonl""",
)
def cite_generate(  # noqa: PLR0917
    system: Annotated[str, typer.Argument(help=options.SYSTEM)],
    generator: GeneratorSpec,
    out: AnswersOut,
    top: Top = 5,
    queries: FewQueries = None,
    collections: options.Collections = None,
    first_stage: options.OnlyFirstStage = None,
    depth: options.OnlyDepth = None,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Answer the queries of a collection with a generator, from the passages that a stored system ranks first."""
    from harness import api
    from harness.progress import Terminal

    made = api.cite_generate(
        system, generator, out, top, queries, collections, first_stage, depth, workspace, Terminal()
    )
    if as_json:
        print_json(made.as_dict())
        return
    print_answer(made)
    typer.echo(f"written: {out}")
