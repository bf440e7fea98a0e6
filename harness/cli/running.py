"""The commands `harness run`, `harness demo` and `harness fetch`."""

from __future__ import annotations

from typing import Any

import typer

from harness.cli import dtype_options, options, robustness_options
from harness.cli.app import MEASURE, WORKSPACE
from harness.cli.printing import make_folder, print_rows, show_outcome, shown_first, workspace_path
from harness.cli.verb import verb

DEMO_RERANKERS = ("packaged:english-cross-encoder", "packaged:multilingual-e5-small")


@verb(
    MEASURE,
    epilog="""Examples:

    harness run ./scifact --first-stage bm25 --reranker BAAI/bge-reranker-v2-m3

    harness run ./xquad --language th --reranker ./checkpoint-1000 --reranker run:scores.trec --depth 50

    harness run ./scifact --first-stage bm25 --reranker ./checkpoint --robustness stuffing --robustness typos

    harness run trec-qa.jsonl --first-stage given --reranker onnx:./model --measure AP@1000 --measure RR@10""",
)
def run(  # noqa: PLR0917
    targets: options.Targets = None,
    first_stage: options.FirstStage = None,
    rerankers: options.Rerankers = None,
    depth: options.Depth = 100,
    measures: options.Measures = None,
    languages: options.TargetLanguages = None,
    parallel: options.Parallel = None,
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
    columns: options.TableColumns = None,
    names: options.NamesFile = None,
    audit: options.Audit = False,
    skip_probe: options.SkipProbe = False,
    robustness: robustness_options.Perturbations = None,
    robustness_queries: robustness_options.PerturbedQueries = 300,
    dtype: dtype_options.RunDtype = None,
    workers: options.WorkerCount = 1,
    config: options.Config = None,  # noqa: ARG001
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Evaluate a first stage and rerankers, and print their values with intervals and alarms.

    A model is named by a spec: [kind:]model[@revision][?option=value&...], where model is a hub name or a folder. Pairs
    that were scored before are not scored again. To continue a killed run, run the same command again.
    """
    from harness import api
    from harness.api.targets import FIRST_STAGE
    from harness.progress import Terminal
    from harness.scoring.retrieve import GIVEN
    from reports.view import view_of

    common: dict[str, Any] = {
        "first_stage": first_stage, "rerankers": rerankers, "depth": depth, "languages": languages, "split": split,
        "sample_queries": sample_queries, "budget_pairs": budget_pairs, "source": source, "mirror": mirror,
        "allow_drift": allow_drift, "dtype": dtype, "workspace": workspace, "reporter": Terminal(),
    }  # fmt: skip
    stages = [first_stage] if first_stage else [FIRST_STAGE, GIVEN]
    labels = [*(f"{stage} (first stage)" for stage in stages), *(rerankers or ())]
    view = view_of(columns, measures or (), names, workspace_path(workspace), labels=labels)
    if plan:
        from reports.tables.plan import planning_table

        print_rows(planning_table(api.planned(*(targets or ()), **common)), as_json)
        return
    if mteb_results is not None:
        from reports.mteb_results import refuse_for_mteb

        sampled = sample_queries is not None or budget_pairs is not None
        refuse_for_mteb(targets or (), languages or (), split, sampled=sampled)
    make_folder(out)
    named: dict[str, Any] = {
        "measures": measures, "rules": rules, "parallel": parallel, "skip_probe": skip_probe, "workers": workers,
        "robustness": robustness, "robustness_queries": robustness_queries,
    }  # fmt: skip
    with shown_first(lambda: api.run(*(targets or ()), **common, **named)) as outcome:
        show_outcome(outcome, out, view, audit=audit, as_json=as_json)
        for file in () if mteb_results is None else outcome.write_mteb(mteb_results):
            typer.echo(f"written: {file}", err=as_json)


@verb(MEASURE, epilog="Example:\n\n    harness demo --out report")
def demo(
    out: options.Out = None,
    audit: options.Audit = False,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Run the embedded multilingual sample with BM25 and two small packaged rerankers (extra: demo).

    The sample is small and made for this project. It shows what the harness prints; it is not a benchmark.
    """
    from harness import api
    from harness.progress import Terminal
    from reports.view import PLAIN

    make_folder(out)
    common: dict[str, Any] = {"first_stage": "bm25", "rerankers": DEMO_RERANKERS, "depth": 10, "workspace": workspace}
    with shown_first(lambda: api.run("demo", **common, reporter=Terminal())) as outcome:
        show_outcome(outcome, out, PLAIN, audit=audit, as_json=as_json)


@verb(
    WORKSPACE,
    epilog="""Examples:

    harness fetch beir/scifact miracl/sw --mirror ./mirror --model Qwen/Qwen3-Embedding-0.6B

    harness fetch beir --mirror ./mirror --source beir --dry-run""",
)
def fetch(  # noqa: PLR0917
    targets: options.SuiteTargets = None,
    mirror: options.MirrorToFill = None,
    model: options.Models = None,
    source: options.SourceName = "auto",
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Download suites and models into a mirror folder, for machines without a network.

    Sizes are printed first. Complete files are not downloaded again, and interrupted downloads continue.
    """
    from harness.data.mirror.fetch import run_fetch
    from harness.progress import Terminal
    from reports.tables.fetch import fetched_table

    found = run_fetch(targets or (), model or (), mirror, source, Terminal(), dry_run=dry_run)
    print_rows(fetched_table(found), as_json)
