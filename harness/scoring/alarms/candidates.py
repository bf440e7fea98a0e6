"""Alarms about the candidates themselves, before reranking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from harness.data.arrow import strings, to_numpy
from harness.data.runs import Run
from harness.data.sources.dirt import EFFECTS, TAKEN
from harness.measuring.alarms.alarm import FEW, Alarm, counted
from harness.measuring.alarms.catalogue import Hazard
from harness.measuring.alarms.certainty import sure
from harness.measuring.alarms.texts import distinct, text_codes
from harness.measuring.ranking import lookup, ranks
from harness.scoring.alarms.registered import OF_CANDIDATES, alarm_of_candidates

if TYPE_CHECKING:
    from harness.scoring.ground import CandidatePool

_LABELLED = 0.02
"""Two points: if the order of document ids changes a value by more than this, it counts as a label."""
_ENOUGH_QUERIES = 10
"""With fewer queries, ids without a label can reach the highest or the lowest value by chance."""
_ENOUGH_HITS = 5
_LAST = 0.05
_JUMP = 5.0


def candidate_alarms(ground: CandidatePool) -> Iterator[Alarm]:
    """Yield the alarms about the candidates and their judgments."""
    for detector in OF_CANDIDATES.values():
        yield from detector.alarms(ground)


@alarm_of_candidates(
    Hazard("let-through", "more than one line in a hundred of a file was let through, by a rule or without one"),
    Hazard("few-let-through", "lines were let through, at most one in a hundred"),
)
def _let_through(ground: CandidatePool) -> Iterator[Alarm]:
    """If many lines are let through, the files may not belong together, or may have another form."""
    for rule, files in ground.collection.counts.shares.items():
        for file, (count, lines) in files.items():
            share = f"{count:,} of {lines:,} lines of the {file}"
            percent = f"({100 * count / lines:.1f} %)"
            message = f"the rule {rule} let {share} through {percent}: {EFFECTS.get(rule, '')}"
            if rule in TAKEN:
                message = f"{share} {percent} have {TAKEN[rule]}"
            yield from counted("let-through", count, lines, message)
    yield from outside_corpus(ground.candidates)


def outside_corpus(run: Run) -> list[Alarm]:
    """The alarm for a run file with documents that the corpus lacks."""
    count, lines = run.outside
    message = f"{count:,} of {lines:,} lines of the run name documents that the corpus lacks and are left out; "
    return counted("let-through", count, lines, f"{message}trec_eval would count them as not relevant")


@alarm_of_candidates(
    Hazard("empty-queries", "judged queries without a text, which no system can answer and which count")
)
def _empty_queries(ground: CandidatePool) -> Iterator[Alarm]:
    empty, queries = ground.collection.counts.empty_queries, ground.judged.queries
    if empty:
        has = "has" if empty == 1 else "have"
        message = f"{empty:,} of {queries:,} judged queries {has} no text: no system can answer them, and they count"
        yield Alarm("empty-queries", message)


@alarm_of_candidates(Hazard("missing-queries", "queries without any candidate, which count as 0"))
def _missing(ground: CandidatePool) -> Iterator[Alarm]:
    queries = ground.judged.queries
    empty = int((np.diff(ground.candidates.offsets) == 0).sum())
    if empty > FEW * queries:
        yield Alarm("missing-queries", f"{empty} of {queries} queries have no candidates and count as 0")


@alarm_of_candidates(
    Hazard("labelled-ids", "the order of the document ids reveals the label, and it decides every tie"),
    Hazard("few-labelled-ids", "the same, but no two candidates with different texts are tied, so no value changes"),
)
def _labelled_ids(ground: CandidatePool) -> Iterator[Alarm]:
    """If ids carry the label, a constant scorer has the highest or the lowest value. Ids that follow the order of a
    text move the value too, but less (on XQuAD by a quarter of that), and are not labels."""
    if ground.judged.queries < _ENOUGH_QUERIES:
        return
    constant, chance = ground.controls["constant"], ground.controls["chance"]
    gains = constant - chance
    gained = gains.mean(axis=1)
    reached = np.where(gained[:, None] > 0, ground.controls["oracle"] - chance, chance - ground.controls["anti-oracle"])
    labelled = (abs(gained) > _LABELLED) & (abs(gained) > reached.mean(axis=1) / 2)
    by_luck = ground.controls["random"] - chance
    certain = [sure(row * np.sign(row.mean()), luck) for row, luck in zip(gains, by_luck, strict=True)]
    for measure, points, is_label in zip(ground.measures, gained, labelled & certain, strict=True):
        if is_label:
            message = f"the order of the document ids alone moves {measure} by {100 * points:+z.1f} points"
            yield Alarm("labelled-ids", f"{message}: ids carry the label", str(measure))


def without_ties(alarm: Alarm) -> Alarm:
    """An alarm about candidates, for a system without ties between different texts. Labelled ids are then only a
    remark, because ids decide nothing but ties."""
    if alarm.name != "labelled-ids":
        return alarm
    message = f"{alarm.message}, but no two texts are tied here, so they decide nothing"
    return Alarm("few-labelled-ids", message, alarm.measure)


@alarm_of_candidates(
    Hazard("injected-positives", "relevant documents are at the very end of the candidate lists", hard=True)
)
def _injected(ground: CandidatePool) -> Iterator[Alarm]:
    """Relevant documents become rarer from rank to rank. Many at the last rank were put there."""
    run, counts = ground.candidates, np.diff(ground.candidates.offsets)
    long = counts >= 10
    tie = np.ptp(run.scores) == 0 if len(run) else True
    if tie or long.sum() < _ENOUGH_QUERIES:
        return
    rank, size, relevant = ranks(run), counts[run.queries], ground.judged.grades >= 1
    last = long[run.queries] & (rank == size)
    before = long[run.queries] & (rank < size) & (rank > size // 2)
    hits, rate = int(relevant[last].sum()), float(relevant[last].mean())
    usual = float(relevant[before].mean())
    if hits >= _ENOUGH_HITS and rate > _LAST and rate > _JUMP * usual:
        message = f"the last candidate is relevant for {hits} of {int(long.sum())} queries, the ranks before it are in "
        message += f"{100 * usual:.1f} % of them"
        yield Alarm("injected-positives", f"{message}: were missed positives added to the lists?")


@alarm_of_candidates(Hazard("self-retrieval", "the query itself is one of its candidates, and not relevant"))
def _self_retrieval(ground: CandidatePool) -> Iterator[Alarm]:
    run, collection = ground.candidates, ground.collection
    same_text = (collection.corpus.digests[run.documents] == collection.queries.digests[run.queries]).all(axis=1)
    same_text[_rows_of_queries(ground)] = True
    found = np.unique(run.queries[same_text & (ground.judged.grades < 1)])
    if len(found) > FEW * ground.judged.queries:
        declared = "" if collection.rules.drop_identical_ids else "; declare drop_identical_ids if ids are shared"
        message = f"{len(found)} of {ground.judged.queries} queries are among their own candidates, as not relevant"
        yield Alarm("self-retrieval", f"{message}{declared}")


def _rows_of_queries(ground: CandidatePool) -> npt.NDArray[np.int64]:
    """Rows of candidates with the id of their query that also contain its text. The same id alone is a coincidence."""
    collection = ground.collection
    query_ids = collection.queries.ids()
    shared = pc.is_in(collection.corpus.id_column, value_set=strings(query_ids))
    rows = np.flatnonzero(to_numpy(shared))
    row_of = dict(zip(collection.corpus.ids(rows), rows.tolist(), strict=True))
    pairs = [(query, row_of[name]) for query, name in enumerate(query_ids) if name in row_of]
    if not pairs:
        return np.empty(0, np.int64)
    queries, documents = np.array(pairs, np.int64).T
    found = lookup(ground.candidates, queries, documents)
    texts = zip(queries, documents, strict=True)
    contained = [_contains(collection.corpus[document], collection.queries[query]) for query, document in texts]
    of_queries: npt.NDArray[np.int64] = found[(found >= 0) & np.array(contained)]
    return of_queries


def _contains(document: str, query: str) -> bool:
    words = " ".join(query.casefold().split())
    return bool(words) and words in " ".join(document.casefold().split())


@alarm_of_candidates(Hazard("contradicting-labels", "one text is judged relevant and not relevant for one query"))
def _contradicting(ground: CandidatePool) -> Iterator[Alarm]:
    run, grades = ground.candidates, ground.judged.grades
    judged = grades >= 0
    queries, texts = run.queries[judged], text_codes(ground.collection, run)[judged]
    labelled = texts * 2 + (grades[judged] >= 1)
    size = ground.judged.queries
    found = int((distinct(queries, labelled, size) > distinct(queries, texts, size)).sum())
    if found > FEW * size:
        yield Alarm(
            "contradicting-labels", f"one text is judged relevant and not relevant in {found} of {size} queries"
        )
