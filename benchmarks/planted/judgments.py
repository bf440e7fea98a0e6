"""Faults of judgments and of what was published: who reads them as they were meant?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from planted.case import NDCG, RR, Case, Values, mean_of
from planted.faults import RANKS, SIZE, document_id, is_relevant, sound

WEBLINX = "WebLINXCandidatesReranking"
"""The task of the published value that is known to be wrong."""
QUERIT, REVISION = "Querit/Querit-4B", "86b4aeea8f69ad15d9a619e0c6a04f2d01b08222"
"""Whose it is."""
_DATA = "107fdc2402d2c4bfb2a720dfcfe1f6ff9d21151b"
"""The revision of the data set that it was measured on."""
_FIELDS = ("ndcg_at_10", "map_at_10", "mrr_at_1", "mrr_at_10", "hit_rate_at_1", "hit_rate_at_10")
_PUBLISHED = {
    "validation": (0.19317, 0.14878, 0.232129, 0.306404, 0.08224, 0.33897),
    "test_iid": (0.18821, 0.14433, 0.233658, 0.315038, 0.07441, 0.33171),
    "test_cat": (0.15225, 0.108765, 0.221936, 0.304096, 0.042495, 0.295215),
    "test_geo": (0.16628, 0.125695, 0.233469, 0.309031, 0.059715, 0.298665),
    "test_vis": (0.16095, 0.117265, 0.226873, 0.308743, 0.051015, 0.305435),
    "test_web": (0.1618, 0.120555, 0.228465, 0.309493, 0.057905, 0.297835),
}
"""What embeddings-benchmark/results had before its pull request 706, by split."""


def judgment_faults() -> list[Case]:
    """In the order of the table."""
    return [*_contradicting(), *_missing(), _mixed(), _unjudged(), _unjudged_from_below()]


def published_faults() -> list[Case]:
    """Stored and published numbers."""
    base = sound()
    stored = replace(
        base, name="stored number changed", kind="stored", right={}, because="the value before the change",
        planted="what the evaluator stored is changed on the disk; it is asked again",
    )  # fmt: skip
    return [stored, _known_wrong()]


def _contradicting() -> Iterable[Case]:
    base = sound()
    second = [(q, d, 0) for q, d, grade in base.qrels if grade and int(q[1:]) % 2]
    yield replace(
        base, name="contradicting labels", qrels=[*base.qrels, *second], options={"files": True},
        planted="for half of the queries the relevant document is judged again, as irrelevant",
        because="the document is relevant; the later row is the planted one",
    )  # fmt: skip


def _missing() -> Iterable[Case]:
    base = sound()
    half = [query for query in base.queries if int(query[1:]) % 2]
    more = [(query, f"gone{query[1:]}", 1) for query in half]
    yield replace(
        base, name="judged, not in the corpus", qrels=[*base.qrels, *more], options={"allow": ["unknown-documents"]},
        right=mean_of(RANKS, relevant=[1 + (query in half) for query in base.queries]),
        planted="every second query has one more relevant document, which the corpus lacks",
        because="trec_eval's rule: the published judgments are the ideal, found or not",
    )  # fmt: skip


def _mixed() -> Case:
    """Lines as they come out of editors and scripts: four columns, divided by a blank, a tab, or several of both."""
    base = sound()
    gaps = (" ", "\t", "  ", " \t", "\t\t")
    lines = [f"{q}{gap}0{gap}{d}{gap}{grade}\n" for (q, d, grade), gap in _with(base.qrels, gaps)]
    return replace(
        base, name="tabs and blanks", kind="trec", options={"trec": "".join(lines)}, because="trec_eval's rule",
        planted="TREC judgments whose columns are divided by tabs in some lines and by blanks in others",
    )  # fmt: skip


def _with(rows: Sequence[tuple[str, str, int]], gaps: Sequence[str]) -> Iterable[tuple[tuple[str, str, int], str]]:
    return ((row, gaps[number % len(gaps)]) for number, row in enumerate(rows))


def _known_wrong() -> Case:
    values = {split: dict(zip(_FIELDS, row, strict=True)) for split, row in _PUBLISHED.items()}
    scores = {split: [{"hf_subset": "default", "languages": ["eng-Latn"], "main_score": of["mrr_at_10"], **of}]
              for split, of in values.items()}  # fmt: skip
    content = {"dataset_revision": _DATA, "task_name": WEBLINX, "mteb_version": "2.14.8", "scores": scores,
               "evaluation_time": 62607.4, "kg_co2_emissions": None}  # fmt: skip
    return replace(
        sound(), name="published, known wrong", kind="imported", options={"results": content},
        right={RR: sum(of["map_at_10"] for of in values.values()) / len(values)},
        planted="a result file of mteb with Querit-4B's values on WebLINX, as they were published",
        because="the same file's AP@10: RR@10 where one document is relevant. Its Success@1 is a fifth of its RR@1, "
        "and the two are one measure",
    )  # fmt: skip


def _unjudged() -> Case:
    """The model finds a second relevant document that nobody judged, and puts it first."""
    base = sound()
    found = {f"q{q}": document_id(q, (q + 1) % SIZE) for q in range(len(base.queries))}
    run = {query: [(d, 99.0 if d == found[query] else s) for d, s in rows] for query, rows in base.run.items()}
    ahead = {query: next(s for d, s in rows if is_relevant(query, d)) for query, rows in base.run.items()}
    was_better = [dict(base.run[query])[document] > ahead[query] for query, document in found.items()]
    ranks = [rank + 1 - better for rank, better in zip(RANKS, was_better, strict=True)]
    return replace(
        base, name="unjudged, put first", qrels=[row for row in base.qrels if row[1] != found[row[0]]], run=run,
        right=_all_judged(ranks, 1), because="the values with all judgments",
        planted="the document that the model puts first is relevant, and nobody judged it",
    )  # fmt: skip


def _unjudged_from_below() -> Case:
    """The same from deeper in longer lists, where judgments end."""
    base = sound()
    deeper = {query: [f"{document_id(int(query[1:]), p)}x" for p in range(SIZE)] for query in base.queries}
    corpus = {**base.corpus, **{d: f"passage {d}" for some in deeper.values() for d in some}}
    lists = {query: [*names, *deeper[query]] for query, names in base.lists.items()}
    run = {query: [*rows, *((d, 90.0 - i if i < 3 else -float(i)) for i, d in enumerate(deeper[query]))]
           for query, rows in base.run.items()}  # fmt: skip
    return replace(
        base, name="unjudged, brought up", corpus=corpus, lists=lists, run=run,
        right=_all_judged([rank + 3 for rank in RANKS], 3), because="the values with all judgments",
        planted="the model brings up three relevant documents from ranks that nobody judged",
    )  # fmt: skip


def _all_judged(ranks: Sequence[int], first: int) -> Values:
    """`first` relevant documents stand at the top, one more at the given rank."""
    gain = [1 / np.log2(rank + 1) for rank in range(1, first + 2)]
    ndcg = [(sum(gain[:first]) + 1 / np.log2(rank + 1)) / sum(gain) for rank in ranks]
    return {NDCG: float(np.mean(ndcg)), RR: 1.0}
