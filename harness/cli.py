"""The front door. Each verb loads the rooms that it needs when it is called, so that help answers at once."""

from __future__ import annotations

import json
import os
import shlex
import sys
import traceback
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from adapters.errors import HarnessError, UsageError
from harness import options

app = typer.Typer(
    name="harness",
    help="A place where a reranker's number can be trusted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DEMO_RERANKERS = ("packaged:english-cross-encoder", "packaged:multilingual-e5-small")


@app.command(
    epilog="""Examples:

    harness run ./scifact --first-stage bm25 --reranker BAAI/bge-reranker-v2-m3

    harness run ./xquad --language th --reranker ./checkpoint-1000 --reranker run:scores.trec --depth 50

    harness run trec-qa.jsonl --first-stage given --reranker onnx:./model --measure AP@1000 --measure RR@10"""
)
def run(  # noqa: PLR0917
    targets: options.Targets = None,
    first_stage: options.FirstStage = None,
    rerankers: options.Rerankers = None,
    depth: options.Depth = 100,
    measures: options.Measures = None,
    languages: options.Languages = None,
    split: options.Split = None,
    sample_queries: options.SampleQueries = None,
    budget_pairs: options.BudgetPairs = None,
    plan: options.OnlyPlan = False,
    rules: options.RulesFile = None,
    source: options.SourceName = "auto",
    mirror: options.Mirror = None,
    allow_drift: options.AllowDrift = False,
    out: options.Out = None,
    mteb_results: options.MtebResults = None,
    audit: options.Audit = False,
    config: options.Config = None,  # noqa: ARG001
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Evaluate a first stage and rerankers, and print what can be trusted of it.

    A model is named by a spec: [kind:]model[@revision][?option=value&...], where model is a hub name or a folder. Pairs
    that were ever scored are never scored again; a killed run goes on where it was.
    """
    from harness import api
    from harness.progress import Terminal
    from harness.sources.origin import Origin

    common: dict[str, Any] = {
        "first_stage": first_stage, "rerankers": rerankers or (), "depth": depth, "languages": languages or (),
        "split": split, "sample": sample_queries, "budget": budget_pairs, "workspace": workspace,
        "origin": Origin(source, mirror, allow_drift),
    }  # fmt: skip
    if plan:
        from reports.planning import planning_table

        _printed(planning_table(api.planned(*(targets or ()), **common)), as_json)
        return
    _make(out)
    outcome = api.run(*(targets or ()), **common, measures=measures or (), rules=rules, reporter=Terminal())
    _shown(outcome, out, audit=audit, as_json=as_json)
    if mteb_results is not None:
        from reports.mteb_results import write_mteb_results

        for file in write_mteb_results(mteb_results, outcome.evaluations):
            typer.echo(f"written: {file}", err=as_json)


@app.command(epilog="Example:\n\n    harness demo --out report")
def demo(
    out: options.Out = None,
    audit: options.Audit = False,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Run the embedded multilingual sample with BM25 and two small packaged rerankers (extra: demo).

    The sample is small and made for this project. It shows what the harness tells; it is not a benchmark.
    """
    from harness import api
    from harness.progress import Terminal

    _make(out)
    outcome = api.run(
        "demo", first_stage="bm25", rerankers=DEMO_RERANKERS, depth=10, workspace=workspace, reporter=Terminal()
    )
    _shown(outcome, out, audit=audit, as_json=as_json)


@app.command(
    epilog="""Examples:

    harness fetch beir/scifact miracl/sw --mirror ./mirror --model Qwen/Qwen3-Embedding-0.6B

    harness fetch beir --mirror ./mirror --source beir --dry-run"""
)
def fetch(  # noqa: PLR0917
    targets: options.SuiteTargets = None,
    mirror: options.MirrorToFill = None,
    model: options.Models = None,
    source: options.SourceName = "auto",
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Bring suites and models into a mirror folder, for machines without a network. Sizes are told first; what was
    brought is not brought again, and what broke off goes on where it was."""
    from harness.mirror.fetch import run_fetch
    from harness.progress import Terminal
    from reports.fetched import fetched_table

    found = run_fetch(targets or (), model or (), mirror, source, Terminal(), dry_run=dry_run)
    _printed(fetched_table(found), as_json)


@app.command("list", epilog="Examples:\n\n    harness list\n\n    harness list adapters --json")
def list_(
    what: Annotated[str, typer.Argument(help="results, collections, systems or adapters.")] = "results",
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """List what the workspace holds, or which kinds of adapters there are."""
    from reports.stored import listing

    _printed(listing(what, _existing(workspace)), as_json)


@app.command(epilog="Example:\n\n    harness show 3fa9c1")
def show(
    id: Annotated[str, typer.Argument(help="An id that a table, a list or a run file names; its first digits do.")],
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Show one evaluation: its values, what made them, its audit and the command that ran it."""
    from reports.stored import details

    found = details(id, _existing(workspace))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    from reports.stored import outline

    typer.echo(outline({key: value for key, value in found.items() if key != "per_query"}))


@app.command(epilog="Example:\n\n    harness doctor --json")
def doctor(  # noqa: PLR0917
    targets: options.SuiteTargets = None,
    sources: options.CompareSources = False,
    full: options.Full = False,
    mirror: options.Mirror = None,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Check this installation and the workspace: packages, extras, stores, room on the disk."""
    from harness.doctor import examine
    from harness.workspace import Workspace

    if sources:
        _compared(targets or [], mirror, workspace, as_json)
        return
    findings = examine(Workspace(_path(workspace)), full=full)
    if as_json:
        typer.echo(json.dumps([finding.as_dict() for finding in findings], indent=1))
    else:
        for finding in findings:
            typer.echo(f"{finding.state:<8} {finding.subject}: {finding.detail}")
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(HarnessError.exit_code)


def _compared(targets: list[str], mirror: Path | None, workspace: Path | None, as_json: bool) -> None:
    from harness.sources.agreement import compare_sources
    from harness.sources.origin import Origin
    from harness.workspace import Workspace
    from reports.agreement import agreement_table

    if not targets:
        raise UsageError("name a collection of a suite, as in: harness doctor beir/scifact --sources")
    opened = Workspace.open(workspace)
    found = [one for target in targets for one in compare_sources(target, Origin("auto", mirror), opened)]
    _printed(agreement_table(found), as_json)
    if any(one.state == "other" for one in found):
        raise typer.Exit(HarnessError.exit_code)


_STOPPED = "stopped; run the same command again and it goes on where it was"


def main() -> None:
    """Run the command line. Errors that are meant for people are one line; anything else is a defect of ours."""
    warnings.showwarning = _warn
    sys.path.append(str(Path.cwd()))  # so that a plug-in in the current folder can be named as module:Class
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except HarnessError as error:
        _complain(str(error), error.exit_code)
    except TyperException as error:
        if len(sys.argv) == 1:  # the message is the whole help
            typer.echo(error.format_message(), err=True)
            sys.exit(UsageError.exit_code)
        _complain(error.format_message(), UsageError.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _complain(_STOPPED, 130)
    except BrokenPipeError:
        os._exit(0)
    except SystemExit as left:
        if isinstance(left.__context__, BrokenPipeError):  # typer's code for it, 1, means a regression here
            os._exit(0)
        raise
    except OSError as error:
        _complain(f"{error}; what was finished is kept, run the same command again", HarnessError.exit_code)
    except Exception:
        traceback.print_exc()
        _complain("this is a defect of rerank-harness; please report the lines above", HarnessError.exit_code)
    else:
        if code == 130:  # typer's answer to Ctrl-C
            _complain(_STOPPED, 130)
        sys.exit(code if isinstance(code, int) else 0)


def _make(out: Path | None) -> None:
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--out {out}: no folder can be made there ({error.strerror})") from None


def _shown(outcome: Any, out: Path | None, *, audit: bool, as_json: bool) -> None:
    from harness.export import as_dict
    from leaderboards.anchors import anchors, anchors_table
    from reports import comparison

    if out is not None:
        outcome.write(out, shlex.join(["harness", *sys.argv[1:]]))
    if as_json:
        typer.echo(json.dumps(as_dict(outcome.evaluations), ensure_ascii=False, indent=1, allow_nan=False))
        return
    tables = comparison.comparison_tables(outcome.evaluations)
    if published := anchors(outcome.evaluations):
        tables.append(anchors_table(published))
    if audit:
        tables += [comparison.audit_table(outcome.evaluations), comparison.controls_table(outcome.evaluations)]
    for table in tables:
        _print_table(table)
    for alarm in comparison.alarms(outcome.evaluations):
        typer.echo(f"ALARM {alarm}")
    if out is not None:
        typer.echo(f"written: {out}/report.md")


def _printed(table: Any, as_json: bool) -> None:
    if as_json:
        rows = [dict(zip(table.columns, (cell.text for cell in row), strict=True)) for row in table.rows]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        _print_table(table)


def _print_table(table: Any) -> None:
    from rich.console import Console

    from reports.tables import terminal

    # A table that is cut to a narrow pipe loses digits, so only a terminal decides the width.
    Console(width=None if sys.stdout.isatty() else 400, highlight=False).print(terminal(table))


def _path(workspace: Path | None) -> Path:
    from harness.workspace import DEFAULT

    return workspace or Path(DEFAULT)


def _existing(workspace: Path | None) -> Path:
    path = _path(workspace)
    if path.exists() and not path.is_dir():
        raise UsageError(f"the workspace '{path}' is a file; name a folder with --workspace")
    return path


def _warn(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    typer.echo(f"harness: {category.__name__}: {message}", err=True)


def _complain(message: str, code: int) -> None:
    typer.echo(f"harness: {' '.join(message.splitlines())} (exit {code})", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
