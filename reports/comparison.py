"""Evaluations as comparison tables: systems of one collection, and languages of a set with their macro average."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.data.collection import Collection
from harness.data.notes import notes_of
from harness.data.parallel import notes as parallel_notes
from harness.data.sources.dirt import TAKEN
from harness.data.suites.targets import PAIRED_MEASURE
from harness.measuring.measures import Measure
from harness.result.evaluation import Evaluation
from harness.result.figure import COLLECTIONS, GROUPS, SYSTEMS, Figure, Interval
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_evaluations, shown_language
from harness.result.summary import OFFICIAL, Summary, has_official, parts, summarise, summarise_official, votes
from harness.scoring.retrieve import GIVEN
from reports import rule
from reports.best import best_of, wrong_notes
from reports.overview import probability
from reports.tables import Cell, Table

_COLUMNS = (
    "95 % interval",
    "vs first stage",
    "interval of it",
    "adjusted p",
    "ceiling",
    "headroom",
    "tie span",
    "truncated",
    "pairs/s",
)
_MARKS = "* significant: the corrected p-value is at most 0.05"


def comparison_tables(evaluations: Sequence[Evaluation]) -> list[Table]:
    """Per measure: one table of systems, and for a set of collections one of collections; last, if measured, p-MRR."""
    tables = []
    for measure in dict.fromkeys(measure for evaluation in evaluations for measure in evaluation.measures):
        measured = [evaluation for evaluation in evaluations if measure in evaluation.measures]
        tables.append(systems_table(measured, measure))
        if len(_collections(measured)) > 1:
            tables.append(collections_table(measured, measure))
    if has_official(evaluations):
        tables.append(official_table(evaluations))
    paired = [evaluation for evaluation in evaluations if evaluation.paired]
    return [*tables, paired_table(paired)] if paired else tables


def systems_table(evaluations: Sequence[Evaluation], measure: Measure) -> Table:
    """One row per system; over several collections their macro average, see `harness.result.summary.votes`."""
    systems, summary = by_system(evaluations), summarise(evaluations, measure)
    rows = _system_rows(systems, summary)
    collections = _collections(evaluations)
    chance = next(iter(summary.systems.values())).chance
    notes = [
        *declared_notes(collections),
        *wrong_notes(systems),
        *bm25_notes(of_evaluations(evaluations)),
        *(described(collection) for collection in collections if len(collections) == 1),
        f"{measure} x 100; {_depth(evaluations[0], measure)}",
        *_votes(collections),
        f"a random order of these candidates expects {points(chance)}",
        *_significance({SYSTEMS: summary.systems.values()}),
        "ceiling: a perfect order of the same candidates; headroom: the share of the way there that was gained",
    ]
    return Table(f"{measure}, {_over(collections)}", ("system", str(measure), *_COLUMNS), rows, tuple(notes))


def official_table(evaluations: Sequence[Evaluation]) -> Table:
    """One row per system: the mean over collections of which each is measured as its task says, as mteb averages."""
    systems, summary = by_system(evaluations), summarise_official(evaluations)
    rows = _system_rows(systems, summary)
    collections = _collections(evaluations)
    used = ", ".join(dict.fromkeys(collection.rules.main_measure for collection in collections))
    notes = (
        f"every collection by its own official measure ({used}), x 100; a mean of different measures has no unit: it "
        "orders systems as mteb's leaderboard does, and says nothing else",
        *bm25_notes(of_evaluations(evaluations)),
        *_votes(collections),
        *wrong_notes(systems),
        *_significance({SYSTEMS: summary.systems.values()}),
    )
    return Table(f"{OFFICIAL}, {_over(collections)}", ("system", "mean", *_COLUMNS), rows, notes)


def collections_table(evaluations: Sequence[Evaluation], measure: Measure) -> Table:
    """One row per collection, and one per group after its members; a column per system with its difference to the
    first stage; the macro average."""
    systems, collections = by_system(evaluations), _collections(evaluations)
    summary, shown = summarise(evaluations, measure), dict[str, list[Figure]]()

    def row(name: str, averaged: Sequence[Collection], family: str) -> tuple[Cell, ...]:
        found = {system: summary.of(system, averaged) for system in systems}
        shown.setdefault(SYSTEMS if len(averaged) == len(collections) else family, []).extend(found.values())
        return _collection_row(name, averaged, found, best_of(systems, found))

    rows = []
    for part in parts(collections):
        rows += [row(collection.name, [collection], COLLECTIONS) for collection in part]
        rows += [row(_named(part), part, GROUPS)] if len(part) > 1 else []
    if len(parts(collections)) > 1:
        rows.append(row("macro average", collections, SYSTEMS))
    columns = ["language", "collection", "queries"]
    for i, name in enumerate(systems):
        columns += [name] if i == 0 else [name, "vs first stage"]
    known = (*declared_notes(collections), *bm25_notes(of_evaluations(evaluations)), *wrong_notes(systems))
    notes = (*known, f"{measure} x 100", *_votes(collections), *_significance(shown))
    return Table(f"{measure} by collection", (*columns, "ceiling"), tuple(rows), notes, left=2)


def paired_table(evaluations: Sequence[Evaluation]) -> Table:
    """p-MRR of evaluations that have it: one row per system, over several collections their macro average."""
    measured = [evaluation for evaluation in evaluations if evaluation.paired]
    systems, summary = by_system(measured), summarise(measured, PAIRED_MEASURE)
    best = best_of(systems, summary.systems)
    rows = tuple(
        (
            Cell(name),
            Cell(_signed_points(figure.value), strong=name in best),
            Cell(_interval(figure.interval, _signed_points)),
            *_difference(figure),
            Cell(f"{sum(len(one.paired.questions) for one in systems[name] if one.paired):,}"),
        )
        for name, figure in summary.systems.items()
    )
    collections = _collections(evaluations)
    notes = (
        f"{PAIRED_MEASURE} x 100, signed, from -100 to 100: how documents move that the changed instruction makes "
        "irrelevant; above 0 they sink, as they should, 0 ignores the instruction, below 0 they rise",
        *bm25_notes(of_evaluations(evaluations)),
        *_votes(collections),
        *wrong_notes(systems),
        f"95 % interval: {rule.INTERVAL.removeprefix('95 % ')}; a question is a pair of queries",
        *_significance({SYSTEMS: summary.systems.values()}),
    )
    columns = ("system", PAIRED_MEASURE, *_COLUMNS[:4], "questions")
    return Table(f"{PAIRED_MEASURE}, {_over(collections)}", columns, rows, notes)


def audit_table(evaluations: Sequence[Evaluation]) -> Table:
    """What every number rests on, one row per evaluation."""
    columns = (
        "collection", "system", "id", "judged@10", "no candidates", "duplicate texts", "constant", "distinct scores",
        "truncated", "half lost", "all lost", "same input", "membership",
    )  # fmt: skip
    rows = tuple(tuple(Cell(text) for text in _audit_row(evaluation)) for evaluation in evaluations)
    notes = (
        "queries: no candidates, constant; all other counts are of candidates; - where a system has no tokens",
        *bm25_notes(of_evaluations(evaluations)),
    )
    return Table("audit", columns, rows, notes, left=3)


def controls_table(evaluations: Sequence[Evaluation]) -> Table:
    """What rankings that know no text get on the same candidates; macro average over the collections."""
    first = next(iter(by_system(evaluations).values()))
    names = list(first[0].ground.controls)
    rows = []
    for measure in dict.fromkeys(measure for evaluation in first for measure in evaluation.measures):
        measured = [evaluation for evaluation in first if measure in evaluation.measures]
        weights = votes([evaluation.collection for evaluation in measured])
        means = [evaluation.ground.means() for evaluation in measured]
        values = [
            sum(weight * mean[name][str(measure)] for weight, mean in zip(weights, means, strict=True))
            for name in names
        ]
        rows.append((Cell(str(measure)), *(Cell(points(value)) for value in values)))
    notes = (
        "identity must equal the first stage to the last digit; constant is what the tie rule alone is worth",
        *bm25_notes(of_evaluations(first)),
    )
    return Table("controls", ("measure", *names), tuple(rows), notes)


def alarms(evaluations: Sequence[Evaluation]) -> list[str]:
    """Every alarm once, with the collection and the system that it is about."""
    return list(
        dict.fromkeys(
            f"{evaluation.collection.name} · {evaluation.system.label}: {alarm.named}"
            for evaluation in evaluations
            for alarm in evaluation.alarms
        )
    )


def described(collection: Collection) -> str:
    """A collection's counts in one line."""
    counts = collection.counts
    asked = f"{counts.queries:,} queries"
    if collection.sampled_from:
        asked = f"a sample of {counts.queries:,} of its {collection.sampled_from:,} queries"
    parts = [f"{counts.documents:,} documents", asked, f"{counts.judgments:,} judgments"]
    named = {
        "judged zero": counts.judged_zero,
        "empty documents": counts.empty_documents,
        "documents with a text of another": counts.duplicate_texts,
        "queries without a relevant document (they count as 0)": counts.queries_without_relevant,
        "queries without judgments (left out)": counts.queries_without_judgments,
        "judged queries without a text": counts.empty_queries,
        **{TAKEN.get(name, f"let through: {name}"): count for name, count in counts.let_through.items()},
    }
    parts += [f"{count:,} {name}" for name, count in named.items() if count]
    return f"{collection.name}, split {collection.split}: {', '.join(parts)}"


def declared_notes(collections: Sequence[Collection]) -> list[str]:
    """What a reader of these collections has to know, each once."""
    own = dict.fromkeys(note for collection in collections for note in notes_of(collection))
    return [*own, *parallel_notes(collections)]


def by_system(evaluations: Sequence[Evaluation]) -> dict[str, list[Evaluation]]:
    """Evaluations by the label of their system, the first stage first."""
    groups: dict[str, list[Evaluation]] = {}
    for evaluation in evaluations:
        groups.setdefault(evaluation.system.label, []).append(evaluation)
    return groups


def points(value: float | None) -> str:
    """A fraction as points with two decimals."""
    return "-" if value is None or math.isnan(value) else f"{100 * value:.2f}"


def _signed_points(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{100 * value:+z.2f}"


def _significance(families: Mapping[str, Iterable[Figure]]) -> list[str]:
    """The test and its correction; none where nothing was tested."""
    said = rule.notes({family: list(own) for family, own in families.items()})
    return [_MARKS, *said] if said else []


def _depth(evaluation: Evaluation, measure: Measure) -> str:
    if evaluation.system.first_stage.name == GIVEN:
        return "given lists, whole and without an order: their row shows what the tie rule alone is worth"
    depth = evaluation.system.depth
    return f"depth {depth}" + (", ranks beyond it are empty" if (measure.cutoff or depth) > depth else "")


def _system_rows(systems: Mapping[str, Sequence[Evaluation]], summary: Summary) -> tuple[tuple[Cell, ...], ...]:
    best = best_of(systems, summary.systems)
    return tuple(
        _system_row(name, measured, summary.of(name), strong=name in best) for name, measured in systems.items()
    )


def _system_row(name: str, measured: Sequence[Evaluation], figure: Figure, *, strong: bool) -> tuple[Cell, ...]:
    return (
        Cell(name),
        Cell(points(figure.value), strong=strong),
        Cell(_interval(figure.interval)),
        *_difference(figure),
        Cell(points(figure.ceiling)),
        Cell(_headroom(figure) if measured[0].system.reranker is not None else ""),
        Cell(points(figure.tie_span)),
        Cell(_truncated(measured)),
        Cell(_speed(measured)),
    )


def _difference(figure: Figure) -> tuple[Cell, Cell, Cell]:
    """With its interval and its p-value; empty for a first stage."""
    own = figure.difference
    if own is None:
        return Cell(""), Cell(""), Cell("")
    interval = _interval(figure.delta_interval, _signed_points)
    return Cell(_signed(figure)), Cell(interval), Cell(probability(own.adjusted_p))


def _collection_row(
    name: str, averaged: Sequence[Collection], found: Mapping[str, Figure], best: Sequence[str]
) -> tuple[Cell, ...]:
    first = next(iter(found.values()))
    language = shown_language(averaged[0].language, averaged[0].detected_language) if len(averaged) == 1 else ""
    cells = [Cell(language), Cell(name), Cell(f"{sum(len(collection.queries) for collection in averaged):,}")]
    for system, figure in found.items():
        cells.append(Cell(points(figure.value), strong=system in best))
        cells += [] if figure is first else [Cell(_signed(figure))]
    return (*cells, Cell(points(first.ceiling)))


def _audit_row(evaluation: Evaluation) -> list[str]:
    found, tokens = evaluation.audit, evaluation.audit.tokens
    lost = [tokens.truncated, tokens.truncated_half, tokens.truncated_away, tokens.identical_inputs] if tokens else []
    counts = [found.queries_without_candidates, found.duplicate_texts, found.constant_queries]
    return [
        evaluation.collection.name, evaluation.system.label, evaluation.id, f"{100 * found.judged_at_10:.1f} %",
        *(f"{count:,}" for count in counts), f"{100 * found.distinct_scores:.1f} %",
        *("-" if count is None else f"{count:,}" for count in lost or [None] * 4),
        "kept" if found.membership_kept else "CHANGED",
    ]  # fmt: skip


def _collections(evaluations: Sequence[Evaluation]) -> list[Collection]:
    return list({e.collection.fingerprint: e.collection for e in evaluations}.values())


def _over(collections: Sequence[Collection]) -> str:
    averaged = parts(collections)
    if len(averaged) == 1:
        return _named(averaged[0])
    groups = sum(len(part) > 1 for part in averaged)
    counted = [_counted(len(averaged) - groups, "collection"), _counted(groups, "group")]
    return f"macro average of {' and '.join(filter(None, counted))}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}" if count else ""


def _named(part: Sequence[Collection]) -> str:
    return part[0].name if len(part) == 1 else f"{part[0].group}, mean of {len(part)}"


def _votes(collections: Sequence[Collection]) -> list[str]:
    averaged = parts(collections)
    groups = ", ".join(f"{part[0].group} ({len(part)})" for part in averaged if len(part) > 1)
    if not groups or len(averaged) == 1:
        return []
    return [f"{len(collections)} collections have {len(averaged)} votes; averaged first, and then one vote: {groups}"]


def _interval(bounds: Interval | None, show: Callable[[float], str] = points) -> str:
    return "-" if bounds is None else f"[{show(bounds[0])}, {show(bounds[1])}]"


def _signed(figure: Figure) -> str:
    return f"{_signed_points(figure.delta)}{'*' if figure.significant else ''}"


def _headroom(figure: Figure) -> str:
    return "-" if figure.headroom is None else f"{100 * figure.headroom:+z.0f} %"


def _truncated(group: Sequence[Evaluation]) -> str:
    tokens = [evaluation.audit.tokens for evaluation in group]
    if any(found is None for found in tokens):
        return "-"
    count = sum(found.truncated for found in tokens if found)
    total = sum(evaluation.audit.candidates for evaluation in group)
    return f"{count:,} ({100 * count / max(total, 1):.1f} %)" if count else "0"


def _speed(group: Sequence[Evaluation]) -> str:
    speeds = [evaluation.pairs_per_second for evaluation in group]
    known = [speed for speed in speeds if speed]
    if not known or len(known) < len(speeds):
        return "-"
    pairs = [evaluation.audit.candidates for evaluation in group]
    return f"{sum(pairs) / sum(n / speed for n, speed in zip(pairs, known, strict=True)):,.1f}"
