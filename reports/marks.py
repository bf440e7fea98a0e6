"""The signs of a table: each has one sentence, which is printed where its sign is used and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.data.sources.stored import DRIFTED
from harness.result.keys import CollectionKey
from harness.result.result import Result
from reports.table import Cell

BETTER, WORSE = "↑", "↓"
INCOMPLETE, UNPAIRED, ALARM = "¶", "≠", "!"
TRAINING, SAMPLED, ADAPTED, IMPORTED = "‡", "§", "◊", "#"
WRONG = "✗"
NOTES: Mapping[str, str] = {
    BETTER: "better than its first stage: the corrected p-value is at most 0.05",
    WORSE: "worse than its first stage, by the same test",
    UNPAIRED: "no result of its first stage on the same frozen candidates, so there is no difference",
    ALARM: "there is an alarm about this number",
    INCOMPLETE: "no average: this row lacks a collection",
    TRAINING: "models in common use declare this collection as training data",
    SAMPLED: "a sample of its queries; not comparable with the whole collection",
    DRIFTED: "the data differ from what the suite's table says",
    ADAPTED: "adapted on the corpus that it is evaluated on",
    IMPORTED: "computed elsewhere and only taken in here",
    WRONG: "published, and known to be wrong: never the best; the alarms say why",
}
_ADAPTED_KEYS = ("adapted_on", "adapted-on", "corpus_adapted", "corpus-adapted")


def of_collection(collection: CollectionKey) -> tuple[str, ...]:
    """What a reader of a column has to know."""
    entry = collection.entry
    known = {
        TRAINING: bool(entry and entry.training),
        SAMPLED: collection.sampled_from is not None,
        DRIFTED: DRIFTED in collection.name,
    }
    return tuple(sign for sign, holds in known.items() if holds)


def of_system(results: Sequence[Result]) -> tuple[str, ...]:
    """What a reader of a row has to know."""
    known = {ADAPTED: any(map(is_adapted, results)), IMPORTED: any(one.imported for one in results)}
    return tuple(sign for sign, holds in known.items() if holds)


def is_adapted(result: Result) -> bool:
    """Whether the reranker's identity says that it was adapted on this collection, on its corpus, or on a corpus that
    it does not name. A result from before corpora were kept is known by its name and fingerprint alone."""
    reranker = result.stored.identity.get("reranker")
    if not isinstance(reranker, Mapping):
        return False
    corpora = [reranker[key] for key in _ADAPTED_KEYS if reranker.get(key)]
    named = [one for corpus in corpora for one in (corpus if isinstance(corpus, list | tuple) else [corpus])]
    known = (True, result.collection.name, result.collection.fingerprint, result.stored.collection.corpus)
    return any(one in known for one in named if one is not None)


def alarms_of(result: Result) -> list[str]:
    """The alarms that were stored with a result; those of another measure are left out."""
    return [alarm.named for alarm in result.stored.audit.about(result.measure)]


def wrong_notes(results: Iterable[Result]) -> dict[str, str]:
    """The sentence of WRONG with what is known against these results; none where there is nothing."""
    reasons = "; ".join(dict.fromkeys(one.wrong for one in results if one.wrong))
    return {WRONG: f"never the best: {reasons}"} if reasons else {}


def footnotes(
    rows: Sequence[Sequence[Cell]], columns: Sequence[Sequence[str]], more: Mapping[str, str] | None = None
) -> tuple[tuple[str, str], ...]:
    """The sentence of every sign that the rows and the columns' names use, and of no other.

    Raises:
        KeyError: a sign has no sentence.
    """
    used = {sign for row in rows for cell in row for sign in cell.marks} | {sign for own in columns for sign in own}
    known = {**NOTES, **(more or {})}
    unknown = used - set(known)
    if unknown:
        raise KeyError(f"no footnote for {sorted(unknown)}")
    return tuple((sign, text) for sign, text in known.items() if sign in used)
