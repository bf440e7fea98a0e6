"""The chapter of a report on what was run: collections, systems, commands, versions, machines and cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness import numbers
from harness.result.facts import CollectionFacts, Environment
from harness.result.gathered import speed_of
from harness.result.keys import CollectionKey, SystemKey
from harness.result.result import Result
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_stored, shown_language
from harness.scoring.system import MadeOf
from reports import marks
from reports.document import Bullets, Code, Heading, Part
from reports.grid import plain_name
from reports.table import Cell, Table
from reports.view import PLAIN, View

_SHOWN = 20
"""The number of commands that are printed; a sweep has hundreds."""


def what_was_run(results: Sequence[Result], view: View = PLAIN) -> list[Part]:
    """The parts of the chapter."""
    commands = Counter(one.command for one in {one.id: one.stored for one in results}.values())
    listed = [command for command, _ in commands.most_common(_SHOWN)]
    more = [f"and {len(commands) - _SHOWN} more; `harness show ID` prints each"] if len(commands) > _SHOWN else []
    return [
        Heading("What was run"),
        collections_table(results),
        systems_table(results, view),
        Heading("Commands", 3),
        Code("\n".join(listed)),
        *([Bullets(tuple(more))] if more else []),
        Heading("Versions and hardware", 3),
        Bullets(tuple(environments(results))),
    ]


def collections_table(results: Sequence[Result]) -> Table:
    """One row per collection."""
    keys = list(dict.fromkeys(one.collection for one in results))
    columns = ("collection", "split", "language", "licence", "queries", "documents", "main measure", "fingerprint")
    stored = {one.collection: one.stored.collection for one in results}
    rows = tuple(_collection_row(key, stored[key]) for key in keys)
    notes = list(dict.fromkeys(note for one in stored.values() for note in one.notes))
    return Table("collections", columns, rows, tuple(notes), left=4, footnotes=marks.footnotes(rows, ()))


def systems_table(results: Sequence[Result], view: View = PLAIN) -> Table:
    """One row per system: its identity, and its cost on this machine."""
    own: dict[SystemKey, dict[str, Result]] = {}
    for one in results:
        own.setdefault(one.system, {})[one.id] = one
    columns = ("system", "first stage", "depth", "identity", "collections", "pairs", "pairs/s", "hours")
    rows = tuple(_system_row(key, list(by_id.values()), view) for key, by_id in own.items())
    notes = (
        "identity: digest of everything that can change a score (weights, tokenizer, template, lengths, precision); "
        "several if it differs between collections",
        "pairs/s, hours: model time on this machine; -: nothing was scored here",
        *bm25_notes(of_stored(one.stored for one in results)),
    )
    return Table("systems", columns, rows, notes, left=4, footnotes=marks.footnotes(rows, ()))


def environments(results: Sequence[Result]) -> list[str]:
    """Each machine with its versions and the number of its evaluations."""
    stored = {one.id: one.stored for one in results}.values()
    counted = Counter(_environment(one.environment) for one in stored)
    return [f"{text} ({count} evaluations)" for text, count in counted.most_common()]


def _collection_row(key: CollectionKey, facts: CollectionFacts) -> tuple[Cell, ...]:
    language, documents = shown_language(key.language, facts.detected_language), facts.counts.documents
    entry = key.entry
    queries = f"{key.queries:,}" + (f" of {key.sampled_from:,}" if key.sampled_from else "")
    return (
        Cell(plain_name(key), marks=marks.of_collection(key)),
        *map(Cell, (key.split, language or "-", (entry.licence if entry else None) or "not stated", queries)),
        *map(Cell, ("-" if documents is None else f"{documents:,}", key.main_measure, key.fingerprint[:12])),
    )


def _system_row(key: SystemKey, results: Sequence[Result], view: View) -> tuple[Cell, ...]:
    pairs = sum(one.stored.audit.candidates or 0 for one in results)
    speed = speed_of(results) if key.reranker else None
    part = "reranker" if key.reranker else "retriever"
    made = dict.fromkeys(MadeOf({part: one.stored.identity.get(part)}).id for one in results)
    shown = ", ".join(list(made)[:2]) + (f", {len(made) - 2} more" if len(made) > 2 else "")
    texts = (
        view.first_stage(key.first_stage), str(key.depth), shown, str(len({one.collection for one in results})),
        numbers.count(pairs), numbers.decimal(speed), numbers.decimal(pairs / speed / 3600 if speed else None, 2),
    )  # fmt: skip
    return (Cell(view.system(key.label), marks=marks.of_system(results)), *map(Cell, texts))


def _environment(one: Environment) -> str:
    if one == Environment():
        return "not stated: imported means"
    versions = [f"{name} {version}" for name, version in one.packages.items() if version]
    return f"{one.machine}; Python {one.python}; {', '.join(versions)}"
