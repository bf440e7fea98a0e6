"""The content of the results store as tables and outlines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from adapters.errors import UsageError, did_you_mean
from adapters.spec import kinds
from harness.numbers import DASH, points
from harness.result.opening import stored_in
from harness.result.robustness import perturbed_values, robustness_of
from harness.result.select import Wanted, evaluation_named, narrowed, systems_named
from harness.result.sizes import bytes_of, on_disk
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_stored, shown_language
from harness.result.store import Results
from harness.result.stored import Stored
from harness.workspace import Workspace, readable_size
from reports.table import Cell, Table
from reports.tables.looks import LOOK, LOOK_COLUMNS, look_details, look_rows
from reports.tables.robustness import robustness_tables

_IMPORTED = "(imported): computed elsewhere and imported; `harness show ID` prints the source and who measured it"
_LISTS = ("results", "collections", "systems", "looks", "adapters")


def listing(what: str, workspace: Path, systems: Sequence[str] = (), collections: Sequence[str] = ()) -> Table:
    """A list as a table.

    Args:
        what: `results`, `collections`, `systems`, `looks` or `adapters`.
        workspace: the workspace.
        systems: names of systems to list. Default: all.
        collections: names of collections to list. Default: all.

    Raises:
        UsageError: the list is unknown, cannot be narrowed by names, or a name matches nothing.
    """
    if what not in _LISTS:
        raise UsageError(f"nothing to list as '{what}'.{did_you_mean(what, _LISTS)}")
    if what in ("adapters", "looks") and (systems or collections):
        raise UsageError(f"`harness list {what}` always lists all {what}; leave out the names")
    if what == "adapters":
        return _table("adapters", ("kind", "part", "target"), _adapters())
    if what == "looks":
        rows = look_rows(workspace / "results.sqlite")
        return _table(
            f"looks at dev and at the gate in {workspace}", LOOK_COLUMNS, rows, left=LOOK_COLUMNS.index("verdict")
        )
    everything = _all(workspace)
    stored = systems_named(systems, narrowed(everything, Wanted(collections)), everything)
    if what == "results":
        found = _results(stored, workspace)
        return replace(found, notes=(*found.notes, *_on_disk(workspace)))
    if what == "collections":
        columns: tuple[str, ...] = (
            "fingerprint", "collection", "split", "language", "documents", "queries", "judgments", "size",
        )  # fmt: skip
        rows = iter(dict.fromkeys(_collection(one, workspace) for one in stored))
        notes = (*_notes(stored), *_on_disk(workspace))
        return _table(f"collections in {workspace}", columns, rows, notes, left=columns.index("documents"))
    columns = ("system", "first stage", "part", "depth")
    rows = iter(dict.fromkeys(map(_system, stored)))
    notes = (*bm25_notes(of_stored(stored)), *_on_disk(workspace))
    return _table(f"systems in {workspace}", columns, rows, notes, left=columns.index("depth"))


def listing_of(ids: Iterable[str], workspace: Path) -> Table:
    """The results with these ids, in the form of `listing`."""
    wanted = set(ids)
    return _results([one for one in _all(workspace) if one.id in wanted], workspace)


def details(name: str, workspace: Path) -> dict[str, object]:
    """All stored data of an evaluation, with per-query values, or of a look of the gate.

    Args:
        name: an id, its first digits, or a system with one evaluation.
        workspace: the workspace.

    Raises:
        UsageError: the name matches nothing, or is ambiguous.
    """
    with stored_in(workspace / "results.sqlite") as results:
        if name.startswith(LOOK):
            return look_details(name, workspace / "results.sqlite")
        found = evaluation_named(name, list(results.all()))
        own = results.results([found.id])
    per_query = {one.measure: dict(zip(one.ids, one.values.tolist(), strict=True)) for one in own if len(one.values)}
    notes = [*found.collection.notes, *([found.wrong] if found.wrong else [])]
    return {
        "id": found.id, "system": found.system, "first_stage": found.first_stage, "reranker": found.reranker,
        "depth": found.depth, "values": found.means, "notes": notes,
        "collection": found.collection.as_dict(), "made_of": found.identity,
        "audit": found.audit.as_dict(),
        **({} if "citations" in found.identity else {"controls": found.controls.means}),
        **({"robustness": robustness_of(own)[0].as_dict()} if own and own[0].perturbed else {}),
        "environment": found.environment.as_dict(),
        **({"bm25": lines} if (lines := bm25_notes(of_stored([found]))) else {}),
        "command": found.command, "created": found.created, "updated": found.updated, "per_query": per_query,
        **({"perturbed": perturbed_values(own[0])} if own and own[0].perturbed else {}),
    }  # fmt: skip


def tables_of(id: str, workspace: Path) -> list[Table]:
    """The tables of one evaluation: that of its robustness, if it was measured.

    Args:
        id: the complete id of an evaluation.
        workspace: the workspace.
    """
    with stored_in(workspace / "results.sqlite") as results:
        return list(robustness_tables(results.results([id])).values())


def outline(value: object, indent: int = 0) -> str:
    """Nested values as indented lines."""
    pad = "  " * indent
    if not isinstance(value, dict):
        return f"{pad}{value}"
    lines = []
    for key, inner in value.items():
        nested = isinstance(inner, dict) and inner
        lines.append(f"{pad}{key}:" + ("" if nested else f" {_plain(inner)}"))
        if nested:
            lines.append(outline(inner, indent + 1))
    return "\n".join(lines)


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return "; ".join(map(_listed, value)) or "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value is None or value == {} else str(value)


def _listed(value: object) -> str:
    if isinstance(value, dict) and {"name", "message"} <= value.keys():
        return f"{value['message']} [{value['name']}]"
    return str(value)


def _all(workspace: Path) -> list[Stored]:
    if not (workspace / "results.sqlite").is_file():
        return []
    with Results(workspace / "results.sqlite") as results:
        return list(results.all())


def _notes(stored: Sequence[Stored]) -> tuple[str, ...]:
    notes = [note for one in stored for note in one.collection.notes]
    imported = [_IMPORTED] if any(one.imported for one in stored) else []
    wrong = [f"{one.id}, {one.system} on {one.collection.name}: {one.wrong}" for one in stored if one.wrong]
    return tuple(dict.fromkeys([*notes, *imported, *wrong, *bm25_notes(of_stored(stored))]))


def _results(stored: Sequence[Stored], workspace: Path) -> Table:
    columns = ("id", "collection", "split", "system", "depth", "value", "queries", "updated")
    title, left = f"results in {workspace}", columns.index("depth")
    return _table(title, columns, map(_result, stored), _notes(stored), left=left)


def _result(one: Stored) -> tuple[str, ...]:
    values = ", ".join(f"{measure} {points(mean)}" for measure, mean in one.means.items())
    sampled = f" of {one.collection.sampled_from}" if one.collection.sampled_from else ""
    system = one.system if one.reranker else f"{one.system} (first stage)"
    return (
        one.id, one.collection.name, one.collection.split, system, str(one.depth or "-"), values,
        f"{one.collection.counts.queries}{sampled}", one.updated,
    )  # fmt: skip


def _system(one: Stored) -> tuple[str, ...]:
    return one.system, one.first_stage, "reranker" if one.reranker else "first stage", str(one.depth or "-")


def _collection(one: Stored, workspace: Path) -> tuple[str, ...]:
    """The size is that of the texts and judgments, which a sample shares with the whole collection."""
    about, counts = one.collection, one.collection.counts
    size = bytes_of(Workspace(workspace).collections / about.whole)
    language = shown_language(about.language, about.detected_language)
    numbers = ("" if one is None else str(one) for one in (counts.documents, counts.queries, counts.judgments))
    return about.fingerprint[:12], about.name, about.split, language, *numbers, readable_size(size) if size else DASH


def _on_disk(workspace: Path) -> tuple[str, ...]:
    line = on_disk(Workspace(workspace))
    return (line,) if line else ()


def _adapters() -> Iterator[tuple[str, ...]]:
    for kind, parts in sorted(kinds().items()):
        for part, target in sorted(parts.items()):
            yield (kind, part.replace("retriever", "first stage"), target)


def _table(
    title: str,
    columns: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    notes: tuple[str, ...] = (),
    *,
    left: int | None = None,
) -> Table:
    """A table whose first `left` columns are text; default: all of them, which a terminal wraps."""
    cells = tuple(tuple(Cell(text) for text in row) for row in rows)
    return Table(title, columns, cells, notes, left=len(columns) if left is None else left)
