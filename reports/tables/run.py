"""The tables of a run: systems, collections of a set with their macro average, the audit and the controls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from harness.data.parallel import notes as parallel_notes
from harness.data.sources.dirt import TAKEN
from harness.data.suites.targets import PAIRED_MEASURE, is_suite_target
from harness.measuring.measures import parse
from harness.measuring.votes import parts, shares
from harness.numbers import DASH, count, points, share, signed
from harness.result.facts import CollectionFacts
from harness.result.figure import SYSTEMS, Figure
from harness.result.gathered import OFFICIAL, grid_of
from harness.result.keys import CollectionKey
from harness.result.result import Result
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_stored, shown_language
from harness.scoring.retrieve import GIVEN
from reports import rule
from reports.columns import POINTS, in_order, measure_note
from reports.findings import finding
from reports.grid import GridColumn, figures_of, named, official_grids, run_columns
from reports.lines import Line
from reports.marks import footnotes
from reports.table import Cell, Table
from reports.tables.report import Sheet, line
from reports.tables.robustness import robustness_tables
from reports.tables.systems import FIRST_STAGE, SystemRow
from reports.tables.systems import systems_table as layout
from reports.view import PLAIN, View

SIGNIFICANT = "*"
_SIGNS = {SIGNIFICANT: "significant: the corrected p-value is at most 0.05"}


def comparison_tables(results: Sequence[Result], view: View = PLAIN) -> list[Table]:
    """For each measure of a run a table of systems and, for several collections, a table of collections. After them the
    table of robustness, if it was measured."""
    tables = []
    for measure in in_order(measured(results), view.measures):
        sheet = sheet_of(results, measure, view)
        tables += [systems_table(sheet), *([collections_table(sheet)] if len(sheet.columns) > 1 else [])]
    tables += [systems_table(sheet_of(results, OFFICIAL, view))] if has_official(results) else []
    return [*tables, *robustness_tables(results, view).values()]


def measured(results: Sequence[Result]) -> list[str]:
    """Every measure once, main measures first."""
    mains = {one.collection.main_measure for one in results}
    return sorted(dict.fromkeys(one.measure for one in results), key=lambda name: name not in mains)


def has_official(results: Sequence[Result]) -> bool:
    """Whether the collections are of one suite with several main measures, and each was measured by its own.

    Collections that a user puts together are not averaged over different measures."""
    collections = {one.collection for one in results}
    suites = {one.name.partition("/")[0] for one in collections}
    by_their_own = {one.id for one in results if one.measure == one.collection.main_measure}
    return (
        len(suites) == 1
        and all(is_suite_target(one.name) for one in collections)
        and len({one.main_measure for one in collections}) > 1
        and by_their_own == {one.id for one in results}
    )


def sheet_of(results: Sequence[Result], measure: str, view: View = PLAIN) -> Sheet:
    """The figures of a run by one measure, or by `OFFICIAL`: of every collection and group, and last their average.

    The run has one first stage and one depth. Everything that shows a run takes its figures from here.
    """
    own = [one for one in results if one.measure == measure]
    grid = official_grids(results)[0] if measure == OFFICIAL else grid_of(measure, own)
    columns = run_columns(grid)
    return Sheet(grid, tuple(columns), figures_of(grid, columns), view=view)


def lines(sheet: Sheet) -> dict[str, Line]:
    """The line of each system over all collections, by its label."""
    return {one.label: line(sheet, one, len(sheet.columns) - 1) for one in sheet.grid.systems}


def systems_table(sheet: Sheet) -> Table:
    """One row per system. Several collections are averaged; see `harness.measuring.votes`."""
    results, collections, last = list(sheet.grid.cells.values()), sheet.grid.collections, len(sheet.columns) - 1
    averages = {one.label: sheet.figure(one, last) for one in sheet.grid.systems}
    rows = [
        SystemRow((Cell(sheet.view.system(label)),), line, is_wrong=averages[label].wrong)
        for label, line in lines(sheet).items()
    ]
    notes = [
        measure_note(sheet.grid.measure),
        *_known(results),
        *map(described, collections_of(results) if len(collections) == 1 else ()),
        *_about(sheet, next(iter(averages.values()))),
        *_votes(collections),
        *_half_precision(results),
        *rule.notes({SYSTEMS: averages.values()}),
    ]
    title = f"{sheet.grid.measure}, {_over(collections)}"
    return layout(title, ("system",), rows, sheet.view.columns, signs=_signs, notes=notes, known=_SIGNS)


def collections_table(sheet: Sheet) -> Table:
    """One row per collection, one per group after its members, and the macro average. Each system has a column, and
    each reranker a column with its difference to the first stage."""
    results, systems = list(sheet.grid.cells.values()), sheet.grid.systems
    rows = [_collection_row(sheet, place) for place in range(len(sheet.columns))]
    tested = [
        (f"{sheet.view.system(system.label)} on {column.title}", sheet.figure(system, place).difference)
        for place, column in enumerate(sheet.columns)
        if len(column.collections) == 1
        for system in systems
    ]
    families: dict[str, list[Figure]] = {}
    for (_, place), figure in sheet.figures.items():
        families.setdefault(sheet.columns[place].family, []).append(figure)
    columns = ["language", "collection", "queries"]
    for i, system in enumerate(systems):
        columns += [sheet.view.system(system.label), "vs first stage"][: 1 + (i > 0)]
    notes = (*_known(results), measure_note(sheet.grid.measure), *_votes(sheet.grid.collections))
    return Table(
        f"{sheet.grid.measure} by collection", (*columns, "ceiling"), tuple(rows), (*notes, *rule.notes(families)),
        left=2, footnotes=footnotes(rows, (), _SIGNS), finding=finding(tested, "result", FIRST_STAGE),
    )  # fmt: skip


def audit_table(results: Sequence[Result], view: View = PLAIN) -> Table:
    """Counts of the audit, one row per evaluation."""
    columns = (
        "collection", "system", "id", "judged@10", "no candidates", "duplicate texts", "constant", "distinct scores",
        "truncated", "half lost", "all lost", "same input", "membership",
    )  # fmt: skip
    rows = tuple(tuple(map(Cell, _audit_row(one, view))) for one in {one.id: one for one in results}.values())
    notes = (
        "no candidates and constant count queries, the other columns count candidates; -: the system has no tokens",
        *bm25_notes(of_stored(one.stored for one in results)),
    )
    return Table("audit", columns, rows, notes, left=3)


def controls_table(results: Sequence[Result]) -> Table:
    """The values of the controls on the same candidates, as macro averages over the collections."""
    first = [one for one in results if one.system == results[0].system]
    names = list(first[0].stored.controls.means)
    rows = []
    for measure in dict.fromkeys(one.measure for one in first if one.measure != PAIRED_MEASURE):
        own = [one for one in first if one.measure == measure]
        weights = shares([one.collection.group for one in own])
        means = [one.stored.controls.means for one in own]
        values = [
            sum(weight * mean[name][measure] for weight, mean in zip(weights, means, strict=True)) for name in names
        ]
        rows.append((Cell(measure), *(Cell(points(value)) for value in values)))
    notes = (
        "identity must equal the first stage to the last digit; constant: the value of the tie rule alone",
        *bm25_notes(of_stored(one.stored for one in first)),
    )
    return Table("controls", ("measure", *names), tuple(rows), notes)


def alarms(results: Sequence[Result], view: View = PLAIN) -> list[str]:
    """The alarms with their collection and system, each once."""
    return list(
        dict.fromkeys(
            f"{one.collection.name} · {view.system(one.system.label)}: {alarm.named}"
            for one in results
            for alarm in one.stored.audit.alarms
        )
    )


def collections_of(results: Iterable[Result]) -> list[CollectionFacts]:
    """The collections, each once."""
    return list({one.collection.fingerprint: one.stored.collection for one in results}.values())


def described(collection: CollectionFacts) -> str:
    """The counts of a collection in one line."""
    counts = collection.counts
    queries = f"{counts.queries:,} queries"
    if collection.sampled_from:
        queries = f"a sample of {counts.queries:,} of its {collection.sampled_from:,} queries"
    texts = [f"{count(counts.documents)} documents", queries, f"{count(counts.judgments)} judgments"]
    found = {
        "judged zero": counts.judged_zero,
        "empty documents": counts.empty_documents,
        "documents with the text of another": counts.duplicate_texts,
        "queries without a relevant document (they count as 0)": counts.queries_without_relevant,
        "queries without judgments (left out)": counts.queries_without_judgments,
        "judged queries without a text": counts.empty_queries,
        **{TAKEN.get(name, f"let through: {name}"): let for name, let in (counts.let_through or {}).items()},
    }
    texts += [f"{number:,} {name}" for name, number in found.items() if number]
    return f"{collection.name}, split {collection.split}: {', '.join(texts)}"


def declared_notes(results: Sequence[Result]) -> list[str]:
    """Notes about the collections, each once."""
    return [*dict.fromkeys(note for one in collections_of(results) for note in one.notes), *set_notes(results)]


def set_notes(results: Sequence[Result]) -> list[str]:
    """Notes about parallel sets."""
    ids = {one.collection.fingerprint: one.ids for one in reversed(results)}
    return parallel_notes(collections_of(results), ids)


def _known(results: Sequence[Result]) -> list[str]:
    """Notes about the collections, about values that are known to be wrong, and about how BM25 stems."""
    wrong = dict.fromkeys(f"{one.system.label} on {one.collection.name}: {one.wrong}" for one in results if one.wrong)
    return [*declared_notes(results), *wrong, *bm25_notes(of_stored(one.stored for one in results))]


def _half_precision(results: Sequence[Result]) -> Iterator[str]:
    """Notes about what half precision changes, one for each system: that of the collection where it is most."""
    noisy = [(floor.effects.get(one.measure, 0.0), one) for one in results if (floor := one.stored.audit.noise)]
    for label in dict.fromkeys(one.system.label for _, one in noisy):
        effect, most = max((pair for pair in noisy if pair[1].system.label == label), key=lambda pair: pair[0])
        floor = most.stored.audit.noise
        assert floor is not None
        yield (
            f"{label} computes in {most.stored.dtype}: other batches of the same {floor.pairs:,} pairs of "
            f"{most.collection.name} change {most.measure} by up to {points(effect)} points, and the order of "
            f"{share(floor.turned)} of the pairs of candidates"
        )


def _about(sheet: Sheet, first: Figure) -> Iterator[str]:
    """Notes on the depth of the candidates, the official measures and chance."""
    system, measure = sheet.grid.systems[0], sheet.grid.measure
    if system.first_stage == GIVEN:
        yield "given lists are used whole and have no order: their row shows the value of the tie rule alone"
    else:
        cutoff = None if measure in (OFFICIAL, PAIRED_MEASURE) else parse(measure).cutoff
        yield f"depth {system.depth}" + (", lower ranks are empty" if (cutoff or 0) > system.depth else "")
    if measure == OFFICIAL:
        yield f"official measures: {', '.join(dict.fromkeys(one.main_measure for one in sheet.grid.collections))}"
    elif first.chance is not None:
        yield f"a random order of these candidates has an expected value of {points(first.chance)}"


def _signs(figure: Figure) -> tuple[str, ...]:
    return (SIGNIFICANT,) if figure.significant else ()


def _collection_row(sheet: Sheet, place: int) -> tuple[Cell, ...]:
    column, show = sheet.columns[place], POINTS.of(sheet.grid.measure)
    figures = [sheet.figure(system, place) for system in sheet.grid.systems]
    best = max((one.value for one in figures if one.value is not None and not one.wrong), default=None)
    cells = [
        Cell(_language(sheet, column)),
        Cell(column.title),
        Cell(count(sum(o.queries for o in column.collections))),
    ]
    for i, figure in enumerate(figures):
        cells.append(Cell(show(figure.value), strong=best is not None and figure.value == best and not figure.wrong))
        cells += [Cell(signed(figure.delta), marks=_signs(figure))] if i else []
    return (*cells, Cell(points(figures[0].ceiling)))


def _language(sheet: Sheet, column: GridColumn) -> str:
    if len(column.collections) > 1:
        return ""
    facts = next(one.stored.collection for (_, key), one in sheet.grid.cells.items() if key == column.collections[0])
    return shown_language(facts.language, facts.detected_language)


def _audit_row(one: Result, view: View) -> list[str]:
    found, tokens = one.stored.audit, one.stored.audit.tokens
    lost = [tokens.truncated, tokens.truncated_half, tokens.truncated_away, tokens.identical_inputs] if tokens else []
    counts = [found.queries_without_candidates, found.duplicate_texts, found.constant_queries]
    return [
        one.collection.name, view.system(one.system.label), one.id, share(found.judged_at_10),
        *map(count, counts), share(found.distinct_scores), *(map(count, lost) if lost else [DASH] * 4),
        "kept" if found.membership_kept else "CHANGED",
    ]  # fmt: skip


def _over(collections: Sequence[CollectionKey]) -> str:
    averaged = parts(collections)
    if len(averaged) == 1:
        return named(averaged[0])
    groups = sum(len(part) > 1 for part in averaged)
    counted = [_counted(len(averaged) - groups, "collection"), _counted(groups, "group")]
    return f"macro average of {' and '.join(filter(None, counted))}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}" if number else ""


def _votes(collections: Sequence[CollectionKey]) -> list[str]:
    averaged = parts(collections)
    groups = ", ".join(f"{part[0].group} ({len(part)})" for part in averaged if len(part) > 1)
    if not groups or len(averaged) == 1:
        return []
    return [
        f"{len(collections)} collections have {len(averaged)} votes; averaged first and then counted as one: {groups}"
    ]
