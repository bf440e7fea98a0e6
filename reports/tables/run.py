"""The tables of a run: systems, collections of a set with their macro average, the audit and the controls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from harness.data.collection import Collection
from harness.data.notes import notes_of
from harness.data.parallel import notes as parallel_notes
from harness.data.sources.dirt import TAKEN
from harness.data.suites.targets import PAIRED_MEASURE
from harness.measuring.measures import Measure
from harness.result.evaluation import Evaluation
from harness.result.figure import COLLECTIONS, GROUPS, SYSTEMS, Figure
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_evaluations, shown_language
from harness.result.summary import OFFICIAL, Summary, has_official, parts, summarise, summarise_official, votes
from harness.scoring.retrieve import GIVEN
from reports import rule
from reports.columns import POINTS, in_order, measure_note
from reports.findings import Named, finding
from reports.lines import Line, of_evaluation
from reports.marks import footnotes
from reports.numbers import points, signed
from reports.table import Cell, Table
from reports.tables.systems import FIRST_STAGE, SystemRow
from reports.tables.systems import systems_table as layout
from reports.view import PLAIN, View

Show = Callable[[float | None], str]
SIGNIFICANT = "*"
_SIGNS = {SIGNIFICANT: "significant: the corrected p-value is at most 0.05"}


def comparison_tables(evaluations: Sequence[Evaluation], view: View = PLAIN) -> list[Table]:
    """For each measure a table of systems and, for several collections, a table of collections."""
    tables = []
    for measure in in_order(measured(evaluations), view.measures):
        own = [evaluation for evaluation in evaluations if measure in names_of(evaluation)]
        tables.append(systems_table(own, measure, view))
        if len(_collections(own)) > 1:
            tables.append(collections_table(own, measure, view))
    return [*tables, systems_table(evaluations, OFFICIAL, view)] if has_official(evaluations) else tables


def names_of(evaluation: Evaluation) -> list[str]:
    """The measures of an evaluation, p-MRR last."""
    return [*map(str, evaluation.measures), *([PAIRED_MEASURE] if evaluation.paired else [])]


def measured(evaluations: Sequence[Evaluation]) -> list[str]:
    """Every measure once, main measures first."""
    measures = dict.fromkeys(name for one in evaluations for name in names_of(one))
    mains = {one.collection.rules.main_measure for one in evaluations}
    return sorted(measures, key=lambda name: name not in mains)


def systems_table(evaluations: Sequence[Evaluation], measure: Measure | str, view: View = PLAIN) -> Table:
    """One row per system. Several collections are averaged; see `harness.result.summary.votes`."""
    name, collections, systems = str(measure), _collections(evaluations), by_system(evaluations)
    summary = summarised(evaluations, name)
    rows = [
        SystemRow((Cell(view.system(label)),), line, is_wrong=any(one.wrong for one in systems[label]))
        for label, line in lines(evaluations, summary).items()
    ]
    notes = [
        measure_note(name),
        *declared_notes(collections),
        *wrong_notes(systems),
        *bm25_notes(of_evaluations(evaluations)),
        *(described(collection) for collection in collections if len(collections) == 1),
        *_about(evaluations, summary, collections),
        *_votes(collections),
        *rule.notes({SYSTEMS: list(summary.systems.values())}),
    ]
    return layout(
        f"{name}, {_over(collections)}", ("system",), rows, view.columns, signs=_signs, notes=notes, known=_SIGNS
    )


def summarised(evaluations: Sequence[Evaluation], measure: str) -> Summary:
    """The figures of one measure, or of `OFFICIAL`."""
    return summarise_official(evaluations) if measure == OFFICIAL else summarise(evaluations, measure)


def lines(evaluations: Sequence[Evaluation], summary: Summary) -> dict[str, Line]:
    """The line of each system by its label."""
    systems = by_system(evaluations)
    return {
        label: Line(
            measure=summary.measure,
            figure=figure,
            evaluations=tuple(of_evaluation(one, _of(one, summary.measure)) for one in systems[label]),
            each=tuple(own for one in summary.collections if (own := summary.figures.get((label, (one.fingerprint,))))),
            is_first_stage=systems[label][0].system.reranker is None,
        )
        for label, figure in summary.systems.items()
    }


def collections_table(evaluations: Sequence[Evaluation], measure: Measure | str, view: View = PLAIN) -> Table:
    """One row per collection, one per group after its members, and the macro average. Each system has a column, and
    each reranker a column with its difference to the first stage."""
    systems, collections = by_system(evaluations), _collections(evaluations)
    summary, shown = summarise(evaluations, measure), dict[str, list[Figure]]()
    tested = list[Named]()

    def row(name: str, averaged: Sequence[Collection], family: str) -> tuple[Cell, ...]:
        found = {system: summary.of(system, averaged) for system in systems}
        shown.setdefault(SYSTEMS if len(averaged) == len(collections) else family, []).extend(found.values())
        if family == COLLECTIONS:
            tested.extend((f"{view.system(system)} on {name}", one.difference) for system, one in found.items())
        return _collection_row(name, averaged, found, best_of(systems, found), POINTS.of(str(measure)))

    rows = []
    for part in parts(collections):
        rows += [row(collection.name, [collection], COLLECTIONS) for collection in part]
        rows += [row(_named(part), part, GROUPS)] if len(part) > 1 else []
    if len(parts(collections)) > 1:
        rows.append(row("macro average", collections, SYSTEMS))
    columns = ["language", "collection", "queries"]
    for i, name in enumerate(systems):
        columns += [view.system(name), "vs first stage"][: 1 + (i > 0)]
    known = (*declared_notes(collections), *bm25_notes(of_evaluations(evaluations)), *wrong_notes(systems))
    notes = (*known, measure_note(str(measure)), *_votes(collections), *rule.notes(shown))
    return Table(
        f"{measure} by collection", (*columns, "ceiling"), tuple(rows), notes, left=2,
        footnotes=footnotes(rows, (), _SIGNS), finding=finding(tested, "result", FIRST_STAGE),
    )  # fmt: skip


def audit_table(evaluations: Sequence[Evaluation], view: View = PLAIN) -> Table:
    """Counts of the audit, one row per evaluation."""
    columns = (
        "collection", "system", "id", "judged@10", "no candidates", "duplicate texts", "constant", "distinct scores",
        "truncated", "half lost", "all lost", "same input", "membership",
    )  # fmt: skip
    rows = tuple(tuple(Cell(text) for text in _audit_row(evaluation, view)) for evaluation in evaluations)
    notes = (
        "no candidates and constant count queries, the other columns count candidates; -: the system has no tokens",
        *bm25_notes(of_evaluations(evaluations)),
    )
    return Table("audit", columns, rows, notes, left=3)


def controls_table(evaluations: Sequence[Evaluation]) -> Table:
    """The values of the controls on the same candidates, as macro averages over the collections."""
    first = next(iter(by_system(evaluations).values()))
    names = list(first[0].ground.controls)
    rows = []
    for measure in dict.fromkeys(measure for evaluation in first for measure in evaluation.measures):
        own = [evaluation for evaluation in first if measure in evaluation.measures]
        weights = votes([evaluation.collection for evaluation in own])
        means = [evaluation.ground.means() for evaluation in own]
        values = [
            sum(weight * mean[name][str(measure)] for weight, mean in zip(weights, means, strict=True))
            for name in names
        ]
        rows.append((Cell(str(measure)), *(Cell(points(value)) for value in values)))
    notes = (
        "identity must equal the first stage to the last digit; constant: the value of the tie rule alone",
        *bm25_notes(of_evaluations(first)),
    )
    return Table("controls", ("measure", *names), tuple(rows), notes)


def alarms(evaluations: Sequence[Evaluation], view: View = PLAIN) -> list[str]:
    """The alarms with their collection and system, each once."""
    return list(
        dict.fromkeys(
            f"{evaluation.collection.name} · {view.system(evaluation.system.label)}: {alarm.named}"
            for evaluation in evaluations
            for alarm in evaluation.alarms
        )
    )


def described(collection: Collection) -> str:
    """The counts of a collection in one line."""
    counts = collection.counts
    queries = f"{counts.queries:,} queries"
    if collection.sampled_from:
        queries = f"a sample of {counts.queries:,} of its {collection.sampled_from:,} queries"
    parts = [f"{counts.documents:,} documents", queries, f"{counts.judgments:,} judgments"]
    named = {
        "judged zero": counts.judged_zero,
        "empty documents": counts.empty_documents,
        "documents with the text of another": counts.duplicate_texts,
        "queries without a relevant document (they count as 0)": counts.queries_without_relevant,
        "queries without judgments (left out)": counts.queries_without_judgments,
        "judged queries without a text": counts.empty_queries,
        **{TAKEN.get(name, f"let through: {name}"): count for name, count in counts.let_through.items()},
    }
    parts += [f"{count:,} {name}" for name, count in named.items() if count]
    return f"{collection.name}, split {collection.split}: {', '.join(parts)}"


def declared_notes(collections: Sequence[Collection]) -> list[str]:
    """Notes about the collections, each once."""
    own = dict.fromkeys(note for collection in collections for note in notes_of(collection))
    return [*own, *parallel_notes(collections)]


def by_system(evaluations: Sequence[Evaluation]) -> dict[str, list[Evaluation]]:
    """Evaluations by the label of their system, the first stage first."""
    groups: dict[str, list[Evaluation]] = {}
    for evaluation in evaluations:
        groups.setdefault(evaluation.system.label, []).append(evaluation)
    return groups


def _about(evaluations: Sequence[Evaluation], summary: Summary, collections: Sequence[Collection]) -> Iterator[str]:
    """Notes on the depth of the candidates, the official measures and chance."""
    first = evaluations[0].system
    cutoff = next((one.cutoff for one in evaluations[0].measures if str(one) == summary.measure), None)
    if first.first_stage.name == GIVEN:
        yield "given lists are used whole and have no order: their row shows the value of the tie rule alone"
    else:
        yield f"depth {first.depth}" + (", lower ranks are empty" if (cutoff or first.depth) > first.depth else "")
    if summary.measure == OFFICIAL:
        yield f"official measures: {', '.join(dict.fromkeys(one.rules.main_measure for one in collections))}"
    chance = next(iter(summary.systems.values())).chance
    if chance is not None and summary.measure != OFFICIAL:
        yield f"a random order of these candidates has an expected value of {points(chance)}"


def _of(evaluation: Evaluation, measure: str) -> str:
    """The measure to use for a collection in a table of `measure`."""
    return evaluation.collection.rules.main_measure if measure == OFFICIAL else measure


def _signs(figure: Figure) -> tuple[str, ...]:
    return (SIGNIFICANT,) if figure.significant else ()


def _collection_row(
    name: str, averaged: Sequence[Collection], found: Mapping[str, Figure], best: Sequence[str], show: Show
) -> tuple[Cell, ...]:
    first = next(iter(found.values()))
    language = shown_language(averaged[0].language, averaged[0].detected_language) if len(averaged) == 1 else ""
    cells = [Cell(language), Cell(name), Cell(f"{sum(len(collection.queries) for collection in averaged):,}")]
    for system, figure in found.items():
        cells.append(Cell(show(figure.value), strong=system in best))
        cells += [] if figure is first else [Cell(signed(figure.delta), marks=_signs(figure))]
    return (*cells, Cell(points(first.ceiling)))


def _audit_row(evaluation: Evaluation, view: View) -> list[str]:
    found, tokens = evaluation.audit, evaluation.audit.tokens
    lost = [tokens.truncated, tokens.truncated_half, tokens.truncated_away, tokens.identical_inputs] if tokens else []
    counts = [found.queries_without_candidates, found.duplicate_texts, found.constant_queries]
    return [
        evaluation.collection.name, view.system(evaluation.system.label), evaluation.id,
        f"{100 * found.judged_at_10:.1f} %",
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
    return [
        f"{len(collections)} collections have {len(averaged)} votes; averaged first and then counted as one: {groups}"
    ]


def best_of(systems: Mapping[str, Sequence[Evaluation]], values: Mapping[str, Figure]) -> list[str]:
    """The systems with the highest value, without values that are known to be wrong."""
    sound = {name: figure.value for name, figure in values.items() if not any(one.wrong for one in systems[name])}
    numbers = [value for value in sound.values() if value is not None]
    return [name for name, value in sound.items() if numbers and value == max(numbers)]


def wrong_notes(systems: Mapping[str, Sequence[Evaluation]]) -> list[str]:
    """A note for every value that is known to be wrong."""
    wrong = [(name, one) for name, measured in systems.items() for one in measured if one.wrong]
    return list(dict.fromkeys(f"{name} on {one.collection.name}: {one.wrong}" for name, one in wrong))
