"""The command `harness gate`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from adapters.errors import UsageError, class_of
from harness.cli import dtype_options, gate_options, options
from harness.cli.app import COMPARE
from harness.cli.printing import check_file, json_text
from harness.cli.verb import verb

if TYPE_CHECKING:
    from harness.api.decision import Decision
    from harness.judging.gate.planning import GatePlan

EXIT = {None: 0, "pass": 0, "refused": 1, "invalid": 3, "inconclusive": 4}


@verb(
    COMPARE,
    epilog="""Examples:

    harness gate ./xquad --first-stage bm25 --anchor BAAI/bge-reranker-v2-m3 --candidate ./checkpoint-1000

    harness gate --policy gate.toml --candidate ./checkpoint-1000 --sequential --junit gate.xml

    harness gate --candidate ./checkpoint-1000 --accept

    harness gate --candidate ./model --anchor ./model --against main-artefact

    harness gate --policy gate.toml --candidate ./checkpoint-1000 --plan

Exit codes: 0 pass, 1 refused, 4 inconclusive, 3 invalid, 2 usage.""",
)
def gate(  # noqa: PLR0917
    targets: gate_options.GateTargets = None,
    anchor: gate_options.Anchor = None,
    candidate: gate_options.Candidate = None,
    policy: gate_options.PolicyFile = None,
    sequential: gate_options.Sequential = False,
    plan: gate_options.OnlyGatePlan = False,
    tier: gate_options.TierName = "gate",
    accept: gate_options.Accept = False,
    first_stage: options.FirstStage = None,
    depth: gate_options.GateDepth = None,
    measure: gate_options.PrimaryMeasure = None,
    languages: options.TargetLanguages = None,
    parallel: options.Parallel = None,
    split: options.Split = None,
    sample_queries: options.SampleQueries = None,
    rules: options.RulesFile = None,
    source: options.SourceName = "auto",
    mirror: options.Mirror = None,
    allow_drift: options.AllowDrift = False,
    junit: gate_options.Junit = None,
    summary: gate_options.SummaryFile = None,
    dtype: dtype_options.RunDtype = None,
    workers: options.WorkerCount = 1,
    workspace: options.WorkspacePath = None,
    against: gate_options.AgainstAnchor = None,
    as_json: options.AsJson = False,
) -> None:
    """Decide whether a candidate may replace the accepted reranker.

    The verdict is refused if a collection or language collapses, if the macro average is certainly worse by the margin,
    if the candidate costs too much, or if attacks succeed more often than the policy allows; pass if a loss of the
    margin is excluded, and a loss of the hard bound in every claimed part; inconclusive if neither is shown; invalid if
    the numbers cannot be trusted. Every verdict on the gate's queries is a look; looks are counted and may be limited.
    """
    from harness import api
    from harness.progress import Terminal

    common: dict[str, Any] = {
        "targets": targets, "anchor": anchor, "tier": tier, "first_stage": first_stage, "depth": depth,
        "measure": measure, "languages": languages, "parallel": parallel, "split": split,
        "sample_queries": sample_queries, "rules": rules, "source": source, "mirror": mirror,
        "allow_drift": allow_drift, "dtype": dtype, "workspace": workspace, "against": against, "reporter": Terminal(),
    }  # fmt: skip
    if plan:
        unused = {"--accept": accept, "--junit": junit, "--summary": summary, "--workers": workers != 1}
        if given := [name for name, value in unused.items() if value]:
            raise UsageError(f"--plan scores nothing and gives no verdict; leave out {', '.join(given)}")
        _print_plan(api.planned_gate(candidate, policy, **common), as_json)
        return
    for file in (junit, summary):
        check_file(file, made=False)
    if candidate is None:
        raise UsageError("name the system to judge, as in --candidate ./checkpoint-1000")
    found = api.gate(candidate, policy, sequential=sequential, accept=accept, workers=workers, **common)
    _report(found, junit, summary, as_json)
    raise typer.Exit(EXIT[found.verdict])


def _print_plan(found: GatePlan, as_json: bool) -> None:
    from reports.tables.gate_plan import lines

    text = json_text(found.as_dict()) if as_json else None
    typer.echo(text or "\n".join(lines(found)))


def _report(found: Decision, junit: Path | None, summary: Path | None, as_json: bool) -> None:
    from reports.tables.gate import terminal

    text = json_text(found.as_dict()) if as_json else None
    typer.echo(text or terminal(found.found))
    if junit is not None:
        _write(junit, found.junit(), "w")
    if summary is not None:
        _write(summary, found.summary(), "w")
    elif os.environ.get("GITHUB_STEP_SUMMARY"):
        _write(Path(os.environ["GITHUB_STEP_SUMMARY"]), found.summary(), "a")


def _write(file: Path, text: str, mode: str) -> None:
    try:
        with file.open(mode, encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise class_of(error, UsageError)(f"{file}: cannot be written ({error.strerror})") from None
