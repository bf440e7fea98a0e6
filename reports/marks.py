"""The marks in tables. Each has one footnote, which is printed only under tables that use the mark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.data.label_names import NOT_BY_PEOPLE, by_judges
from harness.data.sources.stored import DRIFTED
from harness.result.facts import CollectionFacts
from harness.result.keys import CollectionKey
from harness.result.result import Result
from reports.table import Cell

BETTER, WORSE = "↑", "↓"
INCOMPLETE, UNPAIRED, ALARM = "¶", "≠", "!"
TRAINING, SAMPLED, ADAPTED, IMPORTED = "‡", "§", "◊", "#"
WRONG = "✗"
JUDGED = "⊖"
NOTES: Mapping[str, str] = {
    BETTER: "better than its first stage: the corrected p-value is at most 0.05",
    WORSE: "worse than its first stage, by the same test",
    UNPAIRED: "no difference: its first stage has no result on the same frozen candidates",
    ALARM: "an alarm was raised about this number",
    INCOMPLETE: "no average: a collection is missing",
    TRAINING: "models in common use declare this collection as training data",
    SAMPLED: "a sample of its queries; not comparable with the whole collection",
    DRIFTED: "the data differ from what the suite's table says",
    JUDGED: f"{NOT_BY_PEOPLE}: a judge gave some",
    ADAPTED: "adapted on the corpus that it is evaluated on",
    IMPORTED: "computed elsewhere and imported",
    WRONG: "published and known to be wrong, so it is never the best; the alarms say why",
}
_ADAPTED_KEYS = ("adapted_on", "adapted-on", "corpus_adapted", "corpus-adapted")


def of_collection(collection: CollectionKey) -> tuple[str, ...]:
    """The marks of a column."""
    entry = collection.entry
    applies = {
        TRAINING: bool(entry and entry.training),
        SAMPLED: collection.sampled_from is not None,
        DRIFTED: DRIFTED in collection.name,
        JUDGED: by_judges(collection.name),
    }
    return tuple(sign for sign, holds in applies.items() if holds)


def judged_notes(names: Iterable[str]) -> list[str]:
    """The note on the collections among these that have labels of a judge; empty if none has."""
    found = [name for name in dict.fromkeys(names) if by_judges(name)]
    return [f"{NOT_BY_PEOPLE}: {', '.join(found)}."] if found else []


def is_drifted(collection: CollectionFacts) -> bool:
    """Whether the data differ from the suite's table and were accepted anyway."""
    return DRIFTED in collection.name or DRIFTED in (collection.rules.note or "")


def of_system(results: Sequence[Result]) -> tuple[str, ...]:
    """The marks of a row."""
    applies = {ADAPTED: any(map(is_adapted, results)), IMPORTED: any(one.imported for one in results)}
    return tuple(sign for sign, holds in applies.items() if holds)


def is_adapted(result: Result) -> bool:
    """Whether the reranker's identity says that it was adapted on this collection, on its corpus, or on an unnamed
    corpus. Older results have no corpus; only their name and fingerprint are compared."""
    reranker = result.stored.identity.get("reranker")
    if not isinstance(reranker, Mapping):
        return False
    corpora = [reranker[key] for key in _ADAPTED_KEYS if reranker.get(key)]
    names = [name for corpus in corpora for name in (corpus if isinstance(corpus, list | tuple) else [corpus])]
    this = (True, result.collection.name, result.collection.fingerprint, result.stored.collection.corpus)
    return any(name in this for name in names if name is not None)


def alarms_of(result: Result) -> list[str]:
    """The alarms that were stored with a result, without those of other measures."""
    return [alarm.named for alarm in result.stored.audit.about(result.measure)]


def wrong_notes(results: Iterable[Result]) -> dict[str, str]:
    """The footnote of `WRONG` with the reasons for these results; empty if none is known to be wrong."""
    reasons = "; ".join(dict.fromkeys(one.wrong for one in results if one.wrong))
    return {WRONG: f"never the best: {reasons}"} if reasons else {}


def footnotes(
    rows: Sequence[Sequence[Cell]], columns: Sequence[Sequence[str]], more: Mapping[str, str] | None = None
) -> tuple[tuple[str, str], ...]:
    """The footnotes of the marks that are used in a table.

    Args:
        rows: the cells of the table.
        columns: the marks of each column.
        more: footnotes that replace those of `NOTES` or are added to them. Default: none.

    Raises:
        KeyError: a mark has no footnote.
    """
    used = {sign for row in rows for cell in row for sign in cell.marks} | {sign for head in columns for sign in head}
    texts = {**NOTES, **(more or {})}
    missing = used - set(texts)
    if missing:
        raise KeyError(f"no footnote for {sorted(missing)}")
    return tuple((sign, text) for sign, text in texts.items() if sign in used)
