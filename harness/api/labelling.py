"""The calls about labels: judge_export, judge_import and judge_diff."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.errors import UsageError
from harness.api import arguments
from harness.api.targets import collections_of
from harness.data.collection import Collection
from harness.result.select import Wanted
from harness.workspace import Workspace

if TYPE_CHECKING:
    from harness.judging.compare.to_label import LabelSheet
    from harness.labelling.imports import ImportedLabels
    from reports.tables.labels import LabelComparison


def judge_export(  # noqa: PLR0917
    a: str,
    b: str,
    out: str | Path,
    first: int | None = None,
    measure: str | None = None,
    collections: str | Sequence[str] | None = None,
    first_stage: str | None = None,
    depth: int | None = None,
    judge: str | None = None,
    workspace: str | Path | None = None,
) -> LabelSheet:
    """Write the unjudged documents of two systems' top k, to be labelled, as `harness judge export` does.

    The folder gets `to-label.csv`, with an empty column for the grades, and `to-label.html`, one page that needs no
    server and no network. Neither has the names of the systems or ranks.

    Args:
        a: a system, as in `compare`.
        b: the system to compare with `a`.
        out: the folder to write.
        first: write only this number of documents, those that can move the difference most. Default: all.
        measure: one nDCG@k. Default: the main measure of each collection.
        collections: as in `compare`.
        first_stage: as in `compare`.
        depth: as in `compare`.
        judge: a judge that fills the column of grades: the lowest grade above 0 where it finds that the document
            answers the query (a value of at least 0.5), else 0. Import them with `by="judge:NAME"`. Default: none.
        workspace: as in `compare`.

    Returns:
        The `LabelSheet` that was written: its `items` and `grades`.

    Raises:
        UsageError: the judge is not independent of a system.
        HarnessError: a name is unknown, everything is judged, the judge fails, or the folder cannot be written.

    Examples:
        >>> import harness
        >>> _ = harness.run("demo/en", first_stage="bm25", rerankers="control:reverse", depth=20)
        >>> sheet = harness.judge_export("bm25 (first stage)", "control:reverse", "to-label", first=30)
        >>> len(sheet.items), sheet.grades
        (30, (0, 1, 2))
    """
    from harness.judging.compare.by_judge import labelled_by
    from harness.judging.compare.to_label import sheet
    from harness.judging.compare.unjudged import unjudged
    from reports.label_page import write_sheet

    number = arguments.optional_whole("first", first)
    wanted = Wanted(
        arguments.names_of("collections", collections),
        arguments.optional_name("first_stage", first_stage),
        arguments.optional_whole("depth", depth),
    )
    place = Workspace(arguments.workspace_of(workspace))
    names = arguments.name_of("a", a), [arguments.name_of("b", b)]
    pair = unjudged(place, *names, [] if measure is None else [measure], wanted).pairs[0]
    found = sheet(pair, number)
    if judge is not None:
        found = labelled_by(arguments.name_of("judge", judge), found, pair, place)
    write_sheet(found, Path(out))
    return found


def judge_import(  # noqa: PLR0917
    file: str | Path,
    target: str | Path,
    by: str = "people",
    name: str | None = None,
    replace: bool = False,
    split: str | None = None,
    rules: str | Path | None = None,
    workspace: str | Path | None = None,
) -> list[ImportedLabels]:
    """Make a new label version of a collection, as `harness judge import` does.

    Name the version as a target, `TARGET?labels=NAME`. Its results have another fingerprint, and its name is in every
    table, with the judge if a judge gave labels.

    Args:
        file: the labels that the page saved, the CSV of the export with grades, or a file of judgments.
        target: what the labels are for, as in `run`. With `?labels=NAME` they are added to that version.
        by: who gave the labels: `people`, or `judge:NAME`. Default: `people`.
        name: the name of the version. Default: made from the digest of the labels.
        replace: labels replace judgments with another grade. Default: these are refused.
        split: as in `run`.
        rules: as in `run`.
        workspace: as in `run`.

    Returns:
        An `ImportedLabels` for each collection: `collection`, `version`, and counts.

    Raises:
        HarnessError: an id is unknown, or a label contradicts a judgment. The message names the line.

    Examples:
        >>> from pathlib import Path
        >>> import harness
        >>> _ = Path("labels.csv").write_text("query_id,document_id,grade\\nq15,p03,1\\n")
        >>> (imported,) = harness.judge_import("labels.csv", "demo/en", name="mine")
        >>> imported.collection, imported.new
        ('demo/en?labels=mine', 1)
    """
    from harness.labelling.imports import import_labels

    place = Workspace.open(arguments.file_of(workspace))
    named = arguments.name_of("target", target)
    load = _loader(place, split, rules)
    return import_labels(Path(file), named, place, load, by=by, name=name, replace=replace)


def judge_diff(  # noqa: PLR0917
    first: str | Path,
    second: str | Path,
    target: str | Path | None = None,
    measure: str | None = None,
    split: str | None = None,
    rules: str | Path | None = None,
    workspace: str | Path | None = None,
) -> LabelComparison:
    """Compare two versions of judgments, as `harness judge diff` does.

    Args:
        first: a file of judgments; a target such as `./scifact` or `./scifact?labels=NAME`; or, with `target`, the name
            of one of its label versions.
        second: as `first`.
        target: the collection that files of judgments are for. Its stored systems are measured with both.
        measure: one measure. Default: the main measure of the collection.
        split: as in `run`.
        rules: as in `run`.
        workspace: as in `run`.

    Returns:
        A `LabelComparison`: `found.judgments` has the pairs that differ, `found.systems` the values with both versions,
        and `found.pairs` the systems that change places. Values are fractions.

    Raises:
        HarnessError: a name is unknown, or a file cannot be read.

    Examples:
        >>> from pathlib import Path
        >>> import harness
        >>> _ = Path("a.qrels").write_text("q1 0 d1 1\\nq1 0 d2 0\\n")
        >>> _ = Path("b.qrels").write_text("q1 0 d1 0\\nq1 0 d3 1\\n")
        >>> judgments = harness.judge_diff("a.qrels", "b.qrels").found.judgments
        >>> judgments.added, judgments.removed, judgments.regraded
        ([('q1', 'd3')], [('q1', 'd2')], [('q1', 'd1')])
    """
    from harness.labelling.stored import compared_versions
    from reports.tables.labels import LabelComparison

    place = Workspace.open(arguments.file_of(workspace))
    names = arguments.name_of("first", first), arguments.name_of("second", second)
    load, on = _loader(place, split, rules), arguments.optional_name("target", target)
    return LabelComparison(*compared_versions(*names, place, load, target=on, measure=measure))


def _loader(place: Workspace, split: str | None, rules: str | Path | None) -> Callable[[str], Sequence[Collection]]:
    def load(target: str) -> Sequence[Collection]:
        found = collections_of([target], place, split=split, rules=rules, origin=arguments.source_choice())
        if not found:
            raise UsageError(f"'{target}' has no collection")
        return found

    return load
