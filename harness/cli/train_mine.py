"""The command `harness train mine`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from harness.cli import options, stage_options
from harness.cli.help import Verb
from harness.cli.keys import with_keys
from harness.cli.printing import print_json, print_table
from harness.cli.train import train
from harness.numbers import share

if TYPE_CHECKING:
    from reports.table import Table
    from training.stages import Mining


@train.command(
    cls=Verb,
    epilog="""Examples:

    harness train mine --corpus ./abstracts --queries queries --out pool

    harness train mine --corpus ./abstracts --queries queries --retriever bm25 --retriever ./MiniLM --out pool

    harness train mine --corpus ./faq/de --queries ./faq/de --queries-split train --sample-queries 500 --out pool""",
)
@with_keys(mining=("training.stages:Mining", {"retriever": "retrievers", "depth": "depth"}))
def mine(
    *,
    corpus: stage_options.Corpus,
    queries: stage_options.AskedQueries,
    out: stage_options.StageFolder,
    queries_split: stage_options.AskedSplit = None,
    sample_queries: stage_options.AskedSample = None,
    mining: Mining,
    workers: options.WorkerCount = 1,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Collect for each query the candidates of several first stages, and its source document.

    Nothing is scored or left out here. train teach scores the pool and draws the examples from it.
    """
    from harness.api.arguments import workers_of
    from harness.progress import Terminal
    from harness.scoring.session import opened
    from harness.workspace import Workspace
    from training.corpus import corpus_of
    from training.mining.mine import mine as run
    from training.mining.questions import AskedQuestions, asked_by

    questions = AskedQuestions(queries, queries_split, sample_queries)
    with opened(Workspace.open(workspace), Terminal(), workers_of(workers)) as session:
        read = corpus_of(corpus, session.workspace)
        asked = asked_by(questions, read, session.workspace)
        manifest = run(read, corpus, asked, mining.retrievers, mining.depth, out, session)
    if as_json:
        print_json(manifest)
    else:
        print_table(pool_table(manifest))
        typer.echo(f"written: {out}/pool.npz")


def _about_sources(manifest: dict[str, Any]) -> str:
    if not manifest["sources"]:
        return "the queries were not written from documents, so none has a source"
    return f"{manifest['sources_added']:,} source documents were not found by any retriever, and were added"


def pool_table(manifest: dict[str, Any]) -> Table:
    """Return the table of what each retriever found, and at which rank it found the source documents."""
    from reports.table import Cell, Table

    depth = manifest["depth"]
    found = {"source first": "source_first", "source in 10": "source_in_10", f"source in {depth}": "source_found"}
    if depth < 10:
        del found["source in 10"]
    rows = [
        (
            Cell(one["retriever"]), Cell(f"{one['pairs']:,}"), Cell(f"{one['only_here']:,}"),
            *(Cell(share(one[name]) if manifest["sources"] else "-") for name in found.values()),
        )
        for one in manifest["contributions"]
    ]  # fmt: skip
    return Table(
        f"{manifest['pairs']:,} pairs: {manifest['asked']:,} queries, documents of {manifest['corpus_name']}",
        ("retriever", "pairs", "no other found", *found),
        tuple(rows),
        (_about_sources(manifest),),
    )
