"""The command `harness judge export`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import label_options, options
from harness.cli.help import Verb
from harness.cli.judge import judge as judge_commands
from harness.cli.printing import print_json


@judge_commands.command(
    "export",
    cls=Verb,
    epilog="Example:\n\n    harness judge export ./checkpoint-900 ./checkpoint-1000 --first 60 --out to-label",
)
def judge_export(  # noqa: PLR0917
    a: Annotated[str, typer.Argument(help=options.SYSTEM)],
    b: Annotated[str, typer.Argument(help="The system to compare with A.")],
    out: label_options.LabelFolder,
    first: label_options.FirstLabels = None,
    measure: label_options.OneNdcg = None,
    collections: options.Collections = None,
    first_stage: options.OnlyFirstStage = None,
    depth: options.OnlyDepth = None,
    judge: label_options.LabellingJudge = None,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Write the unjudged documents of two systems' top k as CSV and as a page for labelling.

    The documents that can move the difference most are chosen first, and then shuffled. Names of systems and ranks are
    not written. `harness judge import` reads what was labelled. With --judge the column of grades is filled.
    """
    from harness import api

    found = api.judge_export(
        a,
        b,
        out,
        first,
        measure,
        collections,
        first_stage,
        depth,
        judge,
        workspace,
    )
    if as_json:
        files = [str(out / "to-label.csv"), str(out / "to-label.html")]
        counts = {"documents": len(found.items), "unjudged": found.unjudged, "grades": found.grades, "files": files}
        counts |= (
            {"labels_above_0": sum(grade > 0 for grade in found.labels), "remarks": found.remarks} if judge else {}
        )
        print_json(counts)
        return
    grades = ", ".join(map(str, found.grades))
    typer.echo(f"{len(found.items):,} of {found.unjudged:,} unjudged documents; grades: {grades}")
    if judge is not None:
        relevant = sum(grade > 0 for grade in found.labels)
        typer.echo(f"{judge} labels {relevant:,} of them as relevant; import them with --by judge:NAME")
    for remark in found.remarks:
        typer.echo(remark, err=True)
    typer.echo(f"written: {out}/to-label.csv and {out}/to-label.html")
