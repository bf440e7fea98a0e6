"""The calls that run models on collections: run and check, and the plan of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from adapters.errors import UsageError
from adapters.precision import HALVES
from adapters.spec import open_ranker
from harness.api import arguments
from harness.api.outcome import Outcome, outcome_of
from harness.api.targets import collections_of, first_stage_of, named_sources
from harness.checks.robustness import QUERIES, battery_of
from harness.data.collection import Collection, sample_queries
from harness.data.sources.build import collection_of
from harness.data.sources.suite_source import SuiteSource
from harness.measuring.measures import parse
from harness.progress import Reporter
from harness.running.experiment import experiment
from harness.scoring.costs.calibration import calibrate, calibrate_first_stage
from harness.scoring.costs.plan import WITHOUT_MODEL, RunPlan, plan, within_budget
from harness.scoring.ground import is_paired, ordinary_measures
from harness.scoring.precision import run_with_dtype
from harness.scoring.retrieve import GIVEN
from harness.scoring.system import systems
from harness.workspace import DEFAULT, Workspace

if TYPE_CHECKING:
    from harness.api.checked import CheckReport

DEPTH = 100


def run(
    *targets: str | Path | Sequence[str | Path],
    first_stage: str | Path | None = None,
    rerankers: str | Path | Sequence[str | Path] | None = None,
    depth: int = DEPTH,
    measures: str | Sequence[str] | None = None,
    languages: str | Sequence[str] | None = None,
    parallel: bool | None = None,
    split: str | None = None,
    sample_queries: int | None = None,
    budget_pairs: int | None = None,
    rules: str | Path | None = None,
    source: Literal["auto", "mteb", "beir", "irds"] = "auto",
    mirror: str | Path | None = None,
    allow_drift: bool = False,
    skip_probe: bool = False,
    robustness: str | Sequence[str] | None = None,
    robustness_queries: int = QUERIES,
    dtype: Literal["auto", "float32", "float16", "bfloat16"] | None = None,
    workers: int | Literal["auto"] = 1,
    workspace: str | Path | None = None,
    reporter: Reporter | None = None,
) -> Outcome:
    """Evaluate a first stage and rerankers on collections, as `harness run` does.

    Pairs that were scored before are not scored again. A run that was stopped continues where it was.

    Args:
        targets: what to evaluate on: suites or parts of one (`beir`, `miracl/sw`), folders, zips, files of reranking
            rows, folders of collections, or `demo`. A `Path` is never the name of a suite.
        first_stage: a spec, `given` for the collection's own candidate lists, or `run:FILE`. Default: `given` if all
            targets have candidate lists, else Qwen/Qwen3-Embedding-0.6B.
        rerankers: one or more specs, `[kind:]model[@revision][?option=value&...]`; model is a hub name or a folder.
        depth: candidates per query. Default: 100.
        measures: one or more, such as `nDCG@10`, `AP@1000`, `RR@10`. Default: the main measure of each collection.
        languages: evaluate only these. For a target that declares no language, this declares it. Default: all.
        parallel: whether queries with the same id in the collections of a set are one question in several languages.
            Default: as declared, else as detected.
        split: the split of the judgments. Default: test, or the only split.
        sample_queries: use only this number of queries of each collection, always the same ones. Default: all.
        budget_pairs: use as many queries of each collection as fit into this number of pairs in total.
        rules: a TOML file with declarations for the collections, as in collection.toml.
        source: the library that suites are read with.
        mirror: a folder filled by `harness fetch`. Nothing is downloaded then. Default: HARNESS_MIRROR.
        allow_drift: accept data that differs from the published data. Its numbers are marked.
        skip_probe: skip the check that a reranker ranks exact answers above unrelated texts.
        robustness: attacks and changes under which rerankers are also measured: `all`, `attacks`, `invariances`, or
            names such as `stuffing` and `typos`; see docs/robustness.md. Default: none.
        robustness_queries: the number of queries of each collection that are perturbed. Default: 300.
        dtype: the number format of the models that name none with `?dtype=`. `auto` measures once on this device which
            is fastest, and keeps the answer. A system that gets half precision has it in its name. Default: float32.
        workers: the number of processes that score and embed, each with its own model and its own GPU or cores. `auto`
            is one for each GPU, or as many as cores and memory allow. The scores do not depend on it. Default: 1.
        workspace: the folder for results, scored pairs and caches. Default: HARNESS_WORKSPACE, else `./.harness`.
        reporter: gets the progress. Default: standard error if it is a terminal, else none.

    Returns:
        An `Outcome`: values as fractions, tables in points (fractions x 100).

    Raises:
        HarnessError: an argument, a file or a model cannot be used. The message says what to do.
        ResultsNotKept: everything was measured, but the workspace cannot be written. The error's `outcome` has the
            results.

    Examples:
        >>> import harness
        >>> outcome = harness.run("demo/en", first_stage="bm25", rerankers="control:oracle", depth=10)
        >>> outcome
        Outcome(2 systems: 'bm25 (first stage)', 'control:oracle'; 1 collection: 'demo/en'; nDCG@10; no alarms)
        >>> round(outcome.value("control:oracle", "demo/en", "nDCG@10"), 4)
        0.764
    """
    named = list(dict.fromkeys(arguments.names_of("rerankers", rerankers)))
    wanted = _measures(measures)
    spoken, on = arguments.names_of("languages", languages), arguments.names_of("targets", targets)
    depth, sample = arguments.whole("depth", depth), arguments.optional_whole("sample_queries", sample_queries)
    budget = arguments.optional_whole("budget_pairs", budget_pairs)
    origin = arguments.source_choice(source, mirror, allow_drift)
    first, dtype = arguments.optional_name("first_stage", first_stage), arguments.dtype_of(dtype)
    perturbed = arguments.whole("robustness_queries", robustness_queries)
    battery = battery_of(arguments.names_of("robustness", robustness), perturbed)
    if battery is not None and not named:
        raise UsageError("robustness is measured of rerankers; name one, as in --reranker ./checkpoint")
    if battery is None and perturbed != QUERIES:
        raise UsageError("robustness_queries is for the perturbed texts; name these too, as in --robustness attacks")
    named_sources(on, split, spoken, arguments.file_of(rules), origin)
    place, reporter = Workspace.open(arguments.file_of(workspace)), arguments.reporter_of(reporter)
    with arguments.working(place, reporter, origin.mirror, workers) as session:
        systems(first or GIVEN, named, depth, place)  # a wrong spec is refused before a collection is read
        skipped = list[str]()
        collections = collections_of(
            on,
            place,
            split=split,
            languages=spoken,
            sample=sample,
            rules=rules,
            origin=origin,
            parallel=parallel,
            tell=skipped.append,
        )
        for line in skipped:
            reporter.note(line)
        for collection in collections:
            ordinary_measures(collection, wanted)
        chosen = first or first_stage_of(collections)
        chosen, named = run_with_dtype(chosen, named, dtype, place.cache, reporter)
        if budget is not None:
            collections = _within(collections, depth, budget, chosen)
        reporter.note(_cost(plan(collections, depth, named, first_stage=chosen)))
        tried = systems(chosen, named, depth, place)
        running = experiment(collections, tried, wanted, session, skip_probe=skip_probe, battery=battery)
        return outcome_of(running, skipped)


def check(
    system: str | Path,
    *targets: str | Path | Sequence[str | Path],
    first_stage: str | Path | None = None,
    depth: int = 10,
    pairs: int = 200,
    sample_queries: int | None = None,
    languages: str | Sequence[str] | None = None,
    parallel: bool | None = None,
    reference: Literal["sentence-transformers"] | None = None,
    dtype: Literal["auto", "float16", "bfloat16"] | None = None,
    workspace: str | Path | None = None,
    reporter: Reporter | None = None,
) -> CheckReport:
    """Check that a reranker gives the same scores to the same pairs, however they are batched and ordered.

    As in `harness check`, a few pairs are scored again: shuffled, alone, in other batches, precisions and lengths. The
    scores are compared with the ledger. A listwise reranker orders its lists again, and shuffled.

    Args:
        system: the spec of a reranker.
        targets: collections to take pairs from. Default: the packaged sample, `demo`.
        first_stage: a spec. Default: `given` if all targets have candidate lists, else bm25.
        depth: candidates per query. Default: 10.
        pairs: check about this number of pairs. Default: 200.
        sample_queries: check all pairs of this number of queries of each collection instead.
        languages: use only these. Default: all.
        parallel: as in `run`.
        reference: also score the pairs with this library, in a separate process, and compare. Default: no comparison.
        dtype: also test whether the model is the same within 0.1 points in this number format as in float32, on all
            candidates of the targets; they need 1,190 questions or more. Default: no test.
        workspace: as in `run`.
        reporter: as in `run`.

    Returns:
        A `CheckReport`; its `verdict` is `OK`, `suspicious` or `broken`.

    Raises:
        HarnessError: the spec names no model, or the model cannot score these candidates.

    Examples:
        >>> from pathlib import Path
        >>> import harness
        >>> from adapters import tiny
        >>> folder = tiny.cross_encoder(Path("tiny-reranker"))
        >>> report = harness.check(folder, "demo/en", pairs=20)
        >>> report
        CheckReport(OK; './tiny-reranker'; 20 pairs; no alarms)
        >>> report.trial("shuffled").verdict
        'OK'
    """
    from harness.api.checked import CheckReport
    from harness.checks.check import check as examine

    on = arguments.names_of("targets", targets) or ["demo"]
    spoken = arguments.names_of("languages", languages)
    if reference is not None:
        arguments.one_of("reference", reference, ("sentence-transformers",))
    if dtype is not None:
        arguments.one_of("dtype", dtype, ("auto", *HALVES))
    spec, first = arguments.name_of("system", system), arguments.optional_name("first_stage", first_stage)
    depth, pairs = arguments.whole("depth", depth), arguments.whole("pairs", pairs)
    sample = arguments.optional_whole("sample_queries", sample_queries)
    place, reporter = Workspace.open(arguments.file_of(workspace)), arguments.reporter_of(reporter)
    origin = arguments.source_choice()
    with arguments.working(place, reporter, origin.mirror) as session:
        collections = collections_of(on, place, languages=spoken, origin=origin, parallel=parallel, tell=reporter.note)
        found = examine(
            spec,
            collections,
            session,
            first_stage=first,
            depth=depth,
            pairs=pairs,
            sample=sample,
            reference=reference is not None,
            dtype=dtype,
        )
    return CheckReport(found)


def planned(
    *targets: str | Path | Sequence[str | Path],
    first_stage: str | Path | None = None,
    rerankers: str | Path | Sequence[str | Path] | None = None,
    depth: int = DEPTH,
    languages: str | Sequence[str] | None = None,
    split: str | None = None,
    sample_queries: int | None = None,
    budget_pairs: int | None = None,
    source: Literal["auto", "mteb", "beir", "irds"] = "auto",
    mirror: str | Path | None = None,
    allow_drift: bool = False,
    dtype: Literal["auto", "float32", "float16", "bfloat16"] | None = None,
    workspace: str | Path | None = None,
    measured: bool = True,
    reporter: Reporter | None = None,
) -> RunPlan:
    """Return what a run would cost. Suites are looked up in their tables; other targets are loaded.

    Args:
        measured: time the named models for a few seconds on made-up texts, so that the plan shows hours.

    The other arguments are as in `run`.
    """
    named, on = arguments.names_of("rerankers", rerankers), arguments.names_of("targets", targets)
    depth, sample = arguments.whole("depth", depth), arguments.optional_whole("sample_queries", sample_queries)
    budget = arguments.optional_whole("budget_pairs", budget_pairs)
    origin = arguments.source_choice(source, mirror, allow_drift)
    first, dtype = arguments.optional_name("first_stage", first_stage), arguments.dtype_of(dtype)
    shown = arguments.reporter_of(reporter)
    chosen, named = run_with_dtype(first or GIVEN, named, dtype, None, shown)
    first = chosen if first else None
    found = named_sources(on, split, arguments.names_of("languages", languages), None, origin)
    for line in found.skipped:
        shown.note(line)
    loads = any(not isinstance(one, SuiteSource) for one in found.sources)
    place = Workspace.open(arguments.file_of(workspace)) if loads else Workspace(Path(DEFAULT))
    entries = [one.entry if isinstance(one, SuiteSource) else collection_of(one, place) for one in found.sources]
    samples = [sample] * len(entries) if sample else None
    if budget is not None:
        samples = list(within_budget(entries, depth, budget, first_stage=first))
    costs = plan(entries, depth, named, first_stage=first, samples=samples)
    if not measured:
        return costs
    models = [spec for spec in named if not spec.startswith(WITHOUT_MODEL)]
    rates = {spec: calibrate(spec, costs) for spec in models if hasattr(open_ranker(spec), "score")}
    search = first if first and first != GIVEN and not first.startswith(WITHOUT_MODEL) else None
    return replace(costs, rates=rates, search_rate=calibrate_first_stage(search, costs) if search else None)


def _measures(given: str | Sequence[str] | None) -> list[str]:
    """Return the names of the measures. An unknown one is refused before a collection is read."""
    names = arguments.names_of("measures", given)
    for name in names:
        if not is_paired(name):
            parse(name)
    return names


def _within(collections: Sequence[Collection], depth: int, pairs: int, first_stage: str) -> list[Collection]:
    counts = within_budget(collections, depth, pairs, first_stage=first_stage)
    return [sample_queries(one, count) for one, count in zip(collections, counts, strict=True)]


def _cost(costs: RunPlan) -> str:
    total = costs.total
    line = (
        f"collections: {len(costs.costs)}, documents: {total.documents:,}, queries: {total.queries:,}, "
        f"rerankers: {len(costs.rerankers)}, pairs for each: at most {total.pairs:,}, less what is already known"
    )
    return f"{line}\n{costs.warning}" if costs.warning else line
