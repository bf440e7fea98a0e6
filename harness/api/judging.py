"""The calls that judge systems: compare, gate, why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from adapters.errors import UsageError
from harness.api import arguments
from harness.api.comparison import Comparison
from harness.api.targets import collections_of, first_stage_of, named_sources
from harness.judging.compare.comparison import compare as compare_stored
from harness.judging.compare.comparison import margin_of
from harness.judging.gate.formats import in_format
from harness.progress import Reporter
from harness.result.opening import is_same_store, stored_in
from harness.result.select import Wanted
from harness.scoring.precision import with_dtype
from harness.workspace import Workspace

if TYPE_CHECKING:
    from harness.api.decision import Decision
    from harness.api.explanation import Explanation
    from harness.data.collection import Collection
    from harness.data.sources.origin import SourceChoice
    from harness.judging.gate.planning import GatePlan
    from harness.judging.gate.policy import Policy
    from harness.scoring.session import Session

_POLICY = Path("gate.toml")


def compare(
    baseline: str,
    *candidates: str | Sequence[str],
    collections: str | Sequence[str] | None = None,
    measures: str | Sequence[str] | None = None,
    first_stage: str | None = None,
    depth: int | None = None,
    unpaired_first_stages: bool = False,
    equivalent_within: float | None = None,
    groups: str | Sequence[str] | None = None,
    unjudged: bool = False,
    workspace: str | Path | None = None,
    against: str | Path | None = None,
) -> Comparison:
    """Compare stored results query by query, as `harness compare` does. No model is run.

    Args:
        baseline: a system: its label as the tables print it, a glob, or the first digits of the id of one of its
            evaluations; or the name of a group. See docs/names.md.
        candidates: one or more systems to compare with the baseline.
        collections: use only these: names, suites such as `beir`, globs, or the first digits of a fingerprint.
            Default: all collections that every system was measured on.
        measures: one or more. Default: the main measure of each collection.
        first_stage: use only results over this first stage.
        depth: use only results at this depth, in candidates per query.
        unpaired_first_stages: also compare systems that ranked different candidates, and mark them.
        equivalent_within: test whether the difference is smaller than this, in points (0.2 is a fraction of 0.002).
        groups: `NAME=SPEC,SPEC` or `NAME=GLOB`: treat several seeds or folds as one system.
        unjudged: also compute the smallest and the largest difference in nDCG@k over all labels of the unjudged
            documents in either top k. See docs/judges.md.
        workspace: the folder with the results. With `against`, it has the results of the baseline. Default:
            HARNESS_WORKSPACE, else `./.harness`.
        against: another workspace with the results of the candidates, such as an artefact of CI. It is only read.
            Default: the same workspace.

    Returns:
        A `Comparison`: values and differences as fractions, with 95 % intervals and corrected p-values.

    Raises:
        HarnessError: a name is unknown, or the systems cannot be compared. The message says why.

    Examples:
        >>> import harness
        >>> _ = harness.run("demo/en", first_stage="bm25", rerankers="control:oracle", depth=10)
        >>> harness.compare("bm25 (first stage)", "control:oracle").difference().significant
        True
    """
    others = arguments.names_of("candidates", candidates)
    if not others:
        raise UsageError(f"name at least one candidate to compare with '{baseline}'")
    margin = None if equivalent_within is None else arguments.number("equivalent_within", equivalent_within)
    if unjudged and (groups or against):
        raise UsageError(
            "--unjudged compares the rankings of single systems of one workspace; leave out --group and --against"
        )
    place = Workspace(arguments.workspace_of(workspace))
    first, wanted = arguments.name_of("baseline", baseline), _wanted(collections, first_stage, depth)
    bounds = None
    if unjudged:  # before the tests, to refuse another measure early
        from harness.judging.compare.unjudged import unjudged as bounds_of

        bounds = bounds_of(place, first, others, arguments.names_of("measures", measures), wanted)
    found = compare_stored(
        place.results,
        first,
        others,
        measures=arguments.names_of("measures", measures),
        groups=arguments.names_of("groups", groups),
        wanted=wanted,
        unpaired=unpaired_first_stages,
        margin=margin_of(margin),
        against=None if against is None else Workspace(Path(against)).results,
    )
    return Comparison(found, bounds)


def gate(
    candidate: str | Path,
    policy: Policy | str | Path | None = None,
    *,
    targets: str | Path | Sequence[str | Path] | None = None,
    anchor: str | Path | None = None,
    sequential: bool = False,
    tier: Literal["dev", "gate", "final"] = "gate",
    accept: bool = False,
    first_stage: str | Path | None = None,
    depth: int | None = None,
    measure: str | None = None,
    languages: str | Sequence[str] | None = None,
    parallel: bool | None = None,
    split: str | None = None,
    sample_queries: int | None = None,
    rules: str | Path | None = None,
    source: Literal["auto", "mteb", "beir", "irds"] = "auto",
    mirror: str | Path | None = None,
    allow_drift: bool = False,
    dtype: Literal["auto", "float32", "float16", "bfloat16"] | None = None,
    workers: int | Literal["auto"] = 1,
    workspace: str | Path | None = None,
    against: str | Path | None = None,
    reporter: Reporter | None = None,
) -> Decision:
    """Decide whether a candidate may replace the accepted reranker, as `harness gate` does.

    The verdict is refused if a collection or language collapses, if the macro average is certainly worse by the margin,
    if the candidate costs too much, or if attacks succeed more often than the policy allows; pass if a loss of the
    margin is excluded, and a loss of the hard bound in every claimed part; inconclusive if neither is shown; invalid if
    the numbers cannot be trusted. Every verdict on the gate's queries is a look; looks are counted and may be limited.

    Args:
        candidate: the spec of the reranker to judge.
        policy: a `Policy` (its margins are fractions), or a TOML file (in points). Default: `./gate.toml` if it exists,
            else the defaults of `Policy`. The arguments below override it.
        targets: what to judge on, as in `run`.
        anchor: the system to compare the candidate with: a spec, or `best-accepted`. Default: `best-accepted`.
        sequential: score random blocks of queries, and stop as soon as the answer is certain.
        tier: the queries to use. `dev` gives figures and no verdict, `gate` spends a look, `final` confirms once.
        accept: mark a pass as accepted. Later candidates are compared with the best accepted system.
        first_stage: as in `run`.
        depth: candidates per query. Default: 100.
        measure: the measure that decides. Default: the main measure of each collection.
        languages: as in `run`.
        parallel: as in `run`.
        split: as in `run`.
        sample_queries: use only this number of queries of the tier's part of each collection.
        rules: as in `run`.
        source: as in `run`.
        mirror: as in `run`.
        allow_drift: as in `run`.
        dtype: as in `run`, for the candidate, an anchor that is a spec, and the first stage. A stored anchor has the
            number format that it was measured in, and the candidate needs the same.
        workers: as in `run`.
        workspace: as in `run`.
        against: another workspace with the stored results of the anchor, such as an artefact of the main branch. It is
            only read, and the anchor's model is not loaded. Default: the same workspace.
        reporter: as in `run`.

    Returns:
        A `Decision`: `verdict` is pass, refused, inconclusive or invalid, and None on the tier `dev`.

    Raises:
        HarnessError: an argument, a file or a model cannot be used. The message says what to do.

    Examples:
        >>> import harness
        >>> decision = harness.gate("control:oracle", targets="demo", anchor="bm25", first_stage="bm25", depth=10)
        >>> decision.verdict
        'inconclusive'
        >>> decision.reasons[0]
        '120 queries of 12 questions are too few; the policy requires 30 or more'
        >>> round(decision.difference.value, 4)
        0.1382
    """
    from harness.api.decision import Decision
    from harness.judging.gate.gate import gate as judge_candidate
    from harness.judging.gate.policy import TIERS

    arguments.one_of("tier", tier, TIERS)
    sample, spec = arguments.optional_whole("sample_queries", sample_queries), arguments.name_of("candidate", candidate)
    declared = _declared(policy).overridden(**_given(targets, anchor, first_stage, depth, measure, languages))
    origin, other = arguments.source_choice(source, mirror, allow_drift), arguments.file_of(against)
    dtype = arguments.dtype_of(dtype)
    opened = _opened(declared, origin, split, rules, parallel, workspace, reporter, workers)
    with opened as (collections, chosen, session):
        declared, first = in_format(declared, chosen, dtype, session, stored=other is not None)
        found = judge_candidate(
            collections,
            declared,
            with_dtype(spec, dtype, "reranker", session.workspace.cache, session.reporter),
            first,
            session,
            tier=tier,
            sample=sample,
            accept=accept,
            sequential=sequential,
            against=_other(session.workspace, other),
        )
    return Decision(found)


def planned_gate(
    candidate: str | Path | None = None,
    policy: Policy | str | Path | None = None,
    *,
    targets: str | Path | Sequence[str | Path] | None = None,
    anchor: str | Path | None = None,
    tier: Literal["dev", "gate", "final"] = "gate",
    first_stage: str | Path | None = None,
    depth: int | None = None,
    measure: str | None = None,
    languages: str | Sequence[str] | None = None,
    parallel: bool | None = None,
    split: str | None = None,
    sample_queries: int | None = None,
    rules: str | Path | None = None,
    source: Literal["auto", "mteb", "beir", "irds"] = "auto",
    mirror: str | Path | None = None,
    allow_drift: bool = False,
    dtype: Literal["auto", "float32", "float16", "bfloat16"] | None = None,
    workspace: str | Path | None = None,
    against: str | Path | None = None,
    reporter: Reporter | None = None,
) -> GatePlan:
    """Return what a gate would take and could show, as `harness gate --plan` does. Nothing is scored, and no look is
    taken.

    Args:
        candidate: the spec of the reranker to judge. Default: plan without its speed.

    The other arguments are as in `gate`.

    Raises:
        HarnessError: an argument, a file or a model cannot be used. The message says what to do.
    """
    from harness.judging.gate.looks import LookLog
    from harness.judging.gate.planning import planned_gate as plan_gate
    from harness.judging.gate.policy import TIERS
    from harness.judging.gate.stage import staged

    arguments.one_of("tier", tier, TIERS)
    sample = arguments.optional_whole("sample_queries", sample_queries)
    spec, dtype = arguments.optional_name("candidate", candidate), arguments.dtype_of(dtype)
    declared = _declared(policy).overridden(**_given(targets, anchor, first_stage, depth, measure, languages))
    origin, other = arguments.source_choice(source, mirror, allow_drift), arguments.file_of(against)
    with _opened(declared, origin, split, rules, parallel, workspace, reporter) as (collections, chosen, session):
        there = _other(session.workspace, other)
        declared, first = in_format(declared, chosen, dtype, session, stored=there is not None)
        if spec is not None:
            spec = with_dtype(spec, dtype, "reranker", session.workspace.cache, session.reporter)
        stage = staged(collections, declared, first, session, tier=tier, sample=sample, against=there)
        return plan_gate(stage, spec, [LookLog(one.results) for one in (session.workspace, stage.reference)])


def _given(  # noqa: PLR0917
    targets: str | Path | Sequence[str | Path] | None,
    anchor: str | Path | None,
    first_stage: str | Path | None,
    depth: int | None,
    measure: str | None,
    languages: str | Sequence[str] | None,
) -> dict[str, object]:
    """Return the arguments that override a policy."""
    return {
        "anchor": arguments.optional_name("anchor", anchor),
        "targets": arguments.names_of("targets", targets),
        "first_stage": arguments.optional_name("first_stage", first_stage),
        "depth": arguments.optional_whole("depth", depth),
        "measure": arguments.optional_name("measure", measure),
        "languages": arguments.names_of("languages", languages),
    }


@contextmanager
def _opened(  # noqa: PLR0917
    declared: Policy,
    origin: SourceChoice,
    split: str | None,
    rules: str | Path | None,
    parallel: bool | None,
    workspace: str | Path | None,
    reporter: Reporter | None,
    workers: int | Literal["auto"] = 1,
) -> Iterator[tuple[list[Collection], str, Session]]:
    """Open the targets of a policy: the collections, the first stage and a session."""
    named_sources(declared.targets, split, declared.languages, arguments.file_of(rules), origin)
    place, shown = Workspace.open(arguments.file_of(workspace)), arguments.reporter_of(reporter)
    with arguments.working(place, shown, origin.mirror, workers) as session:
        collections = collections_of(
            declared.targets,
            place,
            split=split,
            languages=declared.languages,
            rules=rules,
            origin=origin,
            parallel=parallel,
            tell=shown.note,
        )
        yield collections, declared.first_stage or first_stage_of(collections), session


def why(
    a: str,
    b: str,
    *,
    measure: str = "main",
    collections: str | Sequence[str] | None = None,
    first_stage: str | None = None,
    depth: int | None = None,
    workspace: str | Path | None = None,
) -> Explanation:
    """Explain which queries and documents make two systems differ, as `harness why` does. No model is run.

    Args:
        a: a system, as in `compare`.
        b: the system to compare with `a`.
        measure: one measure. Default: `main`, the main measure of each collection.
        collections: as in `compare`.
        first_stage: as in `compare`.
        depth: as in `compare`.
        workspace: as in `compare`.

    Returns:
        An `Explanation`. Differences are B minus A, as fractions. Its method `write` writes the HTML page.

    Raises:
        HarnessError: a name is unknown, or the stored texts of a collection are missing. The message says what to do.

    Examples:
        >>> import harness
        >>> _ = harness.run("demo/en", first_stage="bm25", rerankers="control:oracle", depth=10)
        >>> explanation = harness.why("control:oracle", "bm25 (first stage)")
        >>> round(explanation.difference.value, 4)
        -0.1574
        >>> explanation.write("why.html")
    """
    from harness.api.explanation import Explanation
    from harness.judging.why.analysis import why as explained
    from harness.judging.why.stored import find

    wanted = _wanted(collections, first_stage, depth)
    place, by = Workspace(arguments.workspace_of(workspace)), arguments.name_of("measure", measure)
    found = find(place, arguments.name_of("a", a), arguments.name_of("b", b), by, wanted)
    return Explanation(found, explained(found.facings))


def _wanted(collections: str | Sequence[str] | None, first_stage: str | None, depth: int | None) -> Wanted:
    return Wanted(
        arguments.names_of("collections", collections),
        arguments.optional_name("first_stage", first_stage),
        arguments.optional_whole("depth", depth),
    )


def _other(workspace: Workspace, against: Path | None) -> Workspace | None:
    """Return the workspace `against`; None if it is the same workspace."""
    if against is None:
        return None
    other = Workspace(against)
    if is_same_store(other.results, workspace.results):
        return None
    with stored_in(other.results, "--against"):
        return other


def _declared(policy: Policy | str | Path | None) -> Policy:
    from harness.judging.gate.policy import Policy, read_policy

    if isinstance(policy, Policy):
        return policy
    if policy is None:
        return read_policy(_POLICY) if _POLICY.is_file() else Policy()
    if not isinstance(policy, str | Path):
        raise UsageError(f"policy must be a harness.Policy or a TOML file, not {policy!r}")
    return read_policy(Path(policy))
