"""The planted faults. Forty queries have ten documents each; one is relevant, and in the order of the ids it stands
first for the first query, second for the second, and so on: ids say nothing, and who knows nothing gets chance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from planted.case import NDCG, Case, Values, mean_of

QUERIES, SIZE = 40, 10
HALF = QUERIES // 2
RANKS = (1, 1, 2, 1, 3, 1, 1, 5, 2, 1) * (QUERIES // SIZE)
"""Where the sound model puts the relevant document of each query."""
CHANCE = mean_of(range(1, SIZE + 1))
SOUND = mean_of(RANKS)
_SAME_MODEL = "the same model without the fault"
_KNOWS_NOTHING = "chance, worked out: such scores tell nothing about relevance"
Score = Callable[[float], float]


def sound() -> Case:
    """The control: nothing is wrong."""
    queries = {f"q{q}": f"query number {q}" for q in range(QUERIES)}
    corpus = {document_id(q, p): f"passage {p} for query {q}" for q in range(QUERIES) for p in range(SIZE)}
    places = {f"q{q}": [q % SIZE, *(p for p in range(SIZE) if p != q % SIZE)] for q in range(QUERIES)}
    lists = {query: [document_id(int(query[1:]), p) for p in some] for query, some in places.items()}
    qrels = [(f"q{q}", document_id(q, p), int(p == q % SIZE)) for q in range(QUERIES) for p in range(SIZE)]
    run = {query: _ranked(query, lists[query]) for query in queries}
    return Case(
        "nothing", "nothing is wrong", SOUND, "worked out by hand", "scores", queries, corpus, qrels, lists, run
    )


def faults() -> list[Case]:
    """Faults of scores, lists and queries, in the order of the table."""
    return [*_ties(), *_broken_scores(), *_membership(), *_queries()]


def _ties() -> Iterable[Case]:
    yield _scored("constant scorer", "every score is 0.5; the relevant document is listed first", lambda _: 0.5, CHANCE)
    yield _labelled()
    yield _query_first()
    for name, rounded in (("bfloat16", _bfloat16), ("float16", np.float16)):
        yield _scored(
            f"{name} sigmoid",
            f"logits from 9.5 to 14 through a sigmoid in {name}: every score is 1.0",
            lambda logit, rounded=rounded: float(rounded(1 / (1 + np.exp(-logit)))),  # type: ignore[misc]
        )
    yield _scored("float32 ties", "doubles that differ by 1e-10, less than a float32 can tell", lambda x: 1 + x * 2e-10)


def _broken_scores() -> Iterable[Case]:
    base = sound()
    some = {query: [(d, float("nan") if i % 3 == 0 and i else s) for i, (d, s) in enumerate(_listed(base, query))]
            for query in base.queries}  # fmt: skip
    yield replace(
        base, name="NaN for some", planted="three irrelevant documents of every query get NaN", run=some,
        because=_SAME_MODEL,
    )  # fmt: skip
    yield _scored("NaN for all", "every score is NaN", lambda _: float("nan"))
    with np.errstate(over="ignore"):
        inf = {logit: float(np.float16(6000 * logit)) for logit in (14 - rank / 2 for rank in range(SIZE))}
    yield _scored("inf", "logits overflow float16: the first seven ranks get inf", inf.__getitem__)
    yield _scored("swapped sign", "every score is negated", lambda logit: -logit)
    yield replace(
        base, name="scores left out", kind="fewer", because=_SAME_MODEL, run=_without_better(base),
        planted="the model gives no score for what it ranked above the relevant document: fewer scores than pairs",
    )  # fmt: skip


def _membership() -> Iterable[Case]:
    base = sound()
    first_half = list(base.queries)[:HALF]
    missed = {query: [d for d in names if query not in first_half or not is_relevant(query, d)]
              for query, names in base.lists.items()}  # fmt: skip
    half = mean_of([None if f"q{q}" in first_half else rank for q, rank in enumerate(RANKS)])
    frozen = "the first stage missed it, so no order of its list can find it"
    without = {query: [row for row in base.run[query] if row[0] in missed[query]] for query in base.queries}
    yield replace(
        base, name="positives injected", right=half, because=frozen, lists=missed, run=without,
        unlisted=base.run,
        planted="the first stage missed the relevant document of half of the queries; who lists it anyway?",
    )  # fmt: skip
    yield _ideal_of_list()
    yield replace(
        base, name="documents dropped", kind="run", because=_SAME_MODEL, run=_without_better(base),
        planted="the reranked lists lack what stood above the relevant document",
    )  # fmt: skip
    yield replace(
        base, name="documents added", kind="run", right=half, because=frozen, lists=missed,
        planted="the reranker adds the relevant document where the first stage missed it",
    )  # fmt: skip
    twice = {
        query: [*rows, (next(d for d, _ in rows if is_relevant(query, d)), 1.0)] for query, rows in base.run.items()
    }
    yield replace(
        base, name="document listed twice", kind="twice", because="the document counts once, where it first stands",
        lists={query: [*names, names[0]] for query, names in base.lists.items()}, run=twice,
        planted="the relevant document stands in the list twice, the second time last",
    )  # fmt: skip


def _queries() -> Iterable[Case]:
    base = sound()
    half = list(base.queries)[HALF:]
    kept = {query: rows for query, rows in base.run.items() if query not in half}
    yield replace(
        base, name="queries missing", kind="run", run=kept,
        right=mean_of([rank if f"q{q}" not in half else None for q, rank in enumerate(RANKS)]),
        because="a judged query without an answer counts as 0", planted="the run lacks half of the judged queries",
    )  # fmt: skip
    barren = {f"q{q}" for q in range(8)}
    yield replace(
        base, name="no relevant document", because="trec_eval's rule: they count as 0",
        right=mean_of([None if f"q{q}" in barren else rank for q, rank in enumerate(RANKS)]),
        qrels=[(q, d, 0 if q in barren else grade) for q, d, grade in base.qrels],
        planted="eight of forty queries have only judgments of grade 0",
    )  # fmt: skip
    yield _own_document()
    yield _same_number()
    yield _undeclared_language()
    yield replace(
        base, name="one of two subsets", kind="subsets", right={NDCG: (SOUND[NDCG] + CHANCE[NDCG]) / 2},
        planted="the collection has two languages; scores came for the easier one only",
        because="the mean over both, the second at chance",
    )  # fmt: skip


def _labelled() -> Case:
    """Ids as mteb's own class for reranking rows makes them."""
    base = _scored("label-bearing ids", "constant scores; ids are `apositive_...` and `negative_...`", lambda _: 0.5)
    labels = {d: "apositive" if grade else "negative" for _, d, grade in base.qrels}
    new = {d: f"{labels[d]}_{d[1:-1]}_{d[-1]}" for d in base.corpus}
    return replace(_renamed(base, {query: query for query in base.queries}, new), right=CHANCE, because=_KNOWS_NOTHING)


def _query_first() -> Case:
    """What 1,024 tokens of a long query leave of any document: nothing."""
    base = _scored("document truncated away", "queries of 1,100 words, put first in 1,024 tokens", lambda _: 0.0)
    queries = {query: " ".join(f"{query}word{i}" for i in range(1100)) for query in base.queries}
    run = {query: [(d, 0.25 + 0.01 * q) for d, _ in base.run[query]] for q, query in enumerate(queries)}
    options = {"ours": "planted.ours_adapters:QueryFirst"}
    return replace(base, queries=queries, run=run, right=CHANCE, because=_KNOWS_NOTHING, options=options)


def _ideal_of_list() -> Case:
    base = sound()
    more = [(query, f"d{query[1:]}x{i}", 1) for query in base.queries for i in range(2)]
    corpus = {**base.corpus, **{d: f"passage {d}" for _, d, _ in more}}
    return replace(
        base, name="ideal from the list", corpus=corpus, qrels=[*base.qrels, *more], right=mean_of(RANKS, relevant=3),
        planted="three documents are relevant, the list holds one; is nDCG's ideal made of the list?",
        because="the ideal ranking has all three", options={"always_rerank_positives": False},
    )  # fmt: skip


def _undeclared_language() -> Case:
    """Each document has four characters of its own; the relevant one has those of the query."""
    base = sound()
    first = ord("\u4e00")
    own = {d: "".join(chr(first + 4 * number + i) for i in range(4)) for number, d in enumerate(base.corpus)}
    queries = {query: own[names[0]] for query, names in base.lists.items()}
    corpus = {d: f"\u8fd9\u4e00\u6bb5\u662f{text}\u7684\u5185\u5bb9" for d, text in own.items()}
    return replace(
        base, name="language not declared", kind="bm25", queries=queries, corpus=corpus, right=mean_of([1] * QUERIES),
        planted="BM25 on Chinese texts, which have no blanks, in a collection that does not say its language",
        because="only the relevant document has the characters of the query",
    )  # fmt: skip


def _own_document() -> Case:
    base = sound()
    queries = {f"a{q}": base.queries[f"q{q}"] for q in range(QUERIES)}
    corpus = {**base.corpus, **{query: f"{text}, itself" for query, text in queries.items()}}
    case = _renamed(base, {f"q{q}": f"a{q}" for q in range(QUERIES)}, {d: d for d in base.corpus})
    return replace(
        case, name="query in the corpus", corpus=corpus,
        lists={query: [query, *names[:-1]] for query, names in case.lists.items()},
        run={query: [(query, 99.0), *[row for row in rows if row[0] != case.lists[query][-1]]]
             for query, rows in case.run.items()},
        planted="each query is itself a document, with its own id, and is found first (as in ArguAna)",
        because="the query is no answer to itself",
    )  # fmt: skip


def _same_number() -> Case:
    base = sound()
    names = {document_id(q, p): f"{SIZE * q + p}" for q in range(QUERIES) for p in range(SIZE)}
    case = _renamed(base, {f"q{q}": names[document_id(q, q % SIZE)] for q in range(QUERIES)}, names)
    return replace(
        case, name="ids equal by chance", because="the ids are two numberings; the document is relevant",
        planted="queries and documents are numbered; each query's number is that of its relevant document",
    )  # fmt: skip


def _scored(name: str, planted: str, score: Score, right: Values = SOUND) -> Case:
    base = sound()
    run = {query: [(d, score(s)) for d, s in _listed(base, query)] for query in base.queries}
    because = _KNOWS_NOTHING if right is CHANCE else _SAME_MODEL
    elsewhere = score(14.0), score(9.5)
    return replace(base, name=name, planted=planted, run=run, right=right, because=because, elsewhere=elsewhere)


def _renamed(case: Case, queries: Mapping[str, str], documents: Mapping[str, str]) -> Case:
    return replace(
        case,
        queries={queries[q]: text for q, text in case.queries.items()},
        corpus={documents[d]: text for d, text in case.corpus.items()},
        qrels=[(queries[q], documents[d], grade) for q, d, grade in case.qrels],
        lists={queries[q]: [documents[d] for d in names] for q, names in case.lists.items()},
        run={queries[q]: [(documents[d], score) for d, score in rows] for q, rows in case.run.items()},
    )


def _without_better(case: Case) -> dict[str, list[tuple[str, float]]]:
    kept = {}
    for query, rows in case.run.items():
        best = next(score for d, score in rows if is_relevant(query, d))
        kept[query] = [row for row in rows if row[1] <= best]
    return kept


def _ranked(query: str, names: Sequence[str]) -> list[tuple[str, float]]:
    """The sound model's logits, 14 for the best and half a point less for every rank, in listed order."""
    others, rank = list(names[1:]), RANKS[int(query[1:])]
    order = [*others[: rank - 1], names[0], *others[rank - 1 :]]
    scores = {d: 14 - place / 2 for place, d in enumerate(order)}
    return [(d, scores[d]) for d in names]


def _listed(case: Case, query: str) -> list[tuple[str, float]]:
    scores = dict(case.run[query])
    return [(d, scores[d]) for d in case.lists[query]]


def is_relevant(query: str, document: str) -> bool:
    """Whether the document is the relevant one of the query in the sound collection."""
    return document == document_id(int(query[1:]), int(query[1:]) % SIZE)


def document_id(query: int, place: int) -> str:
    """Of the document that stands at `place` in the order of the ids of its query."""
    return f"d{query}{place}"


def _bfloat16(value: float) -> np.float32:
    """The nearest bfloat16, ties to even: the upper half of a float32."""
    bits = int(np.float32(value).view(np.uint32))
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return np.uint32(bits).view(np.float32)
