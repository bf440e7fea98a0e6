"""The command `harness train synthesize`."""

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
    from training.stages import Plan, Synthesis


@train.command(
    cls=Verb,
    epilog="""Examples:

    harness train synthesize --corpus ./abstracts --out queries

    harness train synthesize --corpus ./abstracts --generator ./SmolLM2-135M-Instruct --profile claim-en --out queries

    harness train synthesize --corpus miracl/sw --generator "chat:http://127.0.0.1:8000/v1?model=mine" --out queries""",
)
@with_keys(
    asked=("training.stages:Synthesis", {"generator": "generator", "documents": "documents", "floor": "floor"}),
    drawn=("training.stages:Plan", {"seed": "seed"}),
)
def synthesize(
    *,
    corpus: stage_options.Corpus,
    out: stage_options.StageFolder,
    profile: stage_options.ProfileName = None,
    asked: Synthesis,
    drawn: Plan,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Write queries for documents that have none, and count those that fit the profile.

    Only documents are read. The queries and judgments of a collection are not.
    """
    from adapters.spec import open_generator
    from harness.progress import Terminal
    from harness.scoring.session import opened
    from harness.workspace import Workspace
    from training.corpus import corpus_of
    from training.synthesis.profiles import load_profile, profile_for
    from training.synthesis.synthesize import SynthesisSettings
    from training.synthesis.synthesize import synthesize as run

    settings = SynthesisSettings(asked.documents, drawn.seed, asked.floor)
    named = load_profile(profile) if profile else None
    writer = open_generator(asked.generator)
    with opened(Workspace.open(workspace), Terminal()) as session:
        read = corpus_of(corpus, session.workspace)
        manifest = run(read, writer, named or profile_for(read.language), settings, out, session)
    if as_json:
        print_json(manifest)
    else:
        print_table(conformance_table(manifest))
        typer.echo(f"written: {out}/queries.jsonl")


def conformance_table(manifest: dict[str, Any]) -> Table:
    """Return the table of accepted and rejected queries, by reason."""
    from reports.table import Cell, Table

    counts = manifest["conformance"]
    came = counts["accepted"] + sum(counts["rejected"].values())
    rows = [("accepted", counts["accepted"]), *counts["rejected"].items(), ("never came", counts["missing"])]
    return Table(
        f"{counts['documents']:,} documents of {manifest['corpus_name']}, {manifest['generator_name']}, "
        f"profile {manifest['profile_settings']['name']}",
        ("queries", "number", "share of those written", "first example"),
        tuple(
            (Cell(name), Cell(f"{number:,}"), Cell(_share(name, number, came)), Cell(_shown(counts["examples"], name)))
            for name, number in rows
        ),
    )


def _share(name: str, number: int, came: int) -> str:
    return share(number / came) if came and name != "never came" else "-"


def _shown(examples: dict[str, str], name: str) -> str:
    return " ".join(examples.get(name, "").split())[:60]
