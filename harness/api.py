"""The Python interface says the same as the command line: one call answers the question."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.errors import UsageError
from adapters.spec import open_ranker
from harness.data.collection import Collection, sample_queries
from harness.data.sources import load
from harness.data.sources.build import collection_of
from harness.data.sources.offered import ChosenSources
from harness.data.sources.origin import ANYWHERE, SourceChoice
from harness.data.sources.recognise import chosen_sources
from harness.data.sources.suite_source import SuiteSource
from harness.judging.compare.comparison import Comparison, margin_of
from harness.judging.compare.comparison import compare as compare_stored
from harness.measuring.measures import parse
from harness.outcome import Outcome, ResultsNotKept, outcome_of
from harness.progress import Reporter, Silent
from harness.result.opening import is_same_store, stored_in
from harness.result.select import Wanted
from harness.running.experiment import experiment
from harness.scoring.bench import opened
from harness.scoring.costs.calibration import calibrate, calibrate_first_stage
from harness.scoring.costs.plan import WITHOUT_MODEL, RunPlan, plan, within_budget
from harness.scoring.ground import is_paired, ordinary_measures
from harness.scoring.retrieve import GIVEN
from harness.scoring.system import systems
from harness.workspace import DEFAULT, VARIABLE, Workspace

if TYPE_CHECKING:
    import pandas as pd

    from harness.judging.gate.gate import Gated
    from harness.judging.gate.policy import Policy, Tier

__all__ = ["Comparison", "Outcome", "ResultsNotKept", "collections_of", "compare", "gate", "planned", "run"]

FIRST_STAGE = "Qwen/Qwen3-Embedding-0.6B"
DEPTH = 100


def run(
    *targets: str,
    first_stage: str | None = None,
    rerankers: Sequence[str] = (),
    depth: int = DEPTH,
    measures: Sequence[str] = (),
    languages: Sequence[str] = (),
    split: str | None = None,
    sample: int | None = None,
    budget: int | None = None,
    rules: str | Path | None = None,
    origin: SourceChoice = ANYWHERE,
    parallel: bool | None = None,
    skip_probe: bool = False,
    workspace: str | Path | None = None,
    reporter: Reporter | None = None,
) -> Outcome:
    """Evaluate a first stage and rerankers on collections.

    Args:
        targets: suites (`beir`, `miracl/sw`, `mteb/AlloprofReranking`), folders, zips, files of reranking rows, folders
            of collections, or `demo`.
        first_stage: a spec string, `given` for a reranking set's own lists, or `run:FILE`. None takes the lists of
            collections that bring them, and Qwen3-Embedding-0.6B for the others.
        rerankers: spec strings; see `adapters.spec`.
        depth: candidates per query.
        measures: `nDCG@10`, `R@100`, ...; empty for each collection's main measure. p-MRR comes by itself where there
            are pairs of queries.
        languages: only these, of targets that declare languages; what is in others is skipped, and `Outcome.skipped`
            names it. A target that declares none is taken to be in the language, which has to be one then.
        sample: take this many queries of every collection, always the same ones.
        budget: take as many queries of every collection as cost at most this many pairs together.
        origin: where suites are read from, and whether data that differs from their tables is taken.
        rules: a file that declares rules for the collections; see `harness.data.sources.declared`.
        parallel: whether queries with one id are one question in all collections of a set (a folder of collections, a
            suite or a group of one); None for what is declared, else detected. See `harness.data.parallel`.
        skip_probe: do without the orientation probe, which is an alarm beside the numbers.
        workspace: the folder that remembers; default HARNESS_WORKSPACE or `./.harness`.

    Raises:
        HarnessError: with one line that says what to do.
        ResultsNotKept: everything was measured, and is in its `outcome`, but the workspace could not be written.
    """
    _refuse_text(rerankers=rerankers, measures=measures, languages=languages)
    for name in measures:
        if not is_paired(name):
            parse(name)
    _refuse_targets(targets, split, languages, rules, origin)
    opened_workspace = Workspace.open(Path(workspace) if workspace else None)
    named = list(dict.fromkeys(rerankers))
    systems(first_stage or GIVEN, named, depth, opened_workspace)
    told, skipped = reporter or Silent(), list[str]()
    collections = collections_of(
        targets,
        opened_workspace,
        split=split,
        languages=languages,
        sample=sample,
        rules=rules,
        origin=origin,
        parallel=parallel,
        tell=skipped.append,
    )
    for line in skipped:
        told.note(line)
    for collection in collections:
        ordinary_measures(collection, measures)
    chosen = first_stage or first_stage_of(collections)
    if budget is not None:
        counts = within_budget(collections, depth, budget, first_stage=chosen)
        collections = [sample_queries(one, count) for one, count in zip(collections, counts, strict=True)]
    told.note(_cost(plan(collections, depth, named, first_stage=chosen)))
    evaluated = systems(chosen, named, depth, opened_workspace)
    with opened(opened_workspace, told) as bench:
        return outcome_of(experiment(collections, evaluated, measures, bench, skip_probe=skip_probe), skipped)


def gate(
    candidate: str,
    policy: Policy,
    *,
    tier: Tier = "gate",
    split: str | None = None,
    sample: int | None = None,
    rules: str | Path | None = None,
    origin: SourceChoice = ANYWHERE,
    parallel: bool | None = None,
    accept: bool = False,
    sequential: bool = False,
    workspace: str | Path | None = None,
    against: str | Path | None = None,
    reporter: Reporter | None = None,
) -> Gated:
    """Judge whether a candidate may replace the policy's anchor; see docs/gate.md.

    Args:
        candidate: a spec.
        policy: from `harness.judging.gate.policy.read_policy`, or made in Python.
        tier: `dev` gives figures and no verdict, `gate` and `final` are looks.
        sample: take this many queries of the tier's part of every collection.
        parallel: as in `run`.
        accept: mark a pass as accepted, so that it can be the anchor of later candidates.
        sequential: score random blocks of queries, and stop when the answer is certain.
        against: another workspace, such as an artefact of the main branch, which has the anchor's stored results. It is
            only read; the anchor is not opened.

    Raises:
        HarnessError: with one line that says what to do.
    """
    from harness.judging.gate.gate import gate as judge_candidate

    _refuse_targets(policy.targets, split, policy.languages, rules, origin)
    place, told = Workspace.open(Path(workspace) if workspace else None), reporter or Silent()
    collections = collections_of(
        policy.targets,
        place,
        split=split,
        languages=policy.languages,
        rules=rules,
        origin=origin,
        parallel=parallel,
        tell=told.note,
    )
    chosen = policy.first_stage or first_stage_of(collections)
    with opened(place, told) as bench:
        return judge_candidate(
            collections,
            policy,
            candidate,
            chosen,
            bench,
            tier=tier,
            sample=sample,
            accept=accept,
            sequential=sequential,
            against=_other(place, against),
        )


class LeftOutWarning(UserWarning):
    """Stored results that a selection does not hold."""


def results(
    *,
    workspace: str | Path | None = None,
    systems: Sequence[str] = (),
    collections: Sequence[str] = (),
    languages: Sequence[str] = (),
    measures: Sequence[str] = (),
    intervals: bool = False,
    per_query: bool = False,
) -> pd.DataFrame:
    """Stored results as a frame: one row per system, collection and measure, fractions; see `reports.tidy.COLUMNS`.

    What the selection leaves out (older results, samples of whole collections) is counted in `attrs["left_out"]`, and a
    `LeftOutWarning` says how to get it.

    Args:
        workspace: the folder that remembers; default HARNESS_WORKSPACE or `./.harness`.
        systems: names, globs or ids; see docs/names.md. The first stage of each comes along.
        collections: names, suites, sets, groups, globs such as `miracl/*`, or first digits of a fingerprint.
        intervals: the 95 % intervals and the test of the difference too; see `reports.tidy.INTERVAL`.
        per_query: one row per query in place of one per collection; see `reports.tidy.PER_QUERY`.

    Raises:
        UsageError: there is no store, or nothing in it is named so.
        MissingExtra: pandas is not installed.
    """
    from harness.result.gathered import view
    from reports.tidy import frame, tidy, tidy_per_query, with_left_out

    _refuse_text(systems=systems, collections=collections, languages=languages, measures=measures)
    path = Path(workspace or os.environ.get(VARIABLE) or DEFAULT)
    shown = view(path, systems, collections, languages, measures)
    for line in shown.left_out.lines:
        warnings.warn(line, LeftOutWarning, stacklevel=2)
    table = tidy_per_query(shown.results, path) if per_query else tidy(shown.results, intervals=intervals)
    return frame(with_left_out(table, shown.left_out))


def collections_of(
    targets: Sequence[str],
    workspace: Workspace,
    *,
    split: str | None = None,
    languages: Sequence[str] = (),
    sample: int | None = None,
    rules: str | Path | None = None,
    origin: SourceChoice = ANYWHERE,
    parallel: bool | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Collection]:
    """The collections that the targets name, each once.

    `parallel` is as in `run`; `tell` gets a line for whatever is in other languages."""
    declared = Path(rules) if rules else None
    found = load(
        targets,
        workspace,
        split=split,
        languages=languages,
        rules=declared,
        origin=origin,
        parallel=parallel,
        tell=tell,
    )
    if sample is not None:
        found = [sample_queries(collection, sample) for collection in found]
    return list({collection.fingerprint: collection for collection in found}.values())


def planned(
    *targets: str,
    first_stage: str | None = None,
    rerankers: Sequence[str] = (),
    depth: int = DEPTH,
    languages: Sequence[str] = (),
    split: str | None = None,
    sample: int | None = None,
    budget: int | None = None,
    origin: SourceChoice = ANYWHERE,
    workspace: str | Path | None = None,
    measured: bool = True,
    reporter: Reporter | None = None,
) -> RunPlan:
    """What a run would cost. Of suites only the tables are read; other targets are loaded. With `measured`, the models
    that are named score a few seconds of stand-ins, and the plan tells hours."""
    found = _refuse_targets(targets, split, languages, None, origin)
    for line in found.skipped:
        (reporter or Silent()).note(line)
    loads = any(not isinstance(one, SuiteSource) for one in found.sources)
    place = Workspace.open(Path(workspace) if workspace else None) if loads else Workspace(Path(DEFAULT))
    entries = [one.entry if isinstance(one, SuiteSource) else collection_of(one, place) for one in found.sources]
    samples = [sample] * len(entries) if sample else None
    if budget is not None:
        samples = list(within_budget(entries, depth, budget, first_stage=first_stage))
    costs = plan(entries, depth, rerankers, first_stage=first_stage, samples=samples)
    if not measured:
        return costs
    named = [spec for spec in rerankers if not spec.startswith(WITHOUT_MODEL)]
    rates = {spec: calibrate(spec, costs) for spec in named if hasattr(open_ranker(spec), "score")}
    search = first_stage if first_stage and first_stage != GIVEN and not first_stage.startswith(WITHOUT_MODEL) else None
    return replace(costs, rates=rates, search_rate=calibrate_first_stage(search, costs) if search else None)


def compare(
    baseline: str,
    *candidates: str,
    collections: Sequence[str] = (),
    measures: Sequence[str] = (),
    first_stage: str | None = None,
    depth: int | None = None,
    unpaired_first_stages: bool = False,
    equivalent_within: float | None = None,
    groups: Sequence[str] = (),
    workspace: str | Path | None = None,
    against: str | Path | None = None,
) -> Comparison:
    """Compare evaluations that are stored, paired by query; the arguments are those of `harness compare`.

    Args:
        baseline: a system as docs/names.md says, or the name of a group.
        candidates: the same, one or several.
        collections: only these; empty for all that every system was measured on.
        measures: empty for the main measure of every collection.
        unpaired_first_stages: let systems through that ranked other candidates, and mark them.
        equivalent_within: in points; asks whether the difference is smaller.
        groups: `NAME=SPEC,SPEC` or `NAME=GLOB`, several seeds or folds as one system.
        workspace: the folder that holds the baseline; default HARNESS_WORKSPACE or `./.harness`.
        against: another workspace, which holds the candidates; None if they are in the same one. It is only read.

    Raises:
        HarnessError: with one line that says what to do.
    """
    _refuse_text(collections=collections, measures=measures, groups=groups)
    if not candidates:
        raise UsageError(f"name at least one candidate to compare with '{baseline}'")
    wanted = Wanted(collections, first_stage, depth)
    return compare_stored(
        Workspace(Path(workspace or os.environ.get(VARIABLE) or DEFAULT)).results,
        baseline,
        candidates,
        measures=measures,
        groups=groups,
        wanted=wanted,
        against=None if against is None else Workspace(Path(against)).results,
        unpaired=unpaired_first_stages,
        margin=margin_of(equivalent_within),
    )


def _other(workspace: Workspace, against: str | Path | None) -> Workspace | None:
    """The workspace `against`; None where it is the same one."""
    if against is None:
        return None
    other = Workspace(Path(against))
    if is_same_store(other.results, workspace.results):
        return None
    with stored_in(other.results, "--against"):
        return other


def first_stage_of(collections: Sequence[Collection]) -> str:
    """The first stage where none is named: the lists that all collections bring, else Qwen3-Embedding-0.6B."""
    with_lists = [collection.given is not None for collection in collections]
    if all(with_lists):
        return GIVEN
    if any(with_lists):
        raise UsageError("some of these collections bring candidate lists and some do not; name a --first-stage")
    return FIRST_STAGE


def _refuse_targets(
    targets: Sequence[str], split: str | None, languages: Sequence[str], rules: str | Path | None, origin: SourceChoice
) -> ChosenSources:
    """Before any model is looked for, so that a wrong target is refused at once. What the targets name."""
    if not targets:
        raise UsageError("name what to run on: a suite, a folder, a zip, a file of reranking rows, or 'demo'")
    return chosen_sources(targets, split, languages, Path(rules) if rules else None, origin=origin)


def _refuse_text(**lists: Sequence[str]) -> None:
    for name, given in lists.items():
        if isinstance(given, str):
            raise UsageError(f"{name} is a list; write {name}=[{given!r}]")


def _cost(costs: RunPlan) -> str:
    total = costs.total
    told = (
        f"collections: {len(costs.costs)}, documents: {total.documents:,}, queries: {total.queries:,}, "
        f"rerankers: {len(costs.rerankers)}, pairs for each: at most {total.pairs:,}, less what is already known"
    )
    return f"{told}\n{costs.warning}" if costs.warning else told
