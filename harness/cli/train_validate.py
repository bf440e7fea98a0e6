"""The command `harness train validate`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import typer

from adapters.errors import MissingExtra
from harness.cli import options, stage_options
from harness.cli import validation_options as own
from harness.cli.help import Verb
from harness.cli.printing import print_json, print_table
from harness.cli.train import train

if TYPE_CHECKING:
    from reports.plots.plot import Plot
    from training.validating.settings import ValidationSettings


@train.command(
    cls=Verb,
    epilog="""Examples:

    harness train validate --corpus ./abstracts --queries queries

    harness train validate --corpus ./abstracts --queries queries --real ./scifact --out validated

    harness train validate --corpus ./abstracts --queries queries --real ./scifact
    --wrong miracl/en --embedder ./all-MiniLM-L6-v2 --teacher ./teacher --student ./base --out validated""",
)
def validate(  # noqa: PLR0917
    corpus: stage_options.Corpus,
    queries: own.ValidatedQueries,
    real: own.ComparedQueries = None,
    real_split: stage_options.RealSplit = "train",
    sample_queries: own.ComparedSample = None,
    wrong: own.OtherDomain = None,
    wrong_corpus: stage_options.WrongCorpus = None,
    evaluations: own.EvaluatedOn = None,
    embedder: own.ValidationEmbedder = None,
    retrievers: own.ValidationRetrievers = None,
    profile: own.CheckedProfile = None,
    teachers: own.ValidationTeachers = None,
    student: own.ValidationStudent = None,
    max_length: stage_options.StudentLength = None,
    depth: own.ValidationDepth = 100,
    seed: own.ValidationSeed = 0,
    out: own.ValidationFolder = None,
    workers: options.WorkerCount = 1,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Compare synthetic queries with real ones, and remove those that are evaluation queries.

    With --real, every figure is shown next to its floor (real queries compared with real ones) and its scale (queries
    of another domain). Faults such as copies, another language or random words are found without it. The exit code is 1
    if the queries must not be used.
    """
    from training.validating.settings import ValidationSettings

    settings = ValidationSettings(
        real, real_split, sample_queries, wrong, wrong_corpus, tuple(evaluations or ()), embedder,
        tuple(teachers or ()), student, tuple(retrievers or ()), depth, max_length, seed=seed,
        profile=profile,
    )  # fmt: skip
    if out is not None:
        found = _validated(queries, corpus, settings, out, workspace, workers, kept=True)
        _show(found, as_json)
        _write(found, out, as_json)
    else:
        with TemporaryDirectory() as folder:
            folder_of_run = Path(folder) / "validation"
            found = _validated(queries, corpus, settings, folder_of_run, workspace, workers, kept=False)
        _show(found, as_json)
    raise typer.Exit(1 if found["decision"]["state"] == "blocked" else 0)


def _validated(  # noqa: PLR0917
    queries: Path,
    corpus: str,
    settings: ValidationSettings,
    out: Path,
    workspace: Path | None,
    workers: int,
    *,
    kept: bool,
) -> dict[str, Any]:
    from harness.api.arguments import workers_of
    from harness.progress import Terminal
    from harness.scoring.session import opened
    from harness.workspace import Workspace
    from training.corpus import corpus_of
    from training.validating.validate import read_validation
    from training.validating.validate import validate as run

    with opened(Workspace.open(workspace), Terminal(), workers_of(workers)) as session:
        run(queries, corpus_of(corpus, session.workspace), settings, out, session, kept=kept)
    return read_validation(out)


def _show(found: dict[str, Any], as_json: bool) -> None:
    from reports.validation import decision_line, leak_table, printed_tables

    if as_json:
        print_json(found)
        return
    for table in printed_tables(found):
        print_table(table)
    if (leaks := leak_table(found)) is not None:
        print_table(leaks)
    typer.echo(decision_line(found))


def _write(found: dict[str, Any], out: Path, as_json: bool) -> None:
    from reports.validation import write_page

    page = write_page(found, _plots(found, out), out)
    typer.echo(f"written: {out}/queries.jsonl, {page}", err=as_json)


def _plots(found: dict[str, Any], out: Path) -> list[Plot]:
    try:
        from reports.plots.validation import draw_validation

        return draw_validation(found, out / "plots")
    except MissingExtra as error:
        typer.echo(f"no plots: {error}", err=True)
        return []
